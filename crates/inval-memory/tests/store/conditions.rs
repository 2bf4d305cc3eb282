//! Writes that depend on what is there, among other threads and among loads.

use std::time::Duration;

use inval_memory::PutCondition::{Always, IfAbsent, IfPresent};
use inval_memory::{InsertOptions, Insertion, Refusal, Refused, Rejection};

use crate::support::setup::{for_each_setup, ttl, weight};
use crate::support::tasks::{Gate, Task, without_deadlock};

#[test]
fn a_condition_is_about_what_is_alive() {
    for_each_setup(|setup| {
        let cache = setup.builder::<u64, u64>(setup.roomy()).build();
        let none = InsertOptions::default();
        let put = |condition, value| {
            cache.insert_if(condition, 1, value, none).map_err(|refused| refused.reason)
        };
        assert_eq!(put(IfPresent, 1), Err(Refusal::Unmet));
        assert_eq!(put(IfAbsent, 2), Ok(Insertion::Inserted));
        assert_eq!(put(IfAbsent, 3), Err(Refusal::Unmet));
        assert_eq!(cache.get(&1), Some(2));
        assert_eq!(put(IfPresent, 4), Ok(Insertion::Replaced));
        assert_eq!(put(Always, 5), Ok(Insertion::Replaced));
        assert_eq!((cache.get(&1), cache.stats().rejected), (Some(5), 0));
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_refused_write_comes_back_and_changes_nothing() {
    for_each_setup(|setup| {
        let cache = setup.builder::<String, u64>(setup.config().max_bytes(1_000)).build();
        cache.insert("there".to_owned(), 1);
        let before = cache.stats();
        let check = |condition, options, want: Refusal| {
            let refused = cache.insert_if(condition, "there".to_owned(), 2, options).unwrap_err();
            assert_eq!(refused, Refused { reason: want, key: "there".to_owned(), value: 2 });
            assert_eq!(cache.get("there"), Some(1));
            let text = format!("{refused} {refused:?} {want:?}");
            assert!(!text.contains("there"), "{text}");
        };
        let max_bytes = 1_000 / cache.shards() as u64;
        let heavy = Rejection::TooHeavy { weight: 1_001, max_bytes };
        check(IfAbsent, weight(1_001), Refusal::Unmet);
        check(IfPresent, weight(1_001), heavy.into());
        check(IfPresent, ttl(0), Rejection::NoTimeToLive.into());
        let after = cache.stats();
        assert_eq!((after.inserted, after.usage), (before.inserted, before.usage));
        assert_eq!(after.rejected, 2);
        assert!(cache.insert_if(Always, "there".to_owned(), 2, ttl(0)).is_err());
        assert!(!cache.contains("there"), "without a condition the outdated value goes");
    });
}

#[test]
fn of_many_threads_one_finds_the_key_absent() {
    for_each_setup(|setup| {
        let counts = without_deadlock(move || {
            let cache = setup.builder::<u64, u64>(setup.roomy()).build();
            let stored = |thread: u64| {
                let none = InsertOptions::default();
                let is_mine = |key: &u64| cache.insert_if(IfAbsent, *key, thread, none).is_ok();
                (0..if cfg!(miri) { 10 } else { 500 }).filter(is_mine).count()
            };
            let counts: usize = std::thread::scope(|scope| {
                let stored = &stored;
                let threads = [1, 2, 3, 4].map(|thread| scope.spawn(move || stored(thread)));
                threads.map(|thread| thread.join().unwrap()).iter().sum()
            });
            (counts, cache.len())
        });
        assert_eq!(counts.0, counts.1);
    });
}

/// A load is cut off by a write, not by one that was refused.
#[test]
fn a_refused_write_lets_a_load_land() {
    let check = |condition, want: u64| {
        for_each_setup(|setup| {
            let cache = setup.builder::<u64, u64>(setup.roomy()).build();
            let gate = Gate::new();
            let load = Task::waiting(cache.get_or_insert_async(&1, gate.clone()));
            let put = cache.insert_if(condition, 1, 7, InsertOptions::default());
            assert_eq!(put.is_ok(), want == 7);
            gate.open(8);
            assert_eq!(load.finish(), 8);
            assert_eq!(cache.get(&1), Some(want));
        });
    };
    check(IfPresent, 8);
    check(IfAbsent, 7);
}

#[test]
fn an_expired_entry_makes_way() {
    for_each_setup(|setup| {
        let clock = inval_memory::ManualClock::new();
        let cache = setup.builder::<u64, u64>(setup.roomy()).clock(clock.clone()).build();
        cache.insert_with(1, 1, ttl(10)).unwrap();
        clock.advance(Duration::from_millis(10));
        assert!(cache.insert_if(IfPresent, 1, 2, InsertOptions::default()).is_err());
        let put = cache.insert_if(IfAbsent, 1, 3, InsertOptions::default());
        assert_eq!((put.ok(), cache.get(&1)), (Some(Insertion::Inserted), Some(3)));
        assert_eq!(cache.stats().expired.entries, 1);
    });
}
