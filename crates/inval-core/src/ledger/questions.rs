//! What a store asks of its ledger beyond reads: may this write go ahead, how long does that entry live.

use std::borrow::Borrow;
use std::time::Duration;

use super::{Arrival, Ledger, Refusal, since, tick};
use crate::slab::Id;
use crate::stats::Usage;
use crate::store::{EntryInfo, Lifetime, PutCondition};
use crate::units::{Timestamp, Weight};

/// How much too long ago the last access may be dated.
const VAGUE: Duration = Duration::from_secs(2);

impl<K: Eq, V> Ledger<K, V> {
    /// What is held above the limits. Nothing is, unless one was lowered or the store is a remote one.
    pub fn excess(&self) -> Usage {
        self.books.limits.excess(self.stats.usage)
    }

    /// How long ago the time of that entry passed which has waited longest to be taken off the books.
    pub fn overdue(&mut self, now: Timestamp) -> Duration {
        let now = self.advance(now);
        let first = self.books.deadlines.first_due(now);
        let deadline = first.and_then(|id| self.books.deadlines.get(id));
        Duration::from_millis(deadline.map_or(0, |deadline| now.saturating_sub(deadline)))
    }

    /// How long the entry under `key` has still to live. Counts nothing and leaves the order of
    /// eviction as it is.
    pub fn lifetime<Q>(&self, hash: u64, key: &Q, now: Timestamp) -> Lifetime
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let now = self.not_before(now);
        let Some(id) = self.find(hash as u32, key) else { return Lifetime::Absent };
        match self.books.deadlines.get(id) {
            None => Lifetime::Unlimited,
            Some(deadline) if deadline <= now => Lifetime::Absent,
            Some(deadline) => Lifetime::Remaining(Duration::from_millis(deadline - now)),
        }
    }

    /// What is known of the entry under `key`, times to 16 ms; `None` if there is none or it has expired. Counts
    /// nothing and leaves the order of eviction as it is. Where nothing expires a read may be dated by the
    /// write or upkeep before it; if that is more than two seconds ago, how long the entry has been idle is not
    /// told.
    pub fn inspect<Q>(&self, hash: u64, key: &Q, now: Timestamp) -> Option<EntryInfo>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let id = self.find(hash as u32, key)?;
        (!self.has_expired(id, self.not_before(now))).then(|| self.info(id, now))
    }

    /// The same places as [`page`](Self::page), with what [`inspect`](Self::inspect) tells of the entries instead
    /// of their values.
    pub fn survey(
        &self,
        from: u32,
        most: u32,
        now: Timestamp,
    ) -> (impl Iterator<Item = (&K, EntryInfo)>, Option<u32>) {
        let (ids, next) = self.ids_from(from, most.max(1));
        let live = ids.into_iter().filter(move |&id| !self.has_expired(id, self.not_before(now)));
        (live.map(move |id| (self.key(id), self.info(id, now))), next)
    }

    fn info(&self, id: Id, now: Timestamp) -> EntryInfo {
        let left = |deadline: u64| deadline.saturating_sub(self.not_before(now));
        let lifetime = self.books.deadlines.get(id).map_or(Lifetime::Unlimited, |deadline| {
            Lifetime::Remaining(Duration::from_millis(left(deadline)))
        });
        let touched = self.books.slab.entry(id).touched;
        let idle = self.since(touched, now);
        let is_dated = touched != tick(self.now) || self.has_deadlines() || idle <= VAGUE;
        let weight = Some(Weight::new(self.weight(id)));
        EntryInfo { weight, lifetime, idle: is_dated.then_some(idle), age: self.age(id, now) }
    }

    /// How long before `now` a coarse tick was.
    pub(super) fn since(&self, then: u32, now: Timestamp) -> Duration {
        Duration::from_millis(since(self.not_before(now), then))
    }

    /// Whether a write on a condition may go ahead, by [`insert`](Self::insert) at the same `now`. If
    /// not, nothing is changed but for the count of rejections. A write on no condition may always go
    /// ahead: it tells itself whether it is rejected.
    pub fn judge(
        &mut self,
        arrival: &Arrival<K, V>,
        condition: PutCondition,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let is_there = || self.peek(arrival.hash, &arrival.key, now).is_some();
        let is_met = match condition {
            PutCondition::Always => return Ok(()),
            PutCondition::IfAbsent => !is_there(),
            PutCondition::IfPresent => is_there(),
        };
        if !is_met {
            return Err(Refusal::Unmet);
        }
        let time_to_live = self.config.time_to_live(arrival.ttl, 0.0);
        self.check_weight(arrival.weight).and(time_to_live.map(|_| ())).map_err(|rejection| {
            self.stats.rejected += 1;
            Refusal::Rejected(rejection)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PutCondition::{Always, IfAbsent, IfPresent};
    use crate::{Config, ConfigBuilder, Rejection, Weight};

    type Books = Ledger<u64, ()>;

    fn arrival(key: u64, weight: u32, ttl_ms: Option<u64>) -> Arrival<u64, ()> {
        let ttl = ttl_ms.map(Duration::from_millis);
        Arrival { hash: key, key, value: (), weight: Weight::new(weight), ttl }
    }

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn ledger(config: ConfigBuilder, entries: &[(u64, Option<u64>)]) -> Books {
        let mut ledger = Ledger::new(&config.build().unwrap());
        for (key, ttl_ms) in entries {
            ledger.insert(arrival(*key, 1, *ttl_ms), at(0), &mut Vec::new()).unwrap();
        }
        ledger
    }

    #[test]
    fn lifetimes_end_at_the_deadline() {
        let check = |ledger: &Books, key: u64, now: u64, want: Lifetime| {
            assert_eq!(ledger.lifetime(key, &key, at(now)), want, "{key} at {now}");
        };
        let left = |ms: u64| Lifetime::Remaining(Duration::from_millis(ms));
        let books = ledger(Config::builder().max_entries(9), &[(1, None), (2, Some(10))]);
        check(&books, 1, 1 << 50, Lifetime::Unlimited);
        check(&books, 2, 0, left(10));
        check(&books, 2, 9, left(1));
        check(&books, 2, 10, Lifetime::Absent);
        check(&books, 3, 0, Lifetime::Absent);
        let idle = Config::builder().time_to_idle(Duration::from_millis(10));
        let mut books = ledger(idle, &[(1, None), (2, Some(5))]);
        assert_eq!(books.get(1, &1, at(4)), Some(&()));
        check(&books, 1, 4, left(10));
        check(&books, 1, 6, left(8));
        check(&books, 2, 4, left(1));
    }

    #[test]
    fn an_inspection_tells_times_as_they_are() {
        let check = |books: &Books, key: u64, now: u64, want: (Option<u64>, Option<u64>)| {
            let info = books.inspect(key, &key, at(now)).unwrap();
            let ms = |time: Option<Duration>| time.map(|time| time.as_millis() as u64);
            assert_eq!((ms(info.idle), ms(info.age)), want, "{key} at {now}");
        };
        let mut books = ledger(Config::builder().max_entries(9), &[(1, None), (2, None)]);
        check(&books, 1, 1_600, (Some(1_600), Some(1_600)));
        // It may have been read without a time since.
        check(&books, 1, 16_000, (None, Some(16_000)));
        books.get(1, &1, at(160));
        check(&books, 1, 320, (Some(160), Some(320)));
        check(&books, 2, 16_000, (Some(16_000), Some(16_000)));
        books.maintain(at(16_000), 1, &mut Vec::new());
        check(&books, 1, 16_000, (Some(15_840), Some(16_000)));
        let expiring = ledger(Config::builder().max_entries(9), &[(1, None), (2, Some(1 << 20))]);
        check(&expiring, 1, 16_000, (Some(16_000), Some(16_000)));
        assert_eq!(expiring.inspect(3, &3, at(0)), None);
        assert_eq!(expiring.inspect(2, &2, at(1 << 20)), None);
    }

    #[test]
    fn what_is_overdue_is_told_by_the_soonest_deadline() {
        let mut books = ledger(Config::builder().max_entries(9), &[(1, Some(30)), (2, Some(10))]);
        let mut check = |now: u64, want: u64| {
            assert_eq!(books.overdue(at(now)), Duration::from_millis(want), "at {now}");
        };
        check(9, 0);
        check(10, 0);
        check(35, 25);
        books.maintain(at(35), 1, &mut Vec::new());
        assert_eq!(books.overdue(at(35)), Duration::from_millis(5));
        books.maintain(at(35), 1, &mut Vec::new());
        assert_eq!(books.overdue(at(99)), Duration::ZERO);
    }

    #[test]
    fn a_survey_tells_of_what_is_alive() {
        let config = Config::builder().max_entries(9);
        let mut books = ledger(config, &[(1, None), (2, Some(100)), (3, Some(10)), (4, None)]);
        books.insert(arrival(1, 7, None), at(64), &mut Vec::new()).unwrap();
        assert_eq!(books.get(4, &4, at(80)), Some(&()));
        books.remove(3, &3, at(80));
        let check = |from: u32, most: u32, want: &[(u64, u32, Option<u64>, u64, u64)], next| {
            let (entries, place) = books.survey(from, most, at(96));
            let ms = |time: Option<Duration>| time.unwrap().as_millis() as u64;
            let got: Vec<_> = entries
                .map(|(key, info)| {
                    let left = match info.lifetime {
                        Lifetime::Remaining(left) => Some(left.as_millis() as u64),
                        _ => None,
                    };
                    (*key, info.weight.unwrap().bytes(), left, ms(info.idle), ms(info.age))
                })
                .collect();
            assert_eq!((&got[..], place), (want, next), "{from} {most}");
        };
        let [one, two, four] =
            [(1, 7, None, 32, 32), (2, 1, Some(4), 96, 96), (4, 1, None, 16, 96)];
        check(0, 9, &[one, two, four], None);
        check(0, 2, &[one, two], Some(2));
        check(2, 0, &[], Some(3));
        check(3, 1, &[four], None);
        check(4, 1, &[], None);
        check(u32::MAX, u32::MAX, &[], None);
        assert_eq!(books.survey(0, 9, at(100)).0.count(), 2);
        assert_eq!((books.stats().hits, books.stats().misses), (1, 0));
        assert_eq!(books.get(3, &3, at(100)), None);
        assert_eq!((books.stats().hits, books.stats().misses), (1, 1));
    }

    #[test]
    fn a_condition_is_judged_by_what_is_alive() {
        let mut books = ledger(Config::builder().max_bytes(9), &[(1, None), (2, Some(10))]);
        let mut check = |key: u64, condition: PutCondition, now: u64, want: Result<(), Refusal>| {
            assert_eq!(books.judge(&arrival(key, 1, None), condition, at(now)), want);
        };
        for now in [0, 9] {
            check(1, IfAbsent, now, Err(Refusal::Unmet));
            check(2, IfAbsent, now, Err(Refusal::Unmet));
            check(3, IfAbsent, now, Ok(()));
            check(1, IfPresent, now, Ok(()));
            check(2, IfPresent, now, Ok(()));
            check(3, IfPresent, now, Err(Refusal::Unmet));
        }
        check(2, IfAbsent, 10, Ok(()));
        check(2, IfPresent, 10, Err(Refusal::Unmet));
        assert_eq!(books.stats().rejected, 0);
        assert_eq!(books.validate(), Ok(()));
    }

    #[test]
    fn a_rejection_is_counted_and_changes_nothing_else() {
        let mut books = ledger(Config::builder().max_bytes(9), &[(1, None)]);
        let before = books.stats();
        let mut check = |arrival: Arrival<u64, ()>, condition, want: Result<(), Refusal>| {
            assert_eq!(books.judge(&arrival, condition, at(0)), want);
        };
        let heavy = Rejection::TooHeavy { weight: 10, max_bytes: 9 };
        check(arrival(1, 10, None), IfPresent, Err(heavy.into()));
        check(arrival(2, 10, None), IfAbsent, Err(heavy.into()));
        check(arrival(1, 1, Some(0)), IfPresent, Err(Rejection::NoTimeToLive.into()));
        check(arrival(1, 10, Some(0)), IfAbsent, Err(Refusal::Unmet));
        check(arrival(1, 10, Some(0)), Always, Ok(()));
        assert_eq!(books.stats(), crate::Stats { rejected: 3, ..before });
    }
}
