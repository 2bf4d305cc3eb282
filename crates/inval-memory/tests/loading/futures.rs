//! Tasks that wait for one load, on an executor that polls by hand; and tasks beside threads.

use std::future::pending;
use std::sync::Arc;
use std::task::Poll;
use std::thread;

use crate::support::setup::{FixedCache, Setup, for_each_setup};
use crate::support::tasks::{Gate, Task, wait_until, without_deadlock};

fn cache(setup: Setup) -> FixedCache<String, u64> {
    setup.builder(setup.roomy()).build()
}

#[test]
fn tasks_wait_for_one_load() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let gate = Gate::new();
        let mut loading = Task::waiting(cache.get_or_insert_async("a", gate.clone()));
        let mut waiting: Vec<_> = (0..5)
            .map(|_| Task::waiting(cache.get_or_insert_async("a", async { unreachable!() })))
            .collect();
        assert!(waiting[0].poll().is_pending(), "polled again for no reason");
        gate.open(7);
        assert!(!waiting.iter().any(Task::was_woken));
        assert_eq!(loading.poll(), Poll::Ready(7));
        assert!(waiting.iter().all(Task::was_woken));
        assert!(waiting.into_iter().all(|task| task.finish() == 7));
        assert_eq!((cache.get("a"), cache.validate()), (Some(7), Ok(())));
    });
}

#[test]
fn a_value_that_is_there_is_not_loaded() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        cache.insert("a".to_owned(), 1);
        let get = cache.get_or_insert_async("a", async { unreachable!("it is there") });
        assert_eq!(Task::new(get).finish(), 1);
    });
}

#[test]
fn a_failed_load_goes_to_its_task_and_the_next_loads() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let gate = Gate::new();
        let loading = Task::waiting(cache.try_get_or_insert_async("a", gate.clone()));
        let next = || cache.try_get_or_insert_async("a", async { Ok::<_, &str>(2) });
        let waiting = [Task::waiting(next()), Task::waiting(next())];
        gate.open(Err("no such user"));
        assert_eq!(loading.finish(), Err("no such user"));
        assert!(waiting.iter().all(Task::was_woken));
        assert_eq!(waiting.map(Task::finish), [Ok(2); 2]);
        assert_eq!(cache.stats().inserted.entries, 1);
    });
}

#[test]
fn a_load_that_is_dropped_lets_the_next_load() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let loading = Task::waiting(cache.get_or_insert_async("a", pending()));
        let gate = Gate::new();
        let [mut second, mut third] =
            [0, 1].map(|_| Task::waiting(cache.get_or_insert_async("a", gate.clone())));
        drop(loading);
        assert!(second.was_woken() && third.was_woken());
        assert!(third.poll().is_pending(), "loads");
        assert!(second.poll().is_pending(), "waits");
        drop(third);
        gate.open(3);
        assert_eq!(second.finish(), 3);
        assert_eq!(cache.get("a"), Some(3));
    });
}

#[test]
fn a_future_that_was_never_polled_loads_nothing_and_holds_up_nobody() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let idle = cache.get_or_insert_async("a", pending());
        assert_eq!(cache.get_or_insert_with("a", || 1), 1);
        drop(idle);
        assert_eq!(cache.stats().misses, 1);
    });
}

#[test]
fn a_task_that_stops_waiting_disturbs_nobody() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let gate = Gate::new();
        let loading = Task::waiting(cache.get_or_insert_async("a", gate.clone()));
        let [first, second, third] =
            [0; 3].map(|_| Task::waiting(cache.get_or_insert_async("a", pending())));
        drop(second);
        gate.open(1);
        assert_eq!(loading.finish(), 1);
        assert!(first.was_woken() && third.was_woken());
        assert_eq!([first.finish(), third.finish()], [1, 1]);
    });
}

#[test]
fn a_waiting_task_that_moved_is_woken_where_it_was_polled_last() {
    for_each_setup(|setup| {
        let cache = cache(setup);
        let gate = Gate::new();
        let loading = Task::waiting(cache.get_or_insert_async("a", gate.clone()));
        let mut moves = Box::pin(cache.get_or_insert_async("a", pending()));
        assert!(Task::new(moves.as_mut()).poll().is_pending());
        let there = Task::waiting(moves);
        gate.open(1);
        assert_eq!(loading.finish(), 1);
        assert!(there.was_woken());
        assert_eq!(there.finish(), 1);
    });
}

#[test]
fn a_thread_waits_for_a_task() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let cache = Arc::new(cache(setup));
            let gate = Gate::new();
            let loading = Task::waiting(cache.get_or_insert_async("a", gate.clone()));
            let there = Arc::clone(&cache);
            let thread = thread::spawn(move || there.get_or_insert_with("a", || unreachable!()));
            wait_until(|| cache.stats().misses == 2);
            gate.open(4);
            assert_eq!((loading.finish(), thread.join().unwrap()), (4, 4));
        });
    });
}

#[test]
fn a_task_waits_for_a_thread() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let cache = cache(setup);
            let mut task = Task::new(cache.get_or_insert_async("a", pending()));
            let value = cache.get_or_insert_with("a", || {
                assert!(task.poll().is_pending());
                5
            });
            assert!(task.was_woken());
            assert_eq!((value, task.finish()), (5, 5));
        });
    });
}
