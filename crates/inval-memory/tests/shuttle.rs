//! A model of the concurrent part: shuttle tries many interleavings of a few threads and tasks.
//!
//! `RUSTFLAGS="--cfg shuttle" cargo test -p inval-memory --test shuttle --release`
#![cfg(shuttle)]
#![cfg(test)]

mod support {
    pub(crate) mod journal;
    pub(crate) mod setup;
}

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use inval_memory::{Config, ManualClock, Strategy};
use shuttle::future::{block_on, yield_now};
use shuttle::sync::atomic::{AtomicU64, Ordering};
use shuttle::thread;
use support::journal::{CAUSES, Journal, removals};
use support::setup::{FixedCache, Setup, at, ttl};

type TestCache = FixedCache<u64, u64>;

const ITERATIONS: usize = 3_000;
/// How many times the scheduler changes its mind against its priorities.
const DEPTH: usize = 3;

/// Runs a model under both of shuttle's schedulers, in one shard and in two.
fn check(model: impl Fn(Setup) + Copy + Send + Sync + 'static) {
    for shards in [1, 2] {
        let setup = Setup { strategy: Strategy::S3Fifo, shards };
        shuttle::check_random(move || model(setup), ITERATIONS);
        shuttle::check_pct(move || model(setup), ITERATIONS, DEPTH);
    }
}

fn cache(setup: Setup) -> Arc<TestCache> {
    Arc::new(setup.builder(setup.roomy()).clock(ManualClock::new()).build())
}

/// Runs each of `works` in a thread and returns what they return, in the same order.
fn together<T: Send + 'static>(works: Vec<Box<dyn FnOnce() -> T + Send>>) -> Vec<T> {
    let threads: Vec<_> = works.into_iter().map(|work| thread::spawn(work)).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).collect()
}

/// What is cached: it can change, and a load takes a while.
struct Source {
    value: AtomicU64,
    loads: AtomicU64,
}

impl Source {
    fn new() -> Arc<Self> {
        Arc::new(Self { value: AtomicU64::new(0), loads: AtomicU64::new(0) })
    }

    fn load(&self) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let value = self.value.load(Ordering::SeqCst);
        thread::yield_now();
        value
    }

    async fn load_async(&self) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let value = self.value.load(Ordering::SeqCst);
        yield_now().await;
        value
    }

    fn set(&self, value: u64) {
        self.value.store(value, Ordering::SeqCst);
    }

    fn loads(&self) -> u64 {
        self.loads.load(Ordering::SeqCst)
    }
}

/// A thread that asks for key 0, from the source.
fn ask(cache: &Arc<TestCache>, source: &Arc<Source>) -> Box<dyn FnOnce() -> u64 + Send> {
    let (cache, source) = (Arc::clone(cache), Arc::clone(source));
    Box::new(move || cache.get_or_insert_with(&0, || source.load()))
}

/// The same in a task.
fn ask_async(cache: &Arc<TestCache>, source: &Arc<Source>) -> Box<dyn FnOnce() -> u64 + Send> {
    let (cache, source) = (Arc::clone(cache), Arc::clone(source));
    Box::new(move || block_on(cache.get_or_insert_async(&0, source.load_async())))
}

/// Changes the source and then the cache by `change`; returns what the cache has right afterwards.
fn change(
    cache: &Arc<TestCache>,
    source: &Arc<Source>,
    change: fn(&TestCache),
) -> Box<dyn FnOnce() -> u64 + Send> {
    let (cache, source) = (Arc::clone(cache), Arc::clone(source));
    Box::new(move || {
        source.set(1);
        change(&cache);
        cache.get(&0).unwrap_or(1)
    })
}

#[test]
fn threads_and_tasks_load_once() {
    check(|setup| {
        let (cache, source) = (cache(setup), Source::new());
        source.set(7);
        let mut callers: Vec<_> = (0..2).map(|_| ask(&cache, &source)).collect();
        callers.extend((0..2).map(|_| ask_async(&cache, &source)));
        assert_eq!(together(callers), [7; 4]);
        assert_eq!((source.loads(), cache.get(&0)), (1, Some(7)));
    });
}

#[test]
fn a_load_that_fails_lets_another_load() {
    check(|setup| {
        let (cache, source) = (cache(setup), Source::new());
        let failing = |number: u64| -> Box<dyn FnOnce() -> u64 + Send> {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                let fail = || {
                    thread::yield_now();
                    Err(number)
                };
                cache.try_get_or_insert_with(&0, fail).unwrap_or_else(|error| error)
            })
        };
        let callers =
            vec![failing(5), ask(&cache, &source), failing(6), ask_async(&cache, &source)];
        let answers = together(callers);
        assert!([0, 5].contains(&answers[0]) && [0, 6].contains(&answers[2]));
        assert_eq!((answers[1], answers[3], source.loads()), (0, 0, 1));
        assert_eq!(cache.validate(), Ok(()));
    });
}

#[test]
fn a_load_that_is_dropped_lets_another_load() {
    check(|setup| {
        let (cache, source) = (cache(setup), Source::new());
        let gives_up = {
            let cache = Arc::clone(&cache);
            let work = move || {
                let mut load = pin!(cache.get_or_insert_async(&0, async {
                    yield_now().await;
                    yield_now().await;
                    0
                }));
                // Polled once, whatever comes of it, and dropped one turn later.
                block_on(std::future::poll_fn(|context| {
                    Poll::Ready(load.as_mut().poll(context).is_ready())
                }));
                thread::yield_now();
                0_u64
            };
            Box::new(work) as Box<dyn FnOnce() -> u64 + Send>
        };
        let callers = vec![gives_up, ask(&cache, &source), ask_async(&cache, &source)];
        assert_eq!(together(callers), [0; 3]);
        assert_eq!((source.loads(), cache.get(&0)), (1, Some(0)));
    });
}

/// Whatever way the stale value is got rid of, nobody reads it once the call has returned.
#[test]
fn a_stale_value_is_not_read_after_the_call_that_removed_it() {
    let remove = |cache: &TestCache| assert!(cache.remove(&0).is_none_or(|value| value < 2));
    let changes: [fn(&TestCache); 5] = [
        remove,
        |cache| cache.insert(0, 1),
        |cache| cache.clear(),
        |cache| drop(cache.insert_with(0, 1, ttl(0))),
        |cache| {
            cache.insert(0, 2);
            cache.remove(&0);
        },
    ];
    for call in changes {
        check(move |setup| {
            let (cache, source) = (cache(setup), Source::new());
            let callers = vec![
                ask(&cache, &source),
                change(&cache, &source, call),
                ask_async(&cache, &source),
            ];
            let answers = together(callers);
            assert_eq!(answers[1], 1, "read right after the change");
            assert!(cache.get(&0).is_none_or(|value| value == 1), "read at the end");
            assert_eq!(cache.get_or_insert_with(&0, || source.load()), 1);
            assert_eq!(cache.validate(), Ok(()));
        });
    }
}

/// A load begun before a write must not land on it, and one begun after a removal lands once.
#[test]
fn a_newer_write_wins_over_a_load() {
    check(|setup| {
        let (cache, source) = (cache(setup), Source::new());
        let insert = {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                cache.insert(0, 9);
                assert_eq!(cache.get(&0), Some(9));
                9
            })
        };
        let answers = together(vec![ask(&cache, &source), insert, ask(&cache, &source)]);
        assert!(answers.iter().all(|answer| [0, 9].contains(answer)));
        assert_eq!(cache.get(&0), Some(9));
    });
}

#[test]
fn clear_takes_out_what_was_there_and_spares_nothing_it_races_with() {
    check(|setup| {
        let cache = cache(setup);
        (0..4).for_each(|key| cache.insert(key, 0));
        let clear = {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                cache.clear();
                (0..4).filter(|key| cache.get(key) == Some(0)).count() as u64
            }) as Box<dyn FnOnce() -> u64 + Send>
        };
        let insert = {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                (2..6).for_each(|key| cache.insert(key, 1));
                0
            })
        };
        assert_eq!(together(vec![clear, insert]), [0, 0]);
        assert!(cache.iter().all(|(key, value)| key >= 2 && value == 1));
        assert_eq!(cache.validate(), Ok(()));
    });
}

/// One of each kind of call, in a cache so small that they get in each other's way.
#[test]
fn whatever_the_calls_the_books_stay_sound_and_the_listener_is_told() {
    check(|setup| {
        let journal = Journal::new();
        let builder = setup.builder(setup.config().max_entries(4)).clock(ManualClock::new());
        let cache = Arc::new(builder.on_removal(journal.listener()).build());
        let work = |calls: fn(&TestCache)| {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                calls(&cache);
                assert_eq!(cache.validate(), Ok(()));
            }) as Box<dyn FnOnce() + Send>
        };
        together(vec![
            work(|cache| {
                (0..5).for_each(|key| cache.insert(key, key));
                cache.get(&4);
                cache.clear();
            }),
            work(|cache| {
                cache.insert_with(1, 11, ttl(1)).unwrap();
                assert!(cache.iter().count() <= 16 && cache.usage().entries <= 8);
                cache.maintain(at(1));
                cache.remove(&3);
            }),
            work(|cache| {
                let config = Config::builder().strategy(cache.config().strategy());
                cache.reconfigure(&config.max_entries(8).build().unwrap()).unwrap();
                cache.insert(6, 61);
                cache.reconfigure(&config.max_entries(4).build().unwrap()).unwrap();
            }),
            work(|cache| {
                cache.get_or_insert_with(&2, || {
                    cache.insert(3, 31);
                    21
                });
                cache.remove(&2);
                cache.insert(2, 22);
            }),
        ]);
        cache.maintain(at(1));
        assert_eq!((cache.validate(), cache.config().max_entries()), (Ok(()), Some(4)));
        let told = journal.take();
        let tallies = CAUSES.map(|cause| told.iter().filter(|r| r.cause == cause).count() as u64);
        assert_eq!(tallies, removals(&cache.stats()).map(|removed| removed.entries));
        assert!(cache.len() <= 4);
    });
}

#[test]
fn a_walk_sees_the_stable_entry_once_in_any_interleaving() {
    check(|setup| {
        let cache = cache(setup);
        (0..3).for_each(|key| cache.insert(key, key));
        let churn = {
            let cache = Arc::clone(&cache);
            Box::new(move || {
                cache.remove(&0);
                cache.insert(7, 7);
                cache.insert(0, 8);
                cache.remove(&2);
                0_usize
            }) as Box<dyn FnOnce() -> usize + Send>
        };
        let walk = {
            let cache = Arc::clone(&cache);
            Box::new(move || cache.iter().filter(|entry| *entry == (1, 1)).count())
        };
        assert_eq!(together(vec![churn, walk]), [0, 1]);
    });
}
