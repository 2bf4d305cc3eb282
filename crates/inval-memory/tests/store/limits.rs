//! Limits in entries and bytes over all shards, and what becomes of a write that is too heavy.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use inval_memory::RemovalCause::{Evicted, Replaced};
use inval_memory::{InsertOptions, Rejected, Rejection, Weight};

use crate::support::journal::Journal;
use crate::support::setup::{for_each_setup, weight};
use crate::support::tasks::without_deadlock;

#[test]
fn the_shards_limits_add_up_to_the_limit() {
    let check = |entries: u64| {
        for_each_setup(|setup| {
            let cache = setup.builder(setup.config().max_entries(entries)).build();
            assert!(cache.shards() as u64 <= entries);
            (0..entries * 20).for_each(|key| cache.insert(key, key));
            assert_eq!(cache.usage().entries, entries, "every shard is full");
            let bytes = setup.config().max_bytes(entries);
            let cache = setup.builder(bytes).weigher(|_, _| Weight::new(1)).build();
            (0..entries * 20).for_each(|key| cache.insert(key, key));
            assert_eq!(cache.usage().bytes, entries, "every shard is full");
            assert_eq!(cache.validate(), Ok(()));
        });
    };
    let limits: &[u64] = if cfg!(miri) { &[5] } else { &[1, 5, 8, 13, 100] };
    limits.iter().for_each(|&entries| check(entries));
}

#[test]
fn no_limit_is_passed_and_usage_is_the_sum_of_weights() {
    for_each_setup(|setup| {
        let config = setup.config().max_entries(50).max_bytes(1_000);
        let cache = setup.builder(config).weigher(|_, value| Weight::new(*value)).build();
        for step in 0..if cfg!(miri) { 50_u32 } else { 1_000 } {
            let (key, weight) = (step * 7 % 90, step * 13 % 40);
            cache.insert(u64::from(key), weight);
            let usage = cache.usage();
            assert!(usage.entries <= 50 && usage.bytes <= 1_000, "{usage:?}");
            if step % 10 == 0 {
                let counted: u64 = cache.iter().map(|(_, weight)| u64::from(weight)).sum();
                assert_eq!(usage.bytes, counted);
            }
        }
        assert!(cache.stats().evicted.entries > 0);
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn the_weigher_is_asked_once_for_each_write_outside_all_locks() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let asked = Arc::new(AtomicUsize::new(0));
            let cache = Arc::new_cyclic(|cache: &std::sync::Weak<_>| {
                let (cache, asked) = (cache.clone(), Arc::clone(&asked));
                let weigher = move |key: &u64, value: &u64| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let cache = cache.upgrade().unwrap();
                    let cache: &crate::support::setup::FixedCache<u64, u64> = &cache;
                    assert!(cache.len() < 9 && cache.get(key) != Some(*value));
                    Weight::new(3)
                };
                setup.builder(setup.roomy()).weigher(weigher).build()
            });
            cache.insert(1, 1);
            cache.insert(1, 2);
            cache.get_or_insert_with(&2, || 3);
            cache.get_or_insert_with(&2, || 4);
            assert_eq!(asked.load(Ordering::SeqCst), 3);
            cache.insert_with(3, 5, weight(4)).unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), 3, "the write named its weight");
            assert_eq!(cache.usage().bytes, 3 + 3 + 4);
        });
    });
}

#[test]
fn a_write_that_is_too_heavy_comes_back_intact_and_removes_the_old_value() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let config = setup.config().max_bytes(80);
        let cache = setup.builder(config).on_removal(journal.listener()).build();
        let most = (80 / cache.shards()) as u32;
        let old: Arc<str> = "old".into();
        cache.insert_with(1, Arc::clone(&old), weight(most)).unwrap();
        let value: Arc<str> = "new".into();
        let answer = cache.insert_with(1, Arc::clone(&value), weight(most + 1));
        let Err(Rejected { reason, key, value: back }) = answer else { panic!("it was kept") };
        let max_bytes = u64::from(most);
        assert_eq!(reason, Rejection::TooHeavy { weight: most + 1, max_bytes });
        assert!(key == 1 && Arc::ptr_eq(&back, &value));
        assert!(!cache.contains(&1) && cache.is_empty());
        let told = journal.take();
        assert!(told.len() == 1 && Arc::ptr_eq(&told[0].value, &old), "and not of the refused one");
        assert_eq!((told[0].cause, told[0].weight.bytes()), (Replaced, most));
        let stats = cache.stats();
        assert_eq!((stats.rejected, stats.inserted.entries), (1, 1));
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_key_that_is_refused_comes_back_too() {
    #[derive(PartialEq, Eq, Hash, Debug)]
    struct NotClone(Box<u64>);
    for_each_setup(|setup| {
        let cache = setup.builder(setup.config().max_bytes(80)).build();
        let key = NotClone(Box::new(1));
        let place: *const u64 = &*key.0;
        let refused = cache.insert_with(key, 1, weight(81)).unwrap_err();
        assert!(std::ptr::eq(&*refused.key.0, place));
    });
}

#[test]
fn room_for_a_heavy_entry_is_made_by_as_many_light_ones_as_it_takes() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let config = setup.config().max_bytes(160);
        let cache = setup.builder(config).on_removal(journal.listener()).build();
        let share = 160 / cache.shards() as u32;
        let many = if cfg!(miri) { 400 } else { 2_000 };
        (0..many).for_each(|key| drop(cache.insert_with(key, key, weight(1))));
        assert_eq!(cache.usage().bytes, 160);
        journal.take();
        cache.insert_with(9_999, 0, weight(share)).unwrap();
        let told = journal.take_sorted();
        assert_eq!(told.len(), share as usize);
        assert!(told.iter().all(|(_, _, cause)| *cause == Evicted));
        assert_eq!(cache.get(&9_999), Some(0), "the newest stays");
        assert_eq!(cache.usage().bytes, 160);
    });
}

/// What a policy remembers of evicted keys shrinks and grows with the number of entries.
#[test]
fn few_heavy_entries_and_many_light_ones_take_turns() {
    let light = if cfg!(miri) { 100 } else { 4_500 };
    for_each_setup(|setup| {
        let cache = setup.builder(setup.config().max_bytes(2_000)).build();
        let share = 2_000 / cache.shards() as u32;
        for round in (0..3).map(|round| round * 10_000) {
            for key in round..round + light {
                cache.insert_with(key, key, weight(1)).unwrap();
            }
            for key in round + 5_000..round + 5_050 {
                cache.insert_with(key, key, weight(share - 1)).unwrap();
            }
            assert_eq!(cache.validate(), Ok(()));
        }
        assert!(cache.len() <= 2 * cache.shards());
    });
}

#[test]
fn weightless_entries_are_still_entries() {
    for_each_setup(|setup| {
        let cache = setup.builder(setup.config().max_bytes(8)).build();
        let weightless = InsertOptions { weight: Some(Weight::new(0)), ttl: None };
        (0..50).for_each(|key| drop(cache.insert_with(key, key, weightless)));
        assert_eq!((cache.len(), cache.usage().bytes), (50, 0));
    });
}
