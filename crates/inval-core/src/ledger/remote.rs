//! The ledger of a remote store: writes are booked after the fact, removals are asked for and confirmed.

use std::borrow::Borrow;
use std::time::Duration;

use super::{Arrival, Ledger, Removed, TICK_BITS, tick};
use crate::policy::OnHit;
use crate::slab::Id;
use crate::stats::{RemovalCause, Stats, Usage};
use crate::units::Timestamp;

/// An entry that the policy would let go, out of its queue until the store has decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Held {
    pub(crate) id: Id,
    /// When it expires, in milliseconds; its timer is off meanwhile.
    pub(crate) deadline: Option<u64>,
}

impl<K: Eq, V> Ledger<K, V> {
    /// The entry under `key`, whether or not its time has passed.
    pub(crate) fn locate<Q>(&self, hash: u64, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.find(hash as u32, key)
    }

    /// The entry under an id that is known to be live.
    pub(crate) fn key(&self, id: Id) -> &K {
        &self.books.slab.entry(id).key
    }

    pub(crate) fn value(&self, id: Id) -> &V {
        &self.books.slab.entry(id).value
    }

    pub(crate) fn value_mut(&mut self, id: Id) -> &mut V {
        &mut self.books.slab.entry_mut(id).value
    }

    pub(crate) fn weight(&self, id: Id) -> u32 {
        self.books.slab.node(id).weight
    }

    pub(crate) fn deadline(&self, id: Id) -> Option<u64> {
        self.books.deadlines.get(id)
    }

    /// When the entry was last accessed as far as is known, rounded up to what the ledger can tell.
    pub(crate) fn accessed(&self, id: Id) -> Timestamp {
        let age = tick(self.now).wrapping_sub(self.books.slab.entry(id).touched);
        let at = (self.now >> TICK_BITS).saturating_sub(u64::from(age)) << TICK_BITS;
        Timestamp::from_millis((at + (1 << TICK_BITS) - 1).min(self.now))
    }

    /// How long ago the entry was written, if that is known.
    pub(crate) fn age(&self, id: Id, now: Timestamp) -> Option<Duration> {
        let is_found = self.books.slab.entry(id).is_found;
        (!is_found).then(|| self.since(self.books.slab.node(id).born, now))
    }

    /// Books a write that has happened, over whatever was there. Nothing is evicted for it. The entry
    /// must not be held.
    pub(crate) fn book(
        &mut self,
        arrival: Arrival<K, V>,
        deadline: Option<u64>,
        now: Timestamp,
    ) -> (Id, Option<Removed<K, V>>) {
        let now = self.advance(now);
        match self.find(arrival.hash as u32, &arrival.key) {
            Some(id) if !self.has_expired(id, now) => {
                let replaced = self.overwrite(id, arrival, deadline, now);
                (id, Some(replaced))
            }
            found => {
                let expired = found.and_then(|id| self.take(id, RemovalCause::Expired, now));
                (self.admit(arrival, deadline, now), expired)
            }
        }
    }

    /// Takes an entry off the books that is gone. It must not be held.
    pub(crate) fn unbook(&mut self, id: Id, cause: RemovalCause) -> Option<Removed<K, V>> {
        self.take(id, cause, self.now)
    }

    /// Notes an access to an entry at `at`, which may lie in the past.
    pub(crate) fn note(&mut self, id: Id, at: Timestamp) {
        if self.books.slab.entry(id).is_held || self.hit_rule != OnHit::Reorder {
            self.note_count(id);
        } else {
            self.policy.on_hit(&mut self.books, id);
        }
        let at = tick(self.not_after(at));
        let entry = self.books.slab.entry_mut(id);
        if tick(self.now).wrapping_sub(at) < tick(self.now).wrapping_sub(entry.touched) {
            entry.touched = at;
        }
    }

    /// Dates the last access of an entry, without counting one.
    pub(crate) fn date(&mut self, id: Id, at: Timestamp) {
        let at = tick(self.not_after(at));
        self.books.slab.entry_mut(id).touched = at;
    }

    /// Takes the next victim out of its queue, if what is booked, and neither held nor `doubtful`, is
    /// above a limit.
    pub(crate) fn nominate(&mut self, doubtful: Usage) -> Option<Held> {
        let (usage, held) = (self.stats.usage, self.held);
        let free = Usage {
            entries: usage.entries.saturating_sub(held.entries + doubtful.entries),
            bytes: usage.bytes.saturating_sub(held.bytes + doubtful.bytes),
        };
        if !self.books.limits.are_below(free) {
            return None;
        }
        let id = self.policy.victim(&mut self.books)?;
        let deadline = self.books.deadlines.get(id);
        self.policy.on_remove(&mut self.books, id);
        self.books.deadlines.forget(id);
        self.books.slab.entry_mut(id).is_held = true;
        self.held.add(self.weight(id));
        Some(Held { id, deadline })
    }

    /// A held entry stays: it is first in its queue again.
    pub(crate) fn give_back(&mut self, held: Held) {
        let Held { id, deadline } = held;
        self.end_hold(id);
        self.policy.on_return(&mut self.books, id);
        self.books.deadlines.set(id, deadline, self.now);
    }

    /// A held entry was evicted, which nobody had accessed for `idle_ms`, as far as the store tells.
    pub(crate) fn let_go(&mut self, held: Held, idle_ms: Option<u64>) -> Option<Removed<K, V>> {
        self.note_age(held.id, self.now);
        idle_ms.into_iter().for_each(|idle| self.stats.evicted_idle.record(idle));
        self.policy.on_evict(&mut self.books, held.id);
        self.end_hold(held.id);
        self.strike(held.id, RemovalCause::Evicted)
    }

    /// Notes that an entry was found on the store, and not booked when it was written.
    pub(crate) fn note_found(&mut self, id: Id) {
        self.books.slab.entry_mut(id).is_found = true;
    }

    /// Takes the usage there is for the highest so far.
    pub(crate) fn restart_peak(&mut self) {
        self.stats.peak = self.stats.usage;
    }

    /// What has left, and not only been overwritten.
    pub(crate) fn released(&self) -> Usage {
        let Stats { evicted, expired, invalidated, vanished, .. } = &self.stats;
        let mut released = *evicted;
        [expired, invalidated, vanished].into_iter().for_each(|gone| released += *gone);
        released
    }

    /// Whether the time of an entry may have passed at `now`.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.next_timeout().is_some_and(|timeout| timeout <= now)
    }

    /// The next entry whose time has passed at `now`. It stays on the books and is due again `again_ms`
    /// later, should it not have been settled by then.
    pub(crate) fn next_due(&mut self, now: Timestamp, again_ms: u64) -> Option<Id> {
        let now = self.advance(now);
        let id = self.books.deadlines.first_due(now)?;
        self.books.deadlines.set(id, Some(now.saturating_add(again_ms)), now);
        Some(id)
    }

    /// Sets when an entry that is not held expires, in milliseconds.
    pub(crate) fn reschedule(&mut self, id: Id, deadline: Option<u64>) {
        self.books.deadlines.set(id, deadline, self.now);
    }

    /// Starts the order of eviction anew, from the entry that was accessed longest ago. Nothing may
    /// be held.
    pub(crate) fn order_by_access(&mut self) {
        let now = tick(self.now);
        let age = |id: &Id| now.wrapping_sub(self.books.slab.entry(*id).touched);
        let mut ids: Vec<Id> = self.books.slab.ids().collect();
        ids.sort_by_key(|id| std::cmp::Reverse(age(id)));
        self.policy = crate::policy::AnyPolicy::new(&self.config);
        for id in ids {
            let entry = self.books.slab.entry_mut(id);
            (entry.freq, entry.queue) = (0, crate::slab::Queue::Main);
            self.policy.on_insert(&mut self.books, id);
        }
    }

    /// Whether an entry is taken out of its queue, for it may be about to go.
    pub(crate) fn is_held(&self, id: Id) -> bool {
        self.books.slab.entry(id).is_held
    }

    /// The ids in use from `from` on, and where to go on; `None` at the end.
    pub(crate) fn ids_from(&self, from: Id, most: u32) -> (Vec<Id>, Option<Id>) {
        let end = from.saturating_add(most).min(self.books.slab.end());
        let ids = (from..end).filter(|&id| self.books.slab.get(id).is_some()).collect();
        (ids, (end < self.books.slab.end()).then_some(end))
    }

    fn note_count(&mut self, id: Id) {
        let most = match self.hit_rule {
            OnHit::Count { most } => most,
            OnHit::Reorder => return,
        };
        let entry = self.books.slab.entry_mut(id);
        if entry.freq < most {
            entry.freq += 1;
        }
    }

    fn end_hold(&mut self, id: Id) {
        let weight = self.weight(id);
        self.books.slab.entry_mut(id).is_held = false;
        self.held.subtract(weight);
    }

    fn not_after(&self, at: Timestamp) -> u64 {
        at.as_millis().min(self.now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::strategy::Strategy;
    use crate::units::Weight;

    fn arrival(key: u64) -> Arrival<u64, ()> {
        Arrival { hash: key << 29, key, value: (), weight: Weight::new(1), ttl: None }
    }

    #[test]
    fn the_last_access_is_known_to_sixteen_milliseconds_and_never_too_early() {
        let config = Config::builder().max_entries(9).build().unwrap();
        let check = |at: u64, later: u64, want: u64| {
            let mut ledger = Ledger::new(&config);
            let (id, _) = ledger.book(arrival(0), None, Timestamp::from_millis(at));
            ledger.book(arrival(1), None, Timestamp::from_millis(at + later));
            assert_eq!(ledger.accessed(id).as_millis(), want, "of {at}, {later} later");
        };
        check(0, 0, 0);
        check(0, 1_000, 15);
        check(15, 1_000, 15);
        check(16, 1_000, 31);
        check(16, 2, 18);
        check(1_000_007, 90_000, 1_000_015);
    }

    #[test]
    fn a_noted_access_is_the_last_one_unless_a_later_is_known() {
        let config = Config::builder().max_entries(9).build().unwrap();
        let mut ledger = Ledger::new(&config);
        let (id, _) = ledger.book(arrival(0), None, Timestamp::from_millis(160));
        ledger.book(arrival(1), None, Timestamp::from_millis(1_600));
        for (noted, accessed) in [(480, 495), (320, 495), (496, 511), (9_000, 1_600)] {
            ledger.note(id, Timestamp::from_millis(noted));
            assert_eq!(ledger.accessed(id).as_millis(), accessed, "{noted} noted");
        }
    }

    #[test]
    fn what_had_expired_when_it_was_overwritten_was_not_replaced() {
        let config = Config::builder().max_entries(9).build().unwrap();
        for (at, cause) in [(9, RemovalCause::Replaced), (10, RemovalCause::Expired)] {
            let mut ledger = Ledger::new(&config);
            ledger.book(arrival(0), Some(10), Timestamp::from_millis(0));
            let (_, gone) = ledger.book(arrival(0), None, Timestamp::from_millis(at));
            assert_eq!(gone.map(|gone| gone.cause), Some(cause));
            assert_eq!((ledger.len(), ledger.validate_books()), (1, Ok(())));
        }
    }

    #[test]
    fn what_was_accessed_is_not_the_next_to_go_held_or_not() {
        let spares = [Strategy::Lru, Strategy::Lfu, Strategy::S3Fifo];
        for strategy in Strategy::ALL {
            let mut ledger = above_its_limit(strategy);
            let held = ledger.nominate(Usage::default()).unwrap();
            (0..3).for_each(|_| ledger.note(held.id, Timestamp::from_millis(9)));
            ledger.give_back(held);
            (0..3).for_each(|_| ledger.note(held.id, Timestamp::from_millis(9)));
            assert_eq!(ledger.validate_books(), Ok(()), "{strategy}");
            let next = ledger.nominate(Usage::default()).unwrap();
            assert!(next.id != held.id || !spares.contains(&strategy), "{strategy}");
        }
    }

    #[test]
    fn more_than_three_accesses_count_as_three_to_s3_fifo() {
        let config = Config::builder().strategy(Strategy::S3Fifo).max_entries(2).build().unwrap();
        let mut ledger = Ledger::new(&config);
        for (key, accesses) in [(0, 9), (1, 3), (2, 3)] {
            let (id, _) = ledger.book(arrival(key), None, Timestamp::from_millis(0));
            (0..accesses).for_each(|_| ledger.note(id, Timestamp::from_millis(0)));
        }
        let held = ledger.nominate(Usage::default()).unwrap();
        assert_eq!(*ledger.key(held.id), 0, "the oldest of those that were read as often");
    }

    /// Above its limit of two by as many entries, each of which was accessed more often than those before.
    fn above_its_limit(strategy: Strategy) -> Ledger<u64, ()> {
        let config = Config::builder().strategy(strategy).max_entries(2).build().unwrap();
        let mut ledger = Ledger::new(&config);
        for key in 0..4 {
            let (id, _) = ledger.book(arrival(key), None, Timestamp::from_millis(key));
            (0..key).for_each(|_| ledger.note(id, Timestamp::from_millis(key)));
        }
        ledger
    }

    #[test]
    fn what_is_given_back_is_the_next_to_go() {
        for strategy in Strategy::ALL {
            let mut ledger = above_its_limit(strategy);
            while let Some(held) = ledger.nominate(Usage::default()) {
                ledger.give_back(held);
                assert_eq!(ledger.validate_books(), Ok(()), "{strategy}");
                assert_eq!(ledger.nominate(Usage::default()), Some(held), "{strategy}");
                assert!(ledger.let_go(held, None).is_some());
            }
            assert_eq!(ledger.len(), 2, "{strategy}");
        }
    }
}
