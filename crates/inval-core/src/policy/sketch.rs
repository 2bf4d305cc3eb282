//! A frequency sketch: how often a hash was seen of late, in four bits.

/// A count-min sketch of 4-bit counters that are all halved once in a while (TinyLFU, Einziger et
/// al., ACM ToS 2017). The four counters of a hash lie in one cache line.
#[derive(Debug)]
pub(crate) struct Sketch {
    /// Sixteen counters in each word, eight words in each block.
    words: Vec<u64>,
    additions: u64,
    /// Entries it was made ready for, rounded up to a power of two.
    entries: u64,
}

const BLOCK: usize = 8;
/// With fewer words, the many keys that pass through a small cache would collide too often.
const LEAST_WORDS: usize = 512;
const LOW_BITS: u64 = 0x1111_1111_1111_1111;
/// Counters are halved after this many additions per entry.
const ADDITIONS_PER_ENTRY: u64 = 10;

impl Sketch {
    pub(crate) fn new() -> Self {
        Self { words: Vec::new(), additions: 0, entries: 0 }
    }

    /// Has at least one word for each of `entries`. Growing keeps all counts.
    pub(crate) fn ensure(&mut self, entries: u64) {
        self.entries = self.entries.max(entries.next_power_of_two());
        let wanted = self.entries.max(LEAST_WORDS as u64) as usize;
        while self.words.len() < wanted {
            if self.words.is_empty() {
                self.words.resize(wanted, 0);
            } else {
                // A block's index gains a high bit, so a copy holds the counts of both halves.
                self.words.extend_from_within(..);
            }
        }
    }

    /// Counts one more occurrence of `hash`.
    pub(crate) fn add(&mut self, hash: u32) {
        let mut added = false;
        for (word, shift) in self.counters(hash).into_iter().flatten() {
            if self.words[word] >> shift & 15 < 15 {
                self.words[word] += 1 << shift;
                added = true;
            }
        }
        self.additions += u64::from(added);
        if added && self.additions >= ADDITIONS_PER_ENTRY * self.entries {
            self.halve();
        }
    }

    /// How often `hash` was counted of late, from 0 to 15; never less than it was, save for halving.
    pub(crate) fn estimate(&self, hash: u32) -> u8 {
        let counters = self.counters(hash).into_iter().flatten();
        counters.map(|(word, shift)| (self.words[word] >> shift & 15) as u8).min().unwrap_or(0)
    }

    fn halve(&mut self) {
        let mut odd = 0;
        for word in &mut self.words {
            odd += u64::from((*word & LOW_BITS).count_ones());
            *word = *word >> 1 & !(LOW_BITS << 3);
        }
        self.additions = self.additions.saturating_sub(odd / 4) / 2;
    }

    /// Word and shift of the four counters of `hash`; `None` while there are no words.
    fn counters(&self, hash: u32) -> Option<[(usize, u32); 4]> {
        let blocks = (self.words.len() / BLOCK).checked_sub(1)?;
        let mixed = (u64::from(hash) + 1).wrapping_mul(0x9FB2_1C65_1E98_DF25);
        let mixed = (mixed ^ mixed >> 32).wrapping_mul(0x9FB2_1C65_1E98_DF25);
        let block = (mixed >> 32) as usize & blocks;
        Some([0, 1, 2, 3].map(|i| {
            let bits = mixed >> (i * 5);
            let word = block * BLOCK + 2 * i + (bits & 1) as usize;
            (word, (bits >> 1 & 15) as u32 * 4)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "takes thousands of additions")]
    fn never_estimates_too_low_and_seldom_too_high() {
        let mut sketch = Sketch::new();
        sketch.ensure(1024);
        let times = |n: u32| n % 4;
        (0..1024).for_each(|n| (0..times(n)).for_each(|_| sketch.add(n)));
        assert!((0..1024).all(|n| u32::from(sketch.estimate(n)) >= times(n)));
        let wrong = (0..1024).filter(|&n| u32::from(sketch.estimate(n)) != times(n)).count();
        assert!(wrong < 50, "{wrong}");
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes thousands of additions")]
    fn counts_stop_at_fifteen_and_are_halved_in_time() {
        let mut sketch = Sketch::new();
        sketch.ensure(512);
        (0..100).for_each(|_| sketch.add(7));
        assert_eq!(sketch.estimate(7), 15);
        (0..6_000).for_each(|n| sketch.add(1_000 + n));
        assert!(sketch.estimate(7) <= 9, "{}", sketch.estimate(7));
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes thousands of additions")]
    fn halving_keeps_the_count_of_additions_in_range() {
        let mut sketch = Sketch::new();
        sketch.ensure(1);
        for n in 0..10_000 {
            sketch.add(n);
            assert!(sketch.additions < ADDITIONS_PER_ENTRY, "after {n}");
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "takes thousands of additions")]
    fn halving_takes_half_of_every_count_and_of_the_additions() {
        let mut sketch = Sketch::new();
        sketch.ensure(4_096);
        (0..1_024).for_each(|n| (0..n % 16).for_each(|_| sketch.add(n)));
        for _ in 0..3 {
            let before: Vec<u8> = (0..1_024).map(|n| sketch.estimate(n)).collect();
            sketch.halve();
            assert!((0..).zip(before).all(|(n, before)| sketch.estimate(n) == before / 2));
            let counters =
                sketch.words.iter().flat_map(|word| (0..16).map(move |i| word >> (4 * i) & 15));
            let counted = counters.sum::<u64>() / 4;
            assert!(sketch.additions.abs_diff(counted) < 200, "{} for {counted}", sketch.additions);
        }
    }

    #[test]
    fn growing_keeps_the_counts() {
        let mut sketch = Sketch::new();
        assert_eq!(sketch.estimate(7), 0);
        sketch.ensure(8);
        (0..5).for_each(|_| sketch.add(7));
        sketch.ensure(10_000);
        assert_eq!(sketch.estimate(7), 5);
    }
}
