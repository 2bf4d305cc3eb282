//! A compact memory of keys that were evicted: fingerprints in buckets, forgotten by age.

/// Fingerprints a bucket holds: one cache line.
const WAYS: usize = 16;
/// Steps into which the time of a full memory is divided.
const STEPS: u64 = 256;
/// Steps that can be told from each other. Where most ghosts are taken long before they would be
/// forgotten, those left may grow this much older than a full memory.
const SPAN: usize = 4 * STEPS as usize;
/// Steps within which all buckets are scrubbed.
const LAP: usize = 1 << 14;

/// A FIFO of the last hashes put in, without those taken since, in about 5 bytes for each instead of
/// a queue of keys. Fingerprints and ages stand in buckets (the layout suggested in S3-FIFO, Yang et
/// al., SOSP 2023, section 4.2). It may forget a few early, and it recalls one hash in some thousands
/// that it never saw.
#[derive(Debug)]
pub(crate) struct Ghost {
    /// Fingerprint in the high half; in the low half the step in which it was put in.
    buckets: Vec<[u32; WAYS]>,
    /// How many of those put in during each step are remembered; a ring.
    remembered: Vec<u32>,
    /// The sum of `remembered`.
    len: u64,
    /// The step now, and the first that is not forgotten.
    now: u64,
    first: u64,
    /// How many more are put in during this step, and how many during a whole one.
    left: u64,
    per_step: u64,
    /// The bucket to be scrubbed next.
    scrubbed: usize,
    /// How many the buckets are laid out for.
    capacity: u64,
}

impl Ghost {
    pub(crate) fn new() -> Self {
        Self {
            buckets: Vec::new(),
            remembered: Vec::new(),
            len: 0,
            now: 0,
            first: 0,
            left: 0,
            per_step: 0,
            scrubbed: 0,
            capacity: 0,
        }
    }

    /// Remembers `hash` and forgets the oldest beyond `most`.
    pub(crate) fn insert(&mut self, hash: u32, most: u64) {
        if most > self.capacity {
            self.lay_out(most);
        }
        if self.left == 0 {
            self.step();
        }
        self.left -= 1;
        let (now, oldest) = (self.now, self.oldest());
        let Some(bucket) = self.bucket(hash) else { return };
        let forgotten = mask(bucket, |slot| age(slot, now) > oldest);
        let place = (forgotten.trailing_zeros() as usize).min(WAYS - 1);
        let gives_way = bucket[place];
        let before = *bucket;
        for i in 1..WAYS {
            bucket[i] = if i <= place { before[i - 1] } else { before[i] };
        }
        bucket[0] = hash << 16 | now as u32 & 0xFFFF;
        if age(gives_way, now) <= oldest {
            self.forget(gives_way);
        }
        self.remembered[now as usize % SPAN] += 1;
        self.len += 1;
        while self.len > most {
            self.forget_first_step();
        }
    }

    /// Whether `hash` is remembered; if so it is forgotten.
    pub(crate) fn take(&mut self, hash: u32) -> bool {
        let (now, oldest) = (self.now, self.oldest());
        let Some(bucket) = self.bucket(hash) else { return false };
        let is_known = |slot| slot >> 16 == hash & 0xFFFF && age(slot, now) <= oldest;
        let known = mask(bucket, is_known);
        if known == 0 {
            return false;
        }
        let slot = &mut bucket[known.trailing_zeros() as usize];
        let taken = std::mem::replace(slot, never(now));
        self.forget(taken);
        true
    }

    /// Starts over with room for `most` hashes. What was remembered is lost, which costs a few
    /// misses each time a growing cache doubles.
    fn lay_out(&mut self, most: u64) {
        self.capacity = if self.capacity == 0 { most } else { most.max(self.capacity * 2) };
        let buckets = (self.capacity * 4 / 3).div_ceil(WAYS as u64).max(4);
        self.per_step = self.capacity.div_ceil(STEPS);
        (self.now, self.first, self.left, self.len) = (0, 0, self.per_step, 0);
        self.buckets = vec![[never(0); WAYS]; buckets as usize];
        self.remembered = vec![0; SPAN];
    }

    fn step(&mut self) {
        self.left = self.per_step;
        self.now += 1;
        if self.now - self.first == SPAN as u64 {
            self.forget_first_step();
        }
        for _ in 0..self.buckets.len().div_ceil(LAP) {
            self.scrub();
        }
    }

    /// Marks what is forgotten in one bucket as too old anew, long before 16 bits overflow and it
    /// would look young.
    fn scrub(&mut self) {
        let (now, oldest) = (self.now, self.oldest());
        self.scrubbed = (self.scrubbed + 1) % self.buckets.len();
        let slots = self.buckets[self.scrubbed].iter_mut();
        slots.filter(|slot| age(**slot, now) > oldest).for_each(|slot| *slot = never(now));
    }

    /// Whether the count of what is remembered agrees with the buckets.
    pub(crate) fn is_consistent(&self) -> bool {
        let is_remembered = |slot: &&u32| age(**slot, self.now) <= self.oldest();
        let slots = self.buckets.as_flattened().iter().filter(is_remembered).count() as u64;
        let steps = self.remembered.iter().map(|&count| u64::from(count)).sum::<u64>();
        slots == self.len && steps == self.len
    }

    fn forget_first_step(&mut self) {
        let forgotten = std::mem::take(&mut self.remembered[self.first as usize % SPAN]);
        self.len -= u64::from(forgotten);
        self.first += 1;
    }

    /// Takes a slot that was still remembered off the counts.
    fn forget(&mut self, slot: u32) {
        let step = self.now - u64::from(age(slot, self.now));
        self.remembered[step as usize % SPAN] -= 1;
        self.len -= 1;
    }

    /// The age in steps up to which slots are remembered.
    fn oldest(&self) -> u16 {
        (self.now - self.first) as u16
    }

    /// The slots of a hash, latest first; `None` before the first layout.
    fn bucket(&mut self, hash: u32) -> Option<&mut [u32; WAYS]> {
        let at = (u64::from(hash) * self.buckets.len() as u64) >> 32;
        self.buckets.get_mut(at as usize)
    }
}

/// How many steps before `now` a slot was filled.
fn age(slot: u32, now: u64) -> u16 {
    (now as u16).wrapping_sub(slot as u16)
}

/// A slot that looks too old to be remembered, until it is scrubbed again.
fn never(now: u64) -> u32 {
    u32::from((now as u16).wrapping_add(1 << 15))
}

/// One bit for each slot for which `holds`. Without a branch, so that it takes a few wide compares.
fn mask(bucket: &[u32; WAYS], holds: impl Fn(u32) -> bool) -> u32 {
    (0..WAYS).fold(0, |mask, i| mask | u32::from(holds(bucket[i])) << i)
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
        let recent = (count - window..count).filter(|&n| ghost.take(hash(n))).count();
        let older = (0..count - window).filter(|&n| ghost.take(hash(n))).count();
        (recent as u64, older as u64)
    }

    #[test]
    fn remembers_the_window_and_little_else() {
        let windows: &[u64] = if cfg!(miri) { &[20] } else { &[20, 1_000, 60_000] };
        for &window in windows {
            let (recent, older) = recall(window * 8, window);
            assert!(recent >= window * 95 / 100, "{recent} of {window}");
            assert!(older <= window / 10 + 2, "{older} beyond {window}");
        }
    }

    #[test]
    fn what_was_taken_is_forgotten() {
        let mut ghost = Ghost::new();
        ghost.insert(5, 10);
        assert!(ghost.take(5));
        assert!(!ghost.take(5));
    }

    #[test]
    fn counts_stay_true_when_ages_overflow() {
        let mut ghost = Ghost::new();
        for n in 0..200_000 {
            ghost.insert(hash(n), 20);
            if n % 3 == 0 {
                ghost.take(hash(n / 2));
                ghost.take(hash(n - n % 7));
            }
            if n % 1_000 == 0 {
                assert!(ghost.is_consistent(), "after {n}");
            }
        }
    }

    #[test]
    fn an_empty_ghost_knows_nothing() {
        let mut ghost = Ghost::new();
        assert!(!ghost.take(0));
        ghost.insert(1, 10);
        assert!(!ghost.take(0));
    }
}
