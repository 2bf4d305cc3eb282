//! What a ledger counts: usage, hits and misses, removals by cause, ages at eviction.

use std::ops::AddAssign;

/// Why an entry left. The causes are never mixed: each has its own counters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RemovalCause {
    /// Its time had passed.
    Expired,
    /// It had to make room, so that a limit is kept.
    Evicted,
    /// Somebody asked for it to go.
    Invalidated,
    /// It was overwritten by a newer value.
    Replaced,
    /// It was no longer there when it was looked for, and nobody had told: another program deleted
    /// it, or the server did. Happens only to remote stores.
    Vanished,
}

impl RemovalCause {
    /// All causes.
    pub const ALL: [Self; 5] =
        [Self::Expired, Self::Evicted, Self::Invalidated, Self::Replaced, Self::Vanished];
}

/// A number of entries and the sum of their weights in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// How many entries.
    pub entries: u64,
    /// The sum of their weights, in bytes.
    pub bytes: u64,
}

impl Usage {
    pub(crate) fn add(&mut self, weight: u32) {
        self.entries += 1;
        self.bytes += u64::from(weight);
    }

    pub(crate) fn subtract(&mut self, weight: u32) {
        self.entries -= 1;
        self.bytes -= u64::from(weight);
    }

    pub(crate) fn max(self, other: Self) -> Self {
        Self { entries: self.entries.max(other.entries), bytes: self.bytes.max(other.bytes) }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.bytes += other.bytes;
    }
}

/// How many observations fell between powers of two. The unit is that of the field which holds it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Histogram {
    counts: [u64; Self::BUCKETS],
    sum: u64,
}

impl Histogram {
    pub(crate) const BUCKETS: usize = 42;

    /// Notes one observation.
    pub fn record(&mut self, value: u64) {
        let bucket = (u64::BITS - value.leading_zeros()) as usize;
        self.counts[bucket.min(Self::BUCKETS - 1)] += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// What is in a bucket, and the sum of everything, to be filled from elsewhere.
    pub(crate) fn places(&mut self) -> (&mut [u64; Self::BUCKETS], &mut u64) {
        (&mut self.counts, &mut self.sum)
    }

    pub(crate) fn counts(&self) -> &[u64; Self::BUCKETS] {
        &self.counts
    }

    /// The buckets in rising order, each as its upper bound (inclusive) and the number of observations
    /// in it alone. The last bucket takes everything above and has no bound.
    pub fn buckets(&self) -> impl Iterator<Item = (Option<u64>, u64)> + '_ {
        let bound = |i: usize| (i + 1 < Self::BUCKETS).then(|| (1 << i) - 1);
        self.counts.iter().enumerate().map(move |(i, &count)| (bound(i), count))
    }

    /// How many observations there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The sum of all observations.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// The upper bound of the bucket in which the quantile `q` (0 to 1) lies; `None` while there is no
    /// observation, or where it lies in the last, unbounded bucket.
    pub fn quantile(&self, q: f64) -> Option<u64> {
        let rank = (q.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        self.buckets()
            .find(|(_, count)| {
                seen = count.saturating_add(seen);
                seen >= rank
            })?
            .0
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; Self::BUCKETS], sum: 0 }
    }
}

impl AddAssign<&Self> for Histogram {
    fn add_assign(&mut self, other: &Self) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine = mine.saturating_add(theirs);
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// Everything counted since a ledger was made. All of it is kept as operations happen; reading it
/// walks over no entries. At any moment
/// `inserted = usage + expired + evicted + invalidated + replaced + vanished`, in entries and in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Reads that found a live entry.
    pub hits: u64,
    /// Reads that found none, or an expired one.
    pub misses: u64,
    /// Writes taken in, overwriting ones among them.
    pub inserted: Usage,
    /// Writes refused: heavier than the limit in bytes, or with no time to live.
    pub rejected: u64,
    /// Entries gone because their time had passed.
    pub expired: Usage,
    /// Entries gone to keep a limit.
    pub evicted: Usage,
    /// Entries gone because somebody asked.
    pub invalidated: Usage,
    /// Entries overwritten.
    pub replaced: Usage,
    /// Entries gone for a reason that nobody told.
    pub vanished: Usage,
    /// What is held now, expired entries that still await collection included.
    pub usage: Usage,
    /// The highest `usage` so far, in entries and in bytes separately. Over several ledgers it is
    /// the sum of their peaks: an upper bound.
    pub peak: Usage,
    /// How long ago evicted entries had been written, in milliseconds, to 16 ms and up to two years. Those of which
    /// nobody knows are left out: on a remote store what a manager found there and was not told of.
    pub evicted_age: Histogram,
    /// How long ago evicted entries had last been read or written, in milliseconds, to 16 ms and up to two
    /// years; to a second on remote stores, and left out where the server does not tell.
    pub evicted_idle: Histogram,
    /// Entries whose books were put right by a look at the server. 0 but on remote stores.
    pub repaired: u64,
    /// Records of a journal that could not be read. 0 but on remote stores.
    pub poisoned: u64,
    /// Journals that were dropped because they had grown beyond their cap. 0 but on remote stores.
    pub dropped_journals: u64,
}

impl Stats {
    /// The share of reads that missed, from 0 to 1; `None` before the first read.
    pub fn miss_ratio(&self) -> Option<f64> {
        let reads = self.hits + self.misses;
        (reads > 0).then(|| self.misses as f64 / reads as f64)
    }

    /// What was removed by `cause`.
    pub fn removed(&self, cause: RemovalCause) -> Usage {
        match cause {
            RemovalCause::Expired => self.expired,
            RemovalCause::Evicted => self.evicted,
            RemovalCause::Invalidated => self.invalidated,
            RemovalCause::Replaced => self.replaced,
            RemovalCause::Vanished => self.vanished,
        }
    }

    /// What was removed by all causes together.
    pub fn removed_in_all(&self) -> Usage {
        let mut removed = Usage::default();
        RemovalCause::ALL.iter().for_each(|&cause| removed += self.removed(cause));
        removed
    }

    pub(crate) fn removed_mut(&mut self, cause: RemovalCause) -> &mut Usage {
        match cause {
            RemovalCause::Expired => &mut self.expired,
            RemovalCause::Evicted => &mut self.evicted,
            RemovalCause::Invalidated => &mut self.invalidated,
            RemovalCause::Replaced => &mut self.replaced,
            RemovalCause::Vanished => &mut self.vanished,
        }
    }

    pub(crate) fn count_removal(&mut self, cause: RemovalCause, weight: u32) {
        self.removed_mut(cause).add(weight);
    }
}

impl AddAssign<&Self> for Stats {
    fn add_assign(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.inserted += other.inserted;
        self.rejected += other.rejected;
        self.expired += other.expired;
        self.evicted += other.evicted;
        self.invalidated += other.invalidated;
        self.replaced += other.replaced;
        self.vanished += other.vanished;
        self.usage += other.usage;
        self.peak += other.peak;
        self.evicted_age += &other.evicted_age;
        self.evicted_idle += &other.evicted_idle;
        self.repaired += other.repaired;
        self.poisoned += other.poisoned;
        self.dropped_journals += other.dropped_journals;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_sorts_by_powers_of_two() {
        let mut histogram = Histogram::default();
        for ms in [0, 1, 2, 3, 4, 1_000, u64::MAX] {
            histogram.record(ms);
        }
        let filled: Vec<_> = histogram.buckets().filter(|(_, count)| *count > 0).collect();
        let want =
            [(Some(0), 1), (Some(1), 1), (Some(3), 2), (Some(7), 1), (Some(1023), 1), (None, 1)];
        assert_eq!(filled, want);
        assert_eq!(histogram.count(), 7);
        assert_eq!(histogram.quantile(0.5), Some(3));
        assert_eq!(histogram.quantile(1.0), None);
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn sums_of_statistics_add_every_field() {
        let mut one = Stats { hits: 1, misses: 2, rejected: 3, ..Stats::default() };
        one.count_removal(RemovalCause::Evicted, 10);
        one.evicted_age.record(5);
        let mut two = one.clone();
        two += &one;
        assert_eq!((two.hits, two.misses, two.rejected), (2, 4, 6));
        assert_eq!(two.removed(RemovalCause::Evicted), Usage { entries: 2, bytes: 20 });
        assert_eq!(two.evicted_age.count(), 2);
        assert_eq!(two.miss_ratio(), Some(4.0 / 6.0));
    }
}
