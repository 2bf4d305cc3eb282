//! Panics at any point of a load: whoever waits for it is woken and gets a value.

use inval_memory::{Clock, Strategy, Timestamp, Weight};

use crate::support::panics::{Bomb, Key, Value, explodes, pass};
use crate::support::setup::for_each_setup;
use crate::support::tasks::{Gate, Task, without_deadlock};

struct TestClock;

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        pass(Bomb::Clock);
        Timestamp::default()
    }
}

#[test]
fn a_panic_at_the_end_of_a_load_leaves_nobody_waiting() {
    let check = |strategy: Strategy, bomb: Bomb, turn: u32| {
        let config = inval_memory::Config::builder().strategy(strategy).max_entries(1);
        let cache = inval_memory::Cache::builder(config.build().unwrap())
            .clock(TestClock)
            .weigher(|_, _| {
                pass(Bomb::Weigher);
                Weight::new(1)
            })
            .on_removal(|_| pass(Bomb::Listener))
            .build();
        cache.insert(Key(1), Value(1));
        let gate = Gate::new();
        let mut loading = Task::waiting(cache.get_or_insert_async(&Key(0), gate.clone()));
        let wait = || Task::waiting(cache.get_or_insert_async(&Key(0), async { Value(0) }));
        let waiting = [wait(), wait()];
        gate.open(Value(0));
        let exploded = explodes(bomb, turn, || drop(loading.poll()));
        drop(loading);
        assert!(waiting.iter().all(Task::was_woken), "{bomb:?} in turn {turn}");
        assert!(waiting.into_iter().all(|task| task.finish() == Value(0)));
        assert_eq!(cache.get_or_insert_with(&Key(0), || Value(0)), Value(0));
        assert_eq!(cache.validate(), Ok(()));
        exploded
    };
    for strategy in Strategy::ALL {
        for bomb in [Bomb::Clone, Bomb::Weigher, Bomb::Listener, Bomb::Clock] {
            let explosions = (0..9).take_while(|&turn| check(strategy, bomb, turn)).count();
            assert!((1..9).contains(&explosions), "{bomb:?}: {explosions} times");
        }
    }
}

/// A waiter's copy is made in its own thread: if that panics, the others still get theirs.
#[test]
fn a_waiter_that_panics_disturbs_nobody() {
    for_each_setup(|setup| {
        without_deadlock(move || {
            let cache = setup.builder::<Key, Value>(setup.roomy()).build();
            let gate = Gate::new();
            let loading = Task::waiting(cache.get_or_insert_async(&Key(0), gate.clone()));
            let wait = || Task::waiting(cache.get_or_insert_async(&Key(0), async { Value(1) }));
            let [mut first, second] = [wait(), wait()];
            gate.open(Value(0));
            assert_eq!(loading.finish(), Value(0));
            assert!(explodes(Bomb::Clone, 0, || drop(first.poll())));
            assert_eq!(second.finish(), Value(0));
        });
    });
}
