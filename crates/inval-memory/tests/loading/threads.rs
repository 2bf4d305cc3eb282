//! Threads that ask for the same key at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use inval_memory::ManualClock;

use crate::support::panics::{Bomb, explodes, pass};
use crate::support::setup::{FixedCache, Setup, at, for_each_setup, ms, ttl};
use crate::support::tasks::{wait_until, without_deadlock};

const CALLERS: u64 = if cfg!(miri) { 3 } else { 8 };

/// How the first load ends.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    Value,
    Error,
    Panic,
}

/// Lets all callers ask for one key at once; the first load ends as told, but not before all the
/// others wait for it. Returns what each caller got, `None` for a panic, and the number of loads.
fn ask_at_once(setup: Setup, end: End) -> (Vec<Option<Result<u64, u64>>>, usize) {
    let cache: Arc<FixedCache<u64, u64>> = Arc::new(setup.builder(setup.roomy()).build());
    let loads = AtomicUsize::new(0);
    let load = || {
        let number = loads.fetch_add(1, Ordering::SeqCst) as u64;
        wait_until(|| cache.stats().misses >= CALLERS);
        match end {
            End::Error if number == 0 => return Err(7),
            End::Panic if number == 0 => pass(Bomb::Loader),
            _ => {}
        }
        Ok(number)
    };
    let barrier = Barrier::new(CALLERS as usize);
    let ask = || {
        barrier.wait();
        let mut answer = None;
        explodes(Bomb::Loader, 0, || answer = Some(cache.try_get_or_insert_with(&1, load)));
        answer
    };
    let answers = thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(ask)).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(cache.validate(), Ok(()));
    assert_eq!((cache.len(), cache.stats().inserted.entries), (1, 1));
    (answers, loads.into_inner())
}

#[test]
fn one_caller_loads_and_all_get_the_value() {
    for_each_setup(|setup| {
        let (answers, loads) = without_deadlock(move || ask_at_once(setup, End::Value));
        assert_eq!((answers, loads), (vec![Some(Ok(0)); CALLERS as usize], 1));
    });
}

#[test]
fn a_failed_load_goes_to_its_caller_and_one_of_the_others_loads() {
    let check = |setup, end, first: Option<Result<u64, u64>>| {
        let (mut answers, loads) = without_deadlock(move || ask_at_once(setup, end));
        answers.sort_by_key(|answer| *answer != first);
        let mut want = vec![Some(Ok(1)); CALLERS as usize];
        want[0] = first;
        assert_eq!((answers, loads), (want, 2), "{end:?}");
    };
    for_each_setup(|setup| {
        check(setup, End::Error, Some(Err(7)));
        check(setup, End::Panic, None);
    });
}

#[test]
fn a_value_that_is_there_is_not_loaded() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let cache = setup.builder(setup.roomy()).clock(clock.clone()).build();
        cache.insert_with(1, 1, ttl(10)).unwrap();
        assert_eq!(cache.get_or_insert_with(&1, || unreachable!("it is there")), 1);
        clock.set(at(10));
        assert_eq!(cache.get_or_insert_with(&1, || 2), 2, "it has expired");
        assert_eq!(cache.try_get_or_insert_with(&2, || Err(3)), Err(3));
        assert_eq!((cache.get(&1), cache.get(&2)), (Some(2), None));
    });
}

#[test]
fn a_loaded_value_lives_as_long_as_a_written_one() {
    for_each_setup(|setup| {
        let clock = ManualClock::new();
        let config = setup.config().ttl(ms(10));
        let cache = setup.builder(config).clock(clock.clone()).build();
        cache.get_or_insert_with(&1, || {
            clock.advance(ms(5));
            1
        });
        clock.set(at(14));
        assert!(cache.contains(&1), "its time began when it was loaded");
        clock.set(at(15));
        assert!(!cache.contains(&1));
    });
}

#[test]
fn a_load_may_use_the_cache_for_other_keys() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let cache = setup.builder::<u64, u64>(setup.roomy()).build();
            let sum = cache.get_or_insert_with(&9, || {
                (0..9).map(|key| cache.get_or_insert_with(&key, || key)).sum()
            });
            assert_eq!((sum, cache.len(), cache.get(&9)), (36, 10, Some(36)));
        });
    });
}

#[test]
fn a_load_holds_up_no_other_key() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let cache = setup.builder::<u64, u64>(setup.roomy()).build();
            cache.get_or_insert_with(&0, || {
                thread::scope(|scope| {
                    let other = scope
                        .spawn(|| (1..20).map(|key| cache.get_or_insert_with(&key, || key)).sum());
                    other.join().unwrap()
                })
            });
            assert_eq!(cache.get(&0), Some(190));
        });
    });
}
