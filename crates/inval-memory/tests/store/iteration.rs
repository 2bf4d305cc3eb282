//! Walks over the cache while others write to it.

use std::collections::BTreeMap;

use inval_memory::ManualClock;

use crate::support::setup::{at, for_each_setup, ttl};

const STABLE: u64 = if cfg!(miri) { 40 } else { 500 };

#[test]
fn a_walk_sees_each_stable_entry_once_while_others_come_and_go() {
    for_each_setup(|setup| {
        let cache = setup.builder(setup.roomy()).build();
        // Others stand between the stable ones, and leave holes that are filled again.
        for key in 0..STABLE {
            cache.insert(key, key);
            cache.insert(1_000 + key, 0);
        }
        let mut seen = BTreeMap::new();
        for (step, (key, value)) in (0..).zip(cache.iter()) {
            *seen.entry((key, value)).or_insert(0) += 1;
            cache.remove(&(1_000 + step * 7 % STABLE));
            cache.insert(2_000 + step % 300, 1);
            if step % 3 == 0 {
                cache.insert(2_000 + step % 50, 2 + step);
            }
        }
        for key in 0..STABLE {
            assert_eq!(seen.get(&(key, key)), Some(&1), "entry {key}");
        }
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_walk_over_what_does_not_change_is_the_content() {
    for_each_setup(|setup| {
        let counts: &[_] = if cfg!(miri) { &[0, 65] } else { &[0, 1, 63, 64, 65, 300] };
        for &count in counts {
            let cache = setup.builder(setup.roomy()).build();
            (0..count).for_each(|key| cache.insert(key, key));
            let mut seen: Vec<_> = cache.iter().collect();
            seen.sort_unstable();
            assert!(seen.into_iter().eq((0..count).map(|key| (key, key))), "{count} entries");
        }
    });
}

#[test]
fn a_walk_passes_over_what_has_expired() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let cache = setup.builder(setup.roomy()).clock(clock.clone()).build();
        for key in 0..100_u64 {
            cache.insert_with(key, (), ttl(1 + key % 2)).unwrap();
        }
        clock.set(at(1));
        assert!(cache.iter().all(|(key, ())| key % 2 == 1));
        assert_eq!((cache.iter().count(), cache.len()), (50, 100));
    });
}

#[test]
fn clearing_the_cache_ends_a_walk_after_what_it_has_copied() {
    for_each_setup(|setup| {
        let cache = setup.builder(setup.roomy()).build();
        (0..STABLE).for_each(|key| cache.insert(key, key));
        let mut walk = cache.iter();
        assert!(walk.next().is_some());
        cache.clear();
        assert!(walk.count() < 64, "no more than one page");
    });
}
