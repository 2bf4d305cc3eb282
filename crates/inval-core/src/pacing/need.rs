//! What there is left to do for a partition, and how long it has been.

use std::time::Duration;

use super::debt::Debt;
use crate::store::{Slice, Standing};

/// How much more is guessed to be left with each slice that ends with work left.
const GROWTH: u64 = 8;

/// What a partition's upkeep owes, as its slices tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Need {
    /// Changes not booked yet.
    journal: Debt,
    /// Entries above the limits.
    limit: Debt,
    /// The bytes above the limits, and how many of them go with an entry that is evicted, at least; 0 if that was
    /// never seen.
    excess_bytes: u64,
    bytes_each: u64,
    /// How many entries there may be that the store does not count, but knows that there are.
    uncounted: u64,
    is_pressing: bool,
    is_rebuilding: bool,
    /// Until the store wants to be called.
    next_in: Duration,
    /// How long that is past, or the first entry left is overdue, at most.
    late: Duration,
}

impl Need {
    /// Learns what a slice has done and left, `since` the one before.
    pub(super) fn learn(&mut self, slice: &Slice, since: Duration) {
        let Slice { records, evicted, backlog, overdue, next, .. } = *slice;
        self.weigh(slice);
        // What is above the limits may have come with the oldest of what was booked.
        let waited = self.journal.age().max(since);
        self.journal.settle(records, backlog, since);
        self.limit.settle(evicted, self.entries_above(slice), waited);
        let done = entries_of(slice);
        self.is_pressing = next.is_zero() && self.counted() < done.max(1);
        self.guess(slice, done);
        self.is_rebuilding = slice.standing == Standing::Rebuilding;
        self.next_in = next;
        self.late = if next.is_zero() { overdue } else { Duration::ZERO };
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.journal.pass(elapsed);
        self.limit.pass(elapsed);
        self.late = self.late.saturating_add(elapsed.saturating_sub(self.next_in));
        self.next_in = self.next_in.saturating_sub(elapsed);
    }

    /// Entries left of which the store says how many they are.
    pub(super) fn counted(&self) -> u64 {
        self.journal.owed().saturating_add(self.limit.owed())
    }

    /// Entries left of which it only says that there are some: a guess that grows as long as there are.
    pub(super) fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// Whether there was something above the limits, or there may be, for the books are not true yet.
    pub(super) fn may_be_above_limit(&self) -> bool {
        self.limit.owed() > 0 || self.is_rebuilding
    }

    /// How late upkeep is.
    pub(super) fn lag(&self) -> Duration {
        self.lag_after(Duration::ZERO)
    }

    /// How late it will be if nothing is done for so long.
    pub(super) fn lag_after(&self, elapsed: Duration) -> Duration {
        let owed = [&self.journal, &self.limit].into_iter().filter(|debt| debt.owed() > 0);
        let oldest = owed.map(|debt| debt.age().saturating_add(elapsed)).max();
        let late = self.late.saturating_add(elapsed.saturating_sub(self.next_in));
        late.max(oldest.unwrap_or_default())
    }

    /// Whether the store had more to do at once than it counts, be it entries or other work.
    pub(super) fn is_pressing(&self) -> bool {
        self.is_pressing
    }

    /// Until the store wants to be called; zero if that is past.
    pub(super) fn next_in(&self) -> Duration {
        self.next_in
    }

    /// How long that is past, or the first entry left is overdue, at most.
    pub(super) fn late(&self) -> Duration {
        self.late
    }

    /// Guesses how many entries are left of those that the store does not count: the expired, and the bytes above the
    /// limits as long as it is not known what an entry weighs.
    fn guess(&mut self, slice: &Slice, done: u64) {
        let is_weighed = self.excess_bytes == 0 || self.bytes_each > 0;
        let found = slice.expired.saturating_add(if is_weighed { 0 } else { slice.evicted });
        let is_most = found >= done.div_ceil(2);
        let may_be_more = slice.next.is_zero() && found > 0 && (self.is_pressing || is_most);
        self.uncounted = if may_be_more {
            self.uncounted.saturating_mul(GROWTH).max(found.saturating_mul(2))
        } else {
            0
        };
    }

    /// How many entries have to be evicted, as far as is known: at least one if there is anything above.
    fn entries_above(&self, slice: &Slice) -> u64 {
        let by_bytes = slice.excess.bytes.checked_div(self.bytes_each).unwrap_or(0);
        let least = u64::from(slice.excess.bytes > 0);
        slice.excess.entries.max(by_bytes).max(least)
    }

    /// Learns how much weight goes with an entry. What was written meanwhile makes it seem less, so the most that was
    /// seen is nearest; it fades, for weights change.
    fn weigh(&mut self, slice: &Slice) {
        let bytes = slice.excess.bytes;
        if let Some(each) = self.excess_bytes.saturating_sub(bytes).checked_div(slice.evicted) {
            self.bytes_each = each.max(self.bytes_each - self.bytes_each / 64);
        }
        self.excess_bytes = bytes;
    }
}

/// How many entries and changes a slice has dealt with.
pub(super) fn entries_of(slice: &Slice) -> u64 {
    let Slice { records, evicted, expired, spared, .. } = *slice;
    records.saturating_add(evicted).saturating_add(expired).saturating_add(spared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Usage;

    const MS: Duration = Duration::from_millis(1);

    fn excess(bytes: u64) -> Usage {
        Usage { entries: 0, bytes }
    }

    #[test]
    fn what_is_not_counted_is_guessed_to_be_more_and_more() {
        let mut need = Need::default();
        let mut check = |records, expired, backlog, next, want| {
            let slice = Slice { records, expired, backlog, next, ..Slice::default() };
            need.learn(&slice, MS);
            assert_eq!((need.uncounted(), need.is_pressing()), want);
        };
        check(0, 100, 0, Duration::ZERO, (200, true));
        check(0, 100, 0, Duration::ZERO, (1_600, true));
        check(0, 100, 0, Duration::ZERO, (12_800, true));
        check(0, 100, 0, MS, (0, false));
        // What is counted explains that there is more to do, unless it was not what the slice dealt with.
        check(100, 0, 100, Duration::ZERO, (0, false));
        check(99, 1, 100, Duration::ZERO, (0, false));
        check(50, 50, 100, Duration::ZERO, (100, false));
        // Other work, such as a scan, is no entries.
        check(100, 0, 0, Duration::ZERO, (0, true));
        check(0, 0, 0, Duration::ZERO, (0, true));
    }

    #[test]
    fn bytes_of_unknown_entries_are_not_counted() {
        let mut need = Need::default();
        let mut check = |evicted, bytes, want| {
            need.learn(&Slice { evicted, excess: excess(bytes), ..Slice::default() }, MS);
            assert_eq!((need.counted(), need.uncounted()), want);
        };
        check(10, 50_000, (1, 20));
        check(10, 51_000, (1, 160));
        check(10, 50_000, (500, 0));
    }

    #[test]
    fn lag_counts_from_when_the_store_wanted_to_be_called() {
        let mut need = Need::default();
        need.learn(&Slice { overdue: 30 * MS, next: 20 * MS, ..Slice::default() }, MS);
        need.pass(15 * MS);
        assert_eq!((need.lag(), need.next_in()), (Duration::ZERO, 5 * MS));
        need.pass(15 * MS);
        assert_eq!((need.lag(), need.next_in()), (10 * MS, Duration::ZERO));
        need.learn(&Slice { overdue: 30 * MS, ..Slice::default() }, MS);
        need.pass(MS);
        assert_eq!(need.lag(), 31 * MS);
    }

    #[test]
    fn bytes_above_the_limit_are_weighed_in_entries() {
        let mut need = Need::default();
        let mut check = |evicted, bytes, owed, lag| {
            need.pass(10 * MS);
            let slice = Slice { evicted, excess: excess(bytes), next: MS, ..Slice::default() };
            need.learn(&slice, 10 * MS);
            assert_eq!((need.counted(), need.may_be_above_limit()), (owed, bytes > 0));
            assert_eq!(need.lag().as_millis(), lag);
        };
        check(0, 50_000, 1, 10);
        check(10, 49_000, 490, 9);
        check(10, 48_000, 480, 19);
        // As much came as went, which tells nothing of weights; what was known of them fades.
        check(480, 48_000, 484, 10);
        check(484, 0, 0, 0);
    }

    #[test]
    fn bytes_above_the_limit_that_come_and_go_do_not_grow_old() {
        let mut need = Need::default();
        for slice in 0..1_000 {
            need.pass(10 * MS);
            // 50 entries of 1,000 bytes go, and about as many come.
            let excess = excess([45_000, 40_000, 42_000][slice % 3]);
            need.learn(&Slice { evicted: 50, excess, next: MS, ..Slice::default() }, 10 * MS);
            assert!(need.lag() <= 200 * MS, "{:?}", need.lag());
        }
    }
}
