//! A compact memory of keys that were evicted: fingerprints in buckets, forgotten by age.

/// Fingerprints a bucket holds.
const WAYS: usize = 16;
/// Steps into which the time of a full memory is divided.
const STEPS: u64 = 256;
/// Steps that can be told from each other. Where most ghosts are taken long before they would be
/// forgotten, those left may grow this much older than a full memory.
const SPAN: usize = 4 * STEPS as usize;
/// An age that no ghost has. What is forgotten is brought back to it, bucket by bucket, within `LAP`
/// steps, so that no age ever overflows 15 bits and looks young again.
const FORGOTTEN: u16 = 1 << 14;
const LAP: usize = 1 << 13;

/// A FIFO of the last hashes put in, without those taken since, in about 5 bytes for each instead of
/// a queue of keys. Fingerprints and ages stand in buckets (the layout suggested in S3-FIFO, Yang et
/// al., SOSP 2023, section 4.2). It may forget a few early, and it recalls one hash in some thousands
/// that it never saw.
#[derive(Debug)]
pub(crate) struct Ghost {
    buckets: Vec<Bucket>,
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
        if most == 0 {
            return;
        }
        if most > self.capacity {
            self.lay_out(most);
        }
        if self.left == 0 {
            self.step();
        }
        self.left -= 1;
        let (now, oldest) = (self.now, self.oldest());
        let Some(bucket) = self.bucket(hash) else { return };
        let (place, age) = bucket.oldest(now);
        (bucket.prints[place], bucket.steps[place]) = (hash as u16, now as u16);
        if age <= oldest {
            self.uncount(age);
        }
        self.remembered[now as usize % SPAN] += 1;
        self.len += 1;
        while self.len > most {
            // `most` has shrunk below what this step alone put in.
            if self.first == self.now {
                self.step();
            }
            self.forget_first_step();
        }
    }

    /// Whether `hash` is remembered; if so it is forgotten.
    pub(crate) fn take(&mut self, hash: u32) -> bool {
        let (now, oldest) = (self.now, self.oldest());
        let Some(bucket) = self.bucket(hash) else { return false };
        let Some((place, age)) = bucket.find(hash as u16, now, oldest) else { return false };
        bucket.steps[place] = (now as u16).wrapping_sub(FORGOTTEN);
        self.uncount(age);
        true
    }

    /// Starts over with room for `most` hashes. What was remembered is lost, which costs a few
    /// misses each time a growing cache doubles.
    fn lay_out(&mut self, most: u64) {
        self.capacity = if self.capacity == 0 { most } else { most.max(self.capacity * 2) };
        let buckets = (self.capacity * 4 / 3).div_ceil(WAYS as u64).max(4);
        self.per_step = self.capacity.div_ceil(STEPS);
        (self.now, self.first, self.left, self.len) = (0, 0, self.per_step, 0);
        self.buckets = vec![Bucket::EMPTY; buckets as usize];
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

    fn scrub(&mut self) {
        let (now, oldest) = (self.now, self.oldest());
        self.scrubbed = (self.scrubbed + 1) % self.buckets.len();
        for step in &mut self.buckets[self.scrubbed].steps {
            if age(*step, now) > oldest {
                *step = (now as u16).wrapping_sub(FORGOTTEN);
            }
        }
    }

    /// Whether the count of what is remembered agrees with the buckets.
    pub(crate) fn is_consistent(&self) -> bool {
        let steps = self.buckets.iter().flat_map(|bucket| bucket.steps);
        let held = steps.filter(|&step| age(step, self.now) <= self.oldest()).count() as u64;
        let counted = self.remembered.iter().map(|&count| u64::from(count)).sum::<u64>();
        held == self.len && counted == self.len
    }

    fn forget_first_step(&mut self) {
        let forgotten = std::mem::take(&mut self.remembered[self.first as usize % SPAN]);
        self.len -= u64::from(forgotten);
        self.first += 1;
    }

    /// Takes one that was remembered, and of this age, off the counts.
    fn uncount(&mut self, age: u16) {
        self.remembered[(self.now - u64::from(age)) as usize % SPAN] -= 1;
        self.len -= 1;
    }

    /// The age in steps up to which slots are remembered.
    fn oldest(&self) -> u16 {
        (self.now - self.first) as u16
    }

    /// The bucket of a hash; `None` before the first layout.
    fn bucket(&mut self, hash: u32) -> Option<&mut Bucket> {
        let at = (u64::from(hash) * self.buckets.len() as u64) >> 32;
        self.buckets.get_mut(at as usize)
    }
}

/// Fingerprints, and the steps in which they were put in, in one cache line and in no order.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Bucket {
    prints: [u16; WAYS],
    steps: [u16; WAYS],
}

impl Bucket {
    const EMPTY: Self = Self { prints: [0; WAYS], steps: [0_u16.wrapping_sub(FORGOTTEN); WAYS] };

    /// Place and age of a fingerprint no older than `oldest`.
    fn find(&self, print: u16, now: u64, oldest: u16) -> Option<(usize, u16)> {
        // Most look-ups find nothing, and this takes them a few wide compares.
        if !self.prints.iter().fold(false, |found, &other| found | (other == print)) {
            return None;
        }
        (0..WAYS)
            .map(|place| (place, age(self.steps[place], now)))
            .find(|&(place, age)| self.prints[place] == print && age <= oldest)
    }

    /// Place and age of what was put in first; anything forgotten is older than what is not.
    fn oldest(&self, now: u64) -> (usize, u16) {
        let ages = self.steps.map(|step| age(step, now) as i16);
        let oldest = ages.iter().copied().fold(0, i16::max);
        let place = ages.iter().position(|&age| age == oldest).unwrap_or(0);
        (place, oldest as u16)
    }
}

/// How many steps before `now` something was put in.
fn age(step: u16, now: u64) -> u16 {
    (now as u16).wrapping_sub(step)
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
    fn nothing_of_the_window_is_lost_from_the_start() {
        let mut ghost = Ghost::new();
        (0..6).for_each(|n| ghost.insert(hash(n), 6));
        assert!((0..6).all(|n| ghost.take(hash(n))));
    }

    #[test]
    fn a_window_that_grows_with_every_insertion_remembers_most() {
        let mut ghost = Ghost::new();
        (0..1_500).for_each(|n| ghost.insert(hash(n), n + 1));
        let recalled = (1_100..1_500).filter(|&n| ghost.take(hash(n))).count();
        assert!(recalled > 380, "{recalled} of 400");
    }

    #[test]
    fn what_is_left_stays_in_the_window_where_most_are_taken() {
        let mut ghost = Ghost::new();
        for n in 0..800 {
            ghost.insert(hash(n), 256);
            assert!(n % 4 == 0 || ghost.take(hash(n)));
        }
        let recalled = (0..800).step_by(4).filter(|&n| ghost.take(hash(n))).count();
        assert!(recalled > 190, "{recalled} of 200");
    }

    #[test]
    fn what_was_forgotten_is_never_young_again() {
        let (alone, mut ghost) = (u32::MAX, Ghost::new());
        ghost.insert(alone, 20);
        let others = if cfg!(miri) { 2_000 } else { 140_000 };
        for n in 0..others {
            ghost.insert(n % 1_000, 20);
            assert!(n < SPAN as u32 || !ghost.take(alone), "after {n}");
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
        let insertions = if cfg!(miri) { 300 } else { 200_000 };
        for n in 0..insertions {
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
    fn no_room_means_no_memory() {
        let mut ghost = Ghost::new();
        ghost.insert(5, 0);
        assert!(!ghost.take(5));
        ghost.insert(5, 1);
        ghost.insert(6, 0);
        assert!(ghost.is_consistent());
    }

    #[test]
    fn counts_stay_true_when_the_window_shrinks_below_one_step() {
        let mut ghost = Ghost::new();
        for n in 0..if cfg!(miri) { 1_200 } else { 20_000 } {
            let most = if n / 1_000 % 2 == 0 { 4_000 } else { 1 + n % 3 };
            ghost.insert(hash(n), most);
            ghost.take(hash(n / 2));
            assert!(ghost.len <= most);
            assert!(n % 200 > 0 || ghost.is_consistent(), "after {n}");
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
