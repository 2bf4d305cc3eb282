//! Many threads, all operations, every strategy: afterwards the books, the listener and the values agree.
#![cfg(test)]

mod support {
    pub(crate) mod journal;
    pub(crate) mod random;
    pub(crate) mod setup;
    pub(crate) mod tasks;
}

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use inval_memory::{Clock, InsertOptions, Insertion, ManualClock, Strategy, Usage, Weight};
use support::journal::{CAUSES, Journal, removals};
use support::random::Random;
use support::setup::{FixedCache, Setup, ms};
use support::tasks::without_deadlock;

const THREADS: u64 = 8;
const ROUNDS: u64 = 4;
const CALLS_PER_ROUND: u64 = 5_000;
const KEYS: u64 = 700;
const MOST: Usage = Usage { entries: 256, bytes: 4_000 };

/// A value that exists once: it has a number of its own, and all that live are counted.
#[derive(Debug)]
struct Token {
    number: u64,
    alive: Arc<AtomicI64>,
}

impl Drop for Token {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

#[derive(Default)]
struct Mint {
    made: AtomicU64,
    alive: Arc<AtomicI64>,
}

impl Mint {
    fn token(&self) -> Arc<Token> {
        let number = self.made.fetch_add(1, Ordering::SeqCst);
        self.alive.fetch_add(1, Ordering::SeqCst);
        Arc::new(Token { number, alive: Arc::clone(&self.alive) })
    }

    fn alive(&self) -> i64 {
        self.alive.load(Ordering::SeqCst)
    }
}

struct World {
    cache: FixedCache<u64, Arc<Token>>,
    clock: ManualClock,
    mint: Mint,
    journal: Journal<u64, Arc<Token>>,
    /// Writes that were taken in, as the callers know them; loads are not among them.
    written: AtomicU64,
    loaded: AtomicU64,
}

impl World {
    fn new(setup: Setup) -> Self {
        let (clock, journal) = (ManualClock::new(), Journal::new());
        let config = setup.config().max_entries(MOST.entries).max_bytes(MOST.bytes);
        let cache = setup
            .builder(config.ttl(ms(300)).time_to_idle(ms(200)).ttl_jitter(0.2))
            .clock(clock.clone())
            .weigher(|key, _| Weight::new(*key as u32 % 40))
            .on_removal(journal.listener())
            .build();
        let (mint, written, loaded) = Default::default();
        Self { cache, clock, mint, journal, written, loaded }
    }

    /// One call chosen at random.
    fn call(&self, random: &mut Random) {
        let (cache, key) = (&self.cache, random.skewed(KEYS));
        match random.below(1_000) {
            0..350 => drop(cache.get(&key)),
            350..400 => drop(cache.contains(&key)),
            400..500 => cache.insert(key, self.insertable()),
            500..600 => self.insert_with(key, random),
            600..700 => self.load(key, random),
            700..850 => drop(cache.remove(&key)),
            850..920 => self.clock.advance(ms(random.below(3))),
            920..980 => assert!(cache.maintain(self.clock.now()) <= KEYS as usize),
            980..996 => self.look_around(),
            _ => cache.clear(),
        }
    }

    /// A token for a write that is always taken in.
    fn insertable(&self) -> Arc<Token> {
        self.written.fetch_add(1, Ordering::SeqCst);
        self.mint.token()
    }

    fn insert_with(&self, key: u64, random: &mut Random) {
        let weight = random.one_in(2).then(|| Weight::new(random.skewed(700) as u32));
        let ttl = random.one_in(2).then(|| ms(random.skewed(100)));
        let token = self.mint.token();
        let number = token.number;
        match self.cache.insert_with(key, token, InsertOptions { ttl, weight }) {
            Ok(Insertion::Inserted | Insertion::Replaced) => {
                self.written.fetch_add(1, Ordering::SeqCst);
            }
            Err(refused) => {
                assert_eq!((refused.key, refused.value.number), (key, number));
                assert_eq!(Arc::strong_count(&refused.value), 1, "it was kept nowhere");
            }
        }
    }

    fn load(&self, key: u64, random: &mut Random) {
        let (fails, interferes) = (random.one_in(5), random.one_in(5));
        let answer = self.cache.try_get_or_insert_with(&key, || {
            if interferes {
                self.cache.remove(&key);
            }
            self.loaded.fetch_add(1, Ordering::SeqCst);
            if fails { Err(key) } else { Ok(self.mint.token()) }
        });
        assert!(answer.is_ok_and(|token| token.number < u64::MAX) || fails);
    }

    fn look_around(&self) {
        let usage = self.cache.usage();
        assert!(usage.entries <= MOST.entries && usage.bytes <= MOST.bytes, "{usage:?}");
        assert!(self.cache.len() as u64 <= MOST.entries);
        assert!(self.cache.next_timeout().is_none_or(|time| time.as_millis() < u64::MAX));
        let numbers: Vec<_> = self.cache.iter().map(|(_, token)| token.number).collect();
        let distinct: HashSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len(), "a walk saw one write twice");
    }

    /// Checks what must hold whenever no call is under way.
    fn check(&self) {
        assert_eq!(self.cache.validate(), Ok(()));
        let (stats, usage) = (self.cache.stats(), self.cache.usage());
        assert!(usage.entries <= MOST.entries && usage.bytes <= MOST.bytes, "{usage:?}");
        let mut accounted = usage;
        removals(&stats).into_iter().for_each(|removed| accounted += removed);
        assert_eq!((stats.usage, stats.inserted), (usage, accounted));
        let written = self.written.load(Ordering::SeqCst);
        let loaded = self.loaded.load(Ordering::SeqCst);
        assert!((written..=written + loaded).contains(&stats.inserted.entries));
    }

    /// Checks that the listener was told what the statistics say, of each write no more than once,
    /// and that nothing is kept which the books do not know.
    fn check_removals(&self) {
        let told = self.journal.take();
        let mut tallies = CAUSES.map(|_| Usage::default());
        for removed in &told {
            let cause = CAUSES.iter().position(|cause| *cause == removed.cause).unwrap();
            tallies[cause].entries += 1;
            tallies[cause].bytes += u64::from(removed.weight.bytes());
        }
        assert_eq!(tallies, removals(&self.cache.stats()));
        let distinct: HashSet<_> = told.iter().map(|removed| removed.value.number).collect();
        assert_eq!(distinct.len(), told.len(), "a removal was told twice");
        let there: Vec<_> = self.cache.iter().map(|(_, token)| token.number).collect();
        assert!(!there.iter().any(|number| distinct.contains(number)), "removed and still there");
        drop(told);
        assert_eq!(self.mint.alive(), self.cache.len() as i64, "kept or dropped without a trace");
    }
}

fn stress(setup: Setup) {
    let world = World::new(setup);
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (world, barrier) = (&world, &barrier);
            scope.spawn(move || {
                let mut random = Random::new(thread);
                for _ in 0..ROUNDS {
                    (0..CALLS_PER_ROUND).for_each(|_| world.call(&mut random));
                    if barrier.wait().is_leader() {
                        world.check();
                    }
                    barrier.wait();
                }
            });
        }
    });
    world.check();
    world.check_removals();
    let stats = world.cache.stats();
    let was_seen = removals(&stats).map(|removed| removed.entries > 0);
    assert_eq!(was_seen, [true; 4], "some cause never came up: {stats:?}");
    assert!(stats.hits > 0 && stats.misses > 0 && stats.rejected > 0);
    let World { cache, mint, .. } = world;
    drop(cache);
    assert_eq!(mint.alive(), 0);
}

#[track_caller]
fn check(strategy: Strategy) {
    for shards in [1, 8] {
        without_deadlock(move || stress(Setup { strategy, shards }));
    }
}

#[test]
fn ttl_under_many_threads() {
    check(Strategy::Ttl);
}

#[test]
fn fifo_under_many_threads() {
    check(Strategy::Fifo);
}

#[test]
fn lru_under_many_threads() {
    check(Strategy::Lru);
}

#[test]
fn lfu_under_many_threads() {
    check(Strategy::Lfu);
}

#[test]
fn sieve_under_many_threads() {
    check(Strategy::Sieve);
}

#[test]
fn s3_fifo_under_many_threads() {
    check(Strategy::S3Fifo);
}

#[test]
fn w_tinylfu_under_many_threads() {
    check(Strategy::WTinyLfu);
}
