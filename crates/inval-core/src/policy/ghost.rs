//! A compact memory of keys that were evicted: fingerprints in buckets, forgotten by age.

/// Fingerprints a bucket holds: one cache line.
const WAYS: usize = 16;
/// Ages are told apart up to this many steps; the rest of the 16 bits keeps old from looking new.
const STEPS: u64 = 1 << 14;

/// Remembers the last `window` hashes put in, about 5 bytes for each, instead of a queue of keys
/// (the layout suggested in S3-FIFO, Yang et al., SOSP 2023, section 4.2). It may forget a few early
/// and recalls one in some thousands that it never saw.
#[derive(Debug)]
pub(crate) struct Ghost {
    /// Fingerprint in the high half, time it was put in (in `unit`s, modulo 2^16) in the low half.
    slots: Vec<u32>,
    /// How many have been put in, plus a head start so that an empty slot looks old.
    clock: u64,
    /// How many the slots are laid out for.
    capacity: u64,
    /// Log2 of how many share one time.
    unit: u32,
}

impl Ghost {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), clock: 0, capacity: 0, unit: 0 }
    }

    /// Remembers `hash` as one of the last `window` that were put in.
    pub(crate) fn insert(&mut self, hash: u32, window: u64) {
        if window > self.capacity {
            self.lay_out(window);
        }
        self.clock += 1;
        let now = u32::from(self.time());
        if let Some(bucket) = self.bucket(hash) {
            bucket.copy_within(..WAYS - 1, 1);
            bucket[0] = hash << 16 | now;
        }
    }

    /// Whether `hash` is among the last `window` that were put in; if so it is forgotten.
    pub(crate) fn take(&mut self, hash: u32, window: u64) -> bool {
        let (now, oldest) = (self.time(), (window >> self.unit) as u16);
        let Some(bucket) = self.bucket(hash) else { return false };
        let is_known = |slot: u32| {
            slot >> 16 == hash & 0xFFFF && now.wrapping_sub(slot as u16) <= oldest
        };
        // Looks at all slots without a branch, which the compiler turns into a few wide compares.
        let known = (0..WAYS).fold(0, |known, i| known | u32::from(is_known(bucket[i])) << i);
        if known != 0 {
            bucket[known.trailing_zeros() as usize] = u32::from(now.wrapping_add(1 << 15));
        }
        known != 0
    }

    /// Starts over with room for `window` hashes. What was remembered is lost, which costs a few
    /// misses each time a growing cache doubles.
    fn lay_out(&mut self, window: u64) {
        self.capacity = if self.capacity == 0 { window } else { window.max(self.capacity * 2) };
        self.unit = (self.capacity / STEPS).checked_ilog2().map_or(0, |log| log + 1);
        self.clock = 1 << (15 + self.unit);
        let slots = (self.capacity * 4 / 3).max(4 * WAYS as u64) as usize;
        self.slots = Vec::new();
        self.slots.resize(slots.next_multiple_of(WAYS), 0);
    }

    fn time(&self) -> u16 {
        (self.clock >> self.unit) as u16
    }

    /// The slots of a hash, latest first; `None` before the first layout.
    fn bucket(&mut self, hash: u32) -> Option<&mut [u32; WAYS]> {
        let (buckets, _) = self.slots.as_chunks_mut();
        let at = (u64::from(hash) * buckets.len() as u64) >> 32;
        buckets.get_mut(at as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(n: u64) -> u32 {
        (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
    }

    /// Puts `count` hashes in and returns how many of the last `window` are still known, and how
    /// many of those before.
    fn recall(count: u64, window: u64) -> (u64, u64) {
        let mut ghost = Ghost::new();
        (0..count).for_each(|n| ghost.insert(hash(n), window));
        let recent = (count - window..count).filter(|&n| ghost.take(hash(n), window)).count();
        let older = (0..count - window).filter(|&n| ghost.take(hash(n), window)).count();
        (recent as u64, older as u64)
    }

    #[test]
    fn remembers_the_window_and_little_else() {
        for window in [20, 1_000, 60_000] {
            let (recent, older) = recall(window * 8, window);
            assert!(recent >= window * 95 / 100, "{recent} of {window}");
            assert!(older <= window / 10 + 2, "{older} beyond {window}");
        }
    }

    #[test]
    fn what_was_taken_is_forgotten() {
        let mut ghost = Ghost::new();
        ghost.insert(5, 10);
        assert!(ghost.take(5, 10));
        assert!(!ghost.take(5, 10));
    }

    #[test]
    fn an_empty_ghost_knows_nothing() {
        let mut ghost = Ghost::new();
        assert!(!ghost.take(0, 10));
        ghost.insert(1, 10);
        assert!(!ghost.take(0, 10));
    }
}
