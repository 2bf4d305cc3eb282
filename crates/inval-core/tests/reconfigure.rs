//! What every strategy promises of a ledger whose limits and lifetimes change while it is in use.

mod support {
    pub(crate) mod cache;
    pub(crate) mod keys;
}

use inval_core::RemovalCause::{Evicted, Expired, Replaced};
use inval_core::{ChangeError, Config, ConfigBuilder, Insertion, Strategy, Usage};
use support::cache::{Cache, Written, for_each_strategy};
use support::keys::{ms, scaled};

const MANY: u64 = scaled(1_000);
/// The most that a write takes off besides what it needs the room of.
const BEYOND: usize = 16;

fn config(strategy: Strategy) -> ConfigBuilder {
    Config::builder().strategy(strategy)
}

fn full(config: ConfigBuilder) -> Cache {
    let mut cache = Cache::new(config);
    (0..MANY).for_each(|key| drop(cache.put_heavy(key, 2)));
    assert_eq!(cache.ledger.usage(), Usage { entries: MANY, bytes: 2 * MANY });
    (0..MANY / 2).for_each(|key| assert!(cache.read(key)));
    cache
}

#[expect(clippy::unwrap_used, reason = "a contradiction is a mistake in the test")]
fn change(cache: &mut Cache, config: ConfigBuilder) {
    assert_eq!(cache.ledger.reconfigure(&config.build().unwrap()), Ok(()));
    assert_eq!(cache.ledger.validate(), Ok(()));
}

#[test]
fn writes_reach_a_lowered_limit_little_by_little() {
    let check = |before: ConfigBuilder, after: ConfigBuilder| {
        let mut cache = full(before);
        change(&mut cache, after);
        assert_eq!(cache.ledger.len() as u64, MANY, "nothing goes at once");
        for key in MANY..MANY + 200 {
            let (usage, excess) = (cache.ledger.usage(), cache.ledger.excess());
            let Written(outcome, gone) = cache.put_heavy(key, 2);
            assert_eq!(outcome, Ok(Insertion::Inserted));
            assert!(gone.iter().all(|(_, cause)| *cause == Evicted));
            let wanted = excess.entries.max(excess.bytes.div_ceil(2)) as usize;
            assert_eq!(gone.len(), 1 + wanted.min(BEYOND));
            assert!(cache.ledger.usage().entries <= usage.entries);
            assert_eq!(cache.ledger.validate(), Ok(()));
        }
        assert_eq!(cache.ledger.usage(), Usage { entries: 10, bytes: 20 });
        assert_eq!(cache.ledger.excess(), Usage::default());
    };
    for_each_strategy(|strategy| {
        check(config(strategy).max_entries(MANY), config(strategy).max_entries(10));
        check(config(strategy).max_bytes(2 * MANY), config(strategy).max_bytes(20));
        check(config(strategy).ttl(ms(1)), config(strategy).max_entries(10).max_bytes(20));
    });
}

#[test]
fn upkeep_reaches_a_lowered_limit_in_slices_and_goes_no_further() {
    for_each_strategy(|strategy| {
        let mut cache = full(config(strategy).max_entries(MANY));
        (0..5).for_each(|key| drop(cache.put_for(key, 10)));
        change(&mut cache, config(strategy).max_entries(10).ttl(ms(1_000)));
        cache.now = 10;
        let gone = cache.maintain(20);
        assert!(gone[..5].iter().all(|(key, cause)| *key < 5 && *cause == Expired));
        assert!(gone[5..].iter().all(|(_, cause)| *cause == Evicted));
        assert_eq!(gone.len(), 20);
        assert_eq!(cache.maintain(usize::MAX).len() as u64, MANY - 30);
        assert_eq!((cache.maintain(9), cache.ledger.len()), (vec![], 10));
        assert_eq!(cache.ledger.validate(), Ok(()));
    });
}

#[test]
fn overwriting_above_a_lowered_limit_evicts_nobody() {
    let check = |before: ConfigBuilder, after: ConfigBuilder| {
        let mut cache = full(before);
        change(&mut cache, after);
        for (key, weight) in (0..50).flat_map(|key| [(key, 2), (key, 1), (key, 1)]) {
            let want = Written(Ok(Insertion::Replaced), vec![(key, Replaced)]);
            assert_eq!(cache.put_heavy(key, weight), want);
        }
        assert_eq!(cache.ledger.len() as u64, MANY);
        let Written(outcome, gone) = cache.put_heavy(60, 4);
        assert_eq!(outcome, Ok(Insertion::Replaced));
        assert_eq!(gone[0], (60, Replaced), "what grows makes room");
        assert!(gone.len() <= 1 + 4 + BEYOND && cache.live(61).contains(&60));
    };
    for_each_strategy(|strategy| {
        check(config(strategy).max_bytes(2 * MANY), config(strategy).max_bytes(20));
    });
}

#[test]
fn a_raised_limit_lets_more_in() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(10));
        (0..10).for_each(|key| drop(cache.put(key)));
        change(&mut cache, config(strategy).max_entries(MANY));
        (10..MANY).for_each(|key| {
            assert_eq!(cache.put(key), Written(Ok(Insertion::Inserted), vec![]));
        });
        assert_eq!(cache.put(MANY).1.len(), 1);
        assert_eq!(cache.ledger.validate(), Ok(()));
    });
}

#[test]
fn a_limit_raised_before_a_lowered_one_was_reached_ends_the_descent() {
    for_each_strategy(|strategy| {
        let mut cache = full(config(strategy).max_entries(MANY));
        change(&mut cache, config(strategy).max_entries(1));
        cache.maintain(20);
        change(&mut cache, config(strategy).max_entries(MANY - 15));
        assert_eq!(cache.put(MANY), Written(Ok(Insertion::Inserted), vec![]));
        assert_eq!(cache.maintain(9), []);
        (1..5).for_each(|key| assert_eq!(cache.put(MANY + key).1, []));
        assert_eq!(cache.put(MANY + 5).1.len(), 1);
    });
}

#[test]
fn a_ledger_that_is_cleared_above_its_limit_keeps_to_it_at_once() {
    for_each_strategy(|strategy| {
        let mut cache = full(config(strategy).max_entries(MANY));
        change(&mut cache, config(strategy).max_entries(3));
        assert_eq!(cache.ledger.clear().count() as u64, MANY);
        (0..9).for_each(|key| drop(cache.put(key)));
        assert_eq!((cache.ledger.len(), cache.ledger.validate()), (3, Ok(())));
    });
}

#[test]
fn a_ttl_is_for_what_is_written_from_then_on() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(10).ttl(ms(10)));
        cache.put(0);
        change(&mut cache, config(strategy).max_entries(10).ttl(ms(50)));
        cache.put(1);
        change(&mut cache, config(strategy).max_entries(10));
        cache.put(2);
        assert!(cache.ledger.may_expire());
        cache.now = 10;
        assert_eq!(cache.live(3), [1, 2]);
        cache.now = 50;
        assert_eq!(cache.live(3), [2]);
        cache.maintain(9);
        assert!(!cache.ledger.may_expire());
    });
}

#[test]
fn what_decides_how_entries_are_kept_stays() {
    for_each_strategy(|strategy| {
        let other = if strategy == Strategy::Lru { Strategy::Fifo } else { Strategy::Lru };
        let mut cache = Cache::new(config(strategy).max_entries(2).seed(7));
        let mut check = |next: ConfigBuilder, field: &'static str| {
            let before = *cache.ledger.config();
            let outcome = cache.ledger.reconfigure(&next.build().unwrap());
            assert_eq!(outcome, Err(ChangeError::Fixed { field }));
            assert_eq!(*cache.ledger.config(), before);
        };
        check(config(other).max_entries(9), "strategy");
        check(config(strategy).max_entries(9).time_to_idle(ms(1)), "time_to_idle");
        change(&mut cache, config(strategy).max_entries(3).seed(9));
        assert_eq!(
            (cache.ledger.config().seed(), cache.ledger.config().max_entries()),
            (7, Some(3))
        );
    });
}
