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
        let now = self.time();
        let bucket = self.bucket(hash);
        let age = |slot: &u32| now.wrapping_sub(*slot as u16);
        if let Some(oldest) = self.slots[bucket].iter_mut().max_by_key(|slot| age(slot)) {
            *oldest = hash << 16 | u32::from(now);
        }
    }

    /// Whether `hash` is among the last `window` that were put in; if so it is forgotten.
    pub(crate) fn take(&mut self, hash: u32, window: u64) -> bool {
        if self.slots.is_empty() {
            return false;
        }
        let (now, oldest) = (self.time(), (window >> self.unit) as u16);
        let bucket = self.bucket(hash);
        let known = |slot: &&mut u32| {
            **slot >> 16 == hash & 0xFFFF && now.wrapping_sub(**slot as u16) <= oldest
        };
        match self.slots[bucket].iter_mut().find(known) {
            Some(slot) => {
                *slot = u32::from(now.wrapping_add(1 << 15));
                true
            }
            None => false,
        }
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

    fn bucket(&self, hash: u32) -> std::ops::Range<usize> {
        let buckets = (self.slots.len() / WAYS) as u64;
        let start = ((u64::from(hash) * buckets) >> 32) as usize * WAYS;
        start..start + WAYS
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
