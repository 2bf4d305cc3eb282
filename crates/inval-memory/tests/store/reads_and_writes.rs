//! Reads, writes and removal, and what the statistics make of them.

use inval_memory::{Insertion, ManualClock, Stats, Usage};

use crate::support::setup::{FixedCache, Setup, for_each_setup, ms, ttl, weight};

fn usage(entries: u64, bytes: u64) -> Usage {
    Usage { entries, bytes }
}

#[test]
fn a_read_finds_the_last_write() {
    for_each_setup(|setup| {
        let cache = setup.builder(setup.roomy()).build();
        assert_eq!((cache.get(&1), cache.len(), cache.is_empty()), (None, 0, true));
        for key in 0..100 {
            cache.insert(key, 0);
            cache.insert(key, key);
        }
        assert!((0..100).all(|key| cache.contains(&key) && cache.get(&key) == Some(key)));
        assert!(!cache.contains(&100) && cache.get(&100).is_none());
        assert_eq!((cache.len(), cache.is_empty()), (100, false));
        assert_eq!((cache.remove(&1), cache.remove(&1)), (Some(1), None));
        assert_eq!((cache.get(&1), cache.contains(&1), cache.len()), (None, false, 99));
        cache.clear();
        assert!((0..100).all(|key| !cache.contains(&key) && cache.get(&key).is_none()));
        assert_eq!((cache.len(), cache.usage()), (0, Usage::default()));
        cache.insert(1, 2);
        assert_eq!((cache.get(&1), cache.len()), (Some(2), 1));
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_write_tells_whether_it_replaced_a_live_entry() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let cache = setup.builder(setup.roomy()).clock(clock.clone()).build();
        let write = |ttl_ms| cache.insert_with(1, 1, ttl(ttl_ms));
        assert_eq!(write(10), Ok(Insertion::Inserted));
        clock.advance(ms(9));
        assert_eq!(write(10), Ok(Insertion::Replaced));
        clock.advance(ms(10));
        assert_eq!(write(10), Ok(Insertion::Inserted), "the former entry had expired");
        cache.remove(&1);
        assert_eq!(write(10), Ok(Insertion::Inserted));
    });
}

#[test]
fn statistics_count_every_call() {
    for_each_setup(|setup| {
        let cache = setup.builder(setup.roomy()).build();
        assert_eq!(cache.stats(), Stats::default());
        cache.insert_with(1, 1, weight(10)).unwrap();
        cache.insert_with(2, 2, weight(20)).unwrap();
        assert_eq!(cache.usage(), usage(2, 30));
        cache.insert_with(1, 3, weight(5)).unwrap();
        cache.insert_with(3, 4, ttl(0)).unwrap_err();
        for key in [1, 2, 2, 3] {
            cache.get(&key);
        }
        cache.remove(&2);
        cache.remove(&9);
        cache.clear();
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.rejected), (3, 1, 1));
        assert_eq!((stats.inserted, stats.replaced), (usage(3, 35), usage(1, 10)));
        assert_eq!((stats.invalidated, stats.usage), (usage(2, 25), usage(0, 0)));
        assert_eq!(stats.peak, usage(2, 30), "each key was at its heaviest before the other went");
        assert_eq!(stats.miss_ratio(), Some(0.25));
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn an_entry_weighs_what_its_types_take_unless_told_otherwise() {
    for_each_setup(|setup| {
        let cache = setup.builder::<u64, u32>(setup.roomy()).build();
        cache.insert(1, 1);
        assert_eq!(cache.usage(), usage(1, 12));
    });
}

/// Reads and writes a cache under pressure; `between` comes after each operation.
fn churn(setup: Setup, between: impl Fn(&FixedCache<u64, u64>, u64)) -> (Stats, Vec<(u64, u64)>) {
    let clock = ManualClock::new();
    let config = setup.config().max_entries(24).time_to_idle(ms(60)).ttl(ms(200));
    let cache = setup.builder(config).clock(clock.clone()).build();
    for step in 0..if cfg!(miri) { 60 } else { 2_000_u64 } {
        let key = step * step % 61 % 40;
        if cache.get(&key).is_none() {
            cache.insert(key, step);
        }
        between(&cache, key);
        clock.advance(ms(1));
    }
    assert_eq!(cache.validate(), Ok(()));
    let mut left: Vec<_> = cache.iter().collect();
    left.sort_unstable();
    (cache.stats(), left)
}

#[test]
fn contains_and_iter_leave_no_trace() {
    for_each_setup(|setup| {
        let looked_at = churn(setup, |cache, key| {
            assert!((key..key + 9).filter(|key| cache.contains(key)).count() <= 9);
            if key % 16 == 0 {
                cache.iter().for_each(drop);
            }
        });
        assert_eq!(looked_at, churn(setup, |_, _| {}));
    });
}
