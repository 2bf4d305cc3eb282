//! With room for everything the store is a map whose entries expire: any calls give the same answers.
#![cfg(test)]

mod support {
    pub(crate) mod journal;
    pub(crate) mod setup;
}

use std::collections::HashMap;
use std::time::Duration;

use inval_core::MAX_LIFETIME;
use inval_memory::RemovalCause::{Expired, Invalidated, Replaced};
use inval_memory::{InsertOptions, Insertion, ManualClock, Rejection, RemovalCause, Strategy};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy as Generate, prop_oneof};
use proptest::test_runner::{Config as Cases, TestRunner};
use support::journal::Journal;
use support::setup::{FixedCache, Setup, at, ms};

const KEYS: u64 = 12;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Call {
    Get(u64),
    Contains(u64),
    Insert(u64, Option<Duration>),
    Load(u64),
    FailToLoad(u64),
    Remove(u64),
    Clear,
    Maintain,
    Iter,
    Forward(u64),
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Lifetimes {
    ttl: Option<u64>,
    idle: Option<u64>,
}

/// An entry of the model, held until it is collected as in the cache.
#[derive(Clone, Copy, Debug)]
struct Slot {
    value: u64,
    dies: u64,
    idles_out: u64,
}

struct Model {
    lifetimes: Lifetimes,
    now: u64,
    slots: HashMap<u64, Slot>,
    /// What has left since it was last compared.
    removed: Vec<(u64, u64, RemovalCause)>,
}

impl Model {
    fn live(&self, key: u64) -> Option<u64> {
        let slot = self.slots.get(&key)?;
        (self.now < slot.dies.min(slot.idles_out)).then_some(slot.value)
    }

    fn get(&mut self, key: u64) -> Option<u64> {
        let value = self.live(key)?;
        let idles_out = self.lifetimes.idle.map_or(u64::MAX, |idle| self.now + idle);
        self.slots.entry(key).and_modify(|slot| slot.idles_out = idles_out);
        Some(value)
    }

    fn insert(
        &mut self,
        key: u64,
        value: u64,
        ttl: Option<Duration>,
    ) -> Result<Insertion, Rejection> {
        let replaced = self.take(key, Replaced).is_some();
        let own = ttl.map(|ttl| (ttl <= MAX_LIFETIME).then_some(ttl.as_millis() as u64));
        let ttl = own.unwrap_or(self.lifetimes.ttl);
        if ttl == Some(0) {
            return Err(Rejection::NoTimeToLive);
        }
        let after = |time: Option<u64>| time.map_or(u64::MAX, |time| self.now + time);
        let slot = Slot { value, dies: after(ttl), idles_out: after(self.lifetimes.idle) };
        self.slots.insert(key, slot);
        Ok(if replaced { Insertion::Replaced } else { Insertion::Inserted })
    }

    /// Takes a slot out, for `cause` unless it has expired; the value if it had not.
    fn take(&mut self, key: u64, cause: RemovalCause) -> Option<u64> {
        let live = self.live(key);
        let slot = self.slots.remove(&key)?;
        let cause = if live.is_some() { cause } else { Expired };
        self.removed.push((key, slot.value, cause));
        live
    }

    /// Takes out what has expired; how many.
    fn maintain(&mut self) -> usize {
        let held: Vec<_> = self.slots.keys().copied().collect();
        let expired: Vec<_> = held.into_iter().filter(|key| self.live(*key).is_none()).collect();
        expired.iter().for_each(|&key| assert_eq!(self.take(key, Expired), None));
        expired.len()
    }

    fn clear(&mut self) {
        for (key, slot) in std::mem::take(&mut self.slots) {
            self.removed.push((key, slot.value, Invalidated));
        }
    }

    fn entries(&self) -> Vec<(u64, u64)> {
        (0..KEYS).filter_map(|key| Some((key, self.live(key)?))).collect()
    }
}

/// A cache beside its model, and the number of the next write.
struct World {
    cache: FixedCache<u64, u64>,
    clock: ManualClock,
    journal: Journal<u64, u64>,
    model: Model,
    writes: u64,
}

impl World {
    fn new(setup: Setup, lifetimes: Lifetimes) -> Self {
        let (clock, journal) = (ManualClock::new(), Journal::new());
        let mut config = setup.roomy();
        config = lifetimes.ttl.map_or(config, |ttl| config.ttl(ms(ttl)));
        config = lifetimes.idle.map_or(config, |idle| config.time_to_idle(ms(idle)));
        let builder = setup.builder(config).clock(clock.clone());
        let cache = builder.on_removal(journal.listener()).build();
        let model = Model { lifetimes, now: 0, slots: HashMap::new(), removed: Vec::new() };
        Self { cache, clock, journal, model, writes: 0 }
    }

    fn run(mut self, calls: Vec<Call>) {
        for call in calls {
            self.call(call);
            self.check(call);
        }
    }

    fn call(&mut self, call: Call) {
        let Self { cache, model, .. } = self;
        self.writes += 1;
        let value = self.writes;
        match call {
            Call::Get(key) => assert_eq!(cache.get(&key), model.get(key)),
            Call::Contains(key) => assert_eq!(cache.contains(&key), model.live(key).is_some()),
            Call::Insert(key, ttl) => {
                let options = InsertOptions { ttl, weight: None };
                let got = cache.insert_with(key, value, options).map_err(|refused| {
                    assert_eq!((refused.key, refused.value), (key, value));
                    refused.reason
                });
                assert_eq!(got, model.insert(key, value, ttl));
            }
            Call::Load(key) => {
                let want = model.get(key).unwrap_or_else(|| {
                    model.insert(key, value, None).unwrap();
                    value
                });
                assert_eq!(cache.get_or_insert_with(&key, || value), want);
            }
            Call::FailToLoad(key) => {
                let got = cache.try_get_or_insert_with(&key, || Err(value));
                assert_eq!(got, model.get(key).ok_or(value));
            }
            Call::Remove(key) => assert_eq!(cache.remove(&key), model.take(key, Invalidated)),
            // What has expired counts as invalidated if the cache is cleared first, and as expired
            // if a write happened to collect it.
            Call::Clear => {
                self.settle();
                self.cache.clear();
                self.model.clear();
            }
            Call::Maintain => self.settle(),
            Call::Iter => {
                let mut entries: Vec<_> = cache.iter().collect();
                entries.sort_unstable();
                assert_eq!(entries, model.entries());
            }
            Call::Forward(by_ms) => {
                model.now += by_ms;
                self.clock.set(at(model.now));
            }
        }
    }

    /// Collects what has expired, of which writes may have collected some already, and compares what
    /// has left.
    fn settle(&mut self) {
        let collected = self.cache.maintain(at(self.model.now));
        assert!(collected <= self.model.maintain());
        self.model.removed.sort_by_key(|(key, value, _)| (*key, *value));
        assert_eq!(self.journal.take_sorted(), std::mem::take(&mut self.model.removed));
        assert_eq!(self.cache.len(), self.model.slots.len());
    }

    fn check(&self, after: Call) {
        let Self { cache, model, .. } = self;
        assert_eq!(cache.validate(), Ok(()), "after {after:?}");
        let live = model.entries().len();
        assert!((live..=model.slots.len()).contains(&cache.len()), "after {after:?}");
        let deadlines = model.slots.iter().filter(|(key, _)| model.live(**key).is_some());
        let first = deadlines.map(|(_, slot)| slot.dies.min(slot.idles_out)).min();
        if let Some(first) = first.filter(|&first| first < u64::MAX) {
            let timeout = cache.next_timeout();
            assert!(timeout.is_some_and(|time| time <= at(first)), "after {after:?}");
        }
    }
}

fn calls() -> impl Generate<Value = Call> {
    let key = || 0..KEYS;
    let ttl = prop_oneof![
        1 => Just(Duration::ZERO),
        1 => Just(Duration::from_micros(999)),
        9 => (1..70_u64).prop_map(ms),
        3 => (70..100_000_u64).prop_map(ms),
        1 => Just(MAX_LIFETIME),
        1 => Just(Duration::MAX),
    ];
    prop_oneof![
        10 => key().prop_map(Call::Get),
        5 => key().prop_map(Call::Contains),
        10 => (key(), option::of(ttl)).prop_map(|(key, ttl)| Call::Insert(key, ttl)),
        4 => key().prop_map(Call::Load),
        2 => key().prop_map(Call::FailToLoad),
        4 => key().prop_map(Call::Remove),
        1 => Just(Call::Clear),
        2 => Just(Call::Maintain),
        2 => Just(Call::Iter),
        8 => (0..40_u64).prop_map(Call::Forward),
        1 => (0..200_000_u64).prop_map(Call::Forward),
    ]
}

fn lifetimes() -> impl Generate<Value = Lifetimes> {
    let lifetimes = (option::of(1..90_u64), option::of(1..60_u64));
    lifetimes.prop_filter_map("idle is not below ttl", |(ttl, idle)| {
        let idle_is_below = ttl.is_none_or(|ttl| idle.is_none_or(|idle| idle < ttl));
        idle_is_below.then_some(Lifetimes { ttl, idle })
    })
}

/// A find is not kept in a file but becomes a named test.
fn cases() -> Cases {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Cases::default().cases,
        None if cfg!(miri) => 2,
        None => 40,
    };
    Cases { cases, failure_persistence: None, ..Cases::default() }
}

#[track_caller]
fn check(strategy: Strategy) {
    let length = if cfg!(miri) { 40 } else { 150 };
    for shards in [1, 8] {
        let setup = Setup { strategy, shards };
        let worlds = (lifetimes(), vec(calls(), 0..length));
        let outcome = TestRunner::new(cases()).run(&worlds, |(lifetimes, calls)| {
            World::new(setup, lifetimes).run(calls);
            Ok(())
        });
        assert_eq!(outcome, Ok(()), "{setup:?}");
    }
}

#[test]
fn ttl_answers_as_a_map() {
    check(Strategy::Ttl);
}

#[test]
fn fifo_answers_as_a_map() {
    check(Strategy::Fifo);
}

#[test]
fn lru_answers_as_a_map() {
    check(Strategy::Lru);
}

#[test]
fn lfu_answers_as_a_map() {
    check(Strategy::Lfu);
}

#[test]
fn sieve_answers_as_a_map() {
    check(Strategy::Sieve);
}

#[test]
fn s3_fifo_answers_as_a_map() {
    check(Strategy::S3Fifo);
}

#[test]
fn w_tinylfu_answers_as_a_map() {
    check(Strategy::WTinyLfu);
}
