//! Writes and invalidation during a load: what was loaded may be out of date and is not kept.

use std::sync::Arc;

use inval_memory::{Insertion, ManualClock};

use crate::support::setup::{FixedCache, at, for_each_setup, ttl, weight};
use crate::support::tasks::{Gate, Task, without_deadlock};

type TestCache = FixedCache<u64, u64>;

/// What happens during the load, by name, and what the key reads as afterwards.
type Interference = (&'static str, fn(&TestCache), Option<u64>);

const INTERFERENCE: [Interference; 8] = [
    ("nothing", |_| {}, Some(1)),
    (
        "remove",
        |cache| {
            cache.remove(&0);
        },
        None,
    ),
    ("insert", |cache| cache.insert(0, 2), Some(2)),
    (
        "insert and remove",
        |cache| {
            cache.insert(0, 2);
            cache.remove(&0);
        },
        None,
    ),
    ("refused insert", |cache| drop(cache.insert_with(0, 2, ttl(0))), None),
    ("clear", |cache| cache.clear(), None),
    (
        "another load",
        |cache| {
            cache.remove(&0);
            cache.get_or_insert_with(&0, || 3);
        },
        Some(3),
    ),
    (
        "calls for other keys",
        |cache| {
            cache.remove(&1);
            cache.insert(2, 2);
        },
        Some(1),
    ),
];

#[test]
fn a_value_loaded_meanwhile_is_returned_and_not_kept() {
    for_each_setup(|setup| {
        for (name, interfere, want) in INTERFERENCE {
            let cache = setup.builder(setup.roomy()).build();
            let loaded = cache.get_or_insert_with(&0, || {
                interfere(&cache);
                1
            });
            assert_eq!((loaded, cache.get(&0)), (1, want), "{name}");
            assert_eq!(cache.validate(), Ok(()));
        }
    });
}

#[test]
fn who_already_waits_gets_it_and_who_comes_later_does_not() {
    for_each_setup(|setup| {
        for (name, interfere, want) in INTERFERENCE {
            let cache: TestCache = setup.builder(setup.roomy()).build();
            let gate = Gate::new();
            let get = || cache.get_or_insert_async(&0, gate.clone());
            let (loading, waiting) = (Task::waiting(get()), Task::waiting(get()));
            interfere(&cache);
            let mut late = Task::new(cache.get_or_insert_async(&0, async { 4 }));
            let late_got = late.poll();
            gate.open(1);
            assert_eq!((loading.finish(), waiting.finish()), (1, 1), "{name}");
            if want == Some(1) {
                assert!(late_got.is_pending(), "{name}");
                assert_eq!((late.finish(), cache.get(&0)), (1, Some(1)), "{name}");
            } else {
                let want = want.unwrap_or(4);
                assert_eq!(late_got, std::task::Poll::Ready(want), "{name}");
                assert_eq!(cache.get(&0), Some(want), "the older load overwrites nothing");
            }
            assert_eq!(cache.validate(), Ok(()));
        }
    });
}

/// Two loads of one key are under way at once when the first is cut off. Whichever ends first, only
/// the second is kept.
#[test]
fn of_two_loads_the_one_begun_after_the_removal_is_kept() {
    for_each_setup(|setup| {
        for first_ends_first in [true, false] {
            let cache: TestCache = setup.builder(setup.roomy()).build();
            let gates = [Gate::new(), Gate::new()];
            let get = |gate: &Gate<u64>| Task::waiting(cache.get_or_insert_async(&0, gate.clone()));
            let first = [get(&gates[0]), get(&gates[0])];
            cache.remove(&0);
            let second = [get(&gates[1]), get(&gates[1])];
            let end = |tasks: [Task<'_, u64>; 2], number: u64| {
                gates[number as usize].open(number);
                assert_eq!(tasks.map(Task::finish), [number; 2]);
            };
            if first_ends_first {
                end(first, 0);
                assert_eq!(cache.get(&0), None);
                end(second, 1);
            } else {
                end(second, 1);
                end(first, 0);
            }
            assert_eq!(cache.get(&0), Some(1));
            assert_eq!(cache.insert_with(0, 5, ttl(9)), Ok(Insertion::Replaced));
        }
    });
}

#[test]
fn upkeep_and_expiry_do_not_cut_a_load_off() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let cache: TestCache = setup.builder(setup.roomy()).clock(clock.clone()).build();
        cache.insert_with(0, 9, ttl(5)).unwrap();
        clock.set(at(5));
        let loaded = cache.get_or_insert_with(&0, || {
            assert_eq!((cache.get(&0), cache.maintain(at(6))), (None, 1));
            1
        });
        assert_eq!((loaded, cache.get(&0)), (1, Some(1)));
    });
}

#[test]
fn a_load_too_heavy_to_keep_is_still_returned() {
    for_each_setup(|setup| {
        let config = setup.config().max_bytes(80);
        let weigher = |_: &u64, _: &Arc<u64>| inval_memory::Weight::new(81);
        let cache = setup.builder(config).weigher(weigher).build();
        let value = Arc::new(1);
        let gate = Gate::new();
        let get = || cache.get_or_insert_async(&0, gate.clone());
        let (loading, waiting) = (Task::waiting(get()), Task::waiting(get()));
        gate.open(Arc::clone(&value));
        for got in [loading.finish(), waiting.finish()] {
            assert!(Arc::ptr_eq(&got, &value));
        }
        assert_eq!((cache.len(), cache.stats().rejected), (0, 1));
        assert_eq!(Arc::strong_count(&value), 1, "nothing is kept anywhere");
        cache.insert_with(0, Arc::clone(&value), weight(1)).unwrap();
        assert!(Arc::ptr_eq(&cache.get_or_insert_with(&0, || unreachable!()), &value));
    });
}

#[test]
fn a_load_makes_room_like_any_write() {
    for_each_setup(|setup| {
        let cache: TestCache = setup.builder(setup.config().max_entries(16)).build();
        without_deadlock(move || {
            for key in 0..200 {
                assert_eq!(cache.get_or_insert_with(&key, || key), key);
                assert!(cache.contains(&key) && cache.len() <= 16);
            }
            assert_eq!(cache.validate(), Ok(()));
        });
    });
}
