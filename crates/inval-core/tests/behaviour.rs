//! What every strategy promises, one test for each way in which a cache was seen to break such a promise.

mod support {
    pub(crate) mod cache;
    pub(crate) mod keys;
}

use std::collections::{BTreeMap, BTreeSet};

use inval_core::RemovalCause::{Evicted, Expired, Invalidated, Replaced};
use inval_core::{Config, ConfigBuilder, Histogram, Insertion, Rejection, Stats, Strategy, Usage};
use support::cache::{Cache, Written, for_each_strategy};
use support::keys::{at, hash, ms, scaled};

fn config(strategy: Strategy) -> ConfigBuilder {
    Config::builder().strategy(strategy)
}

fn usage(entries: u64, bytes: u64) -> Usage {
    Usage { entries, bytes }
}

#[test]
fn overwriting_at_capacity_evicts_nobody() {
    let check = |builder: ConfigBuilder, weight: u32| {
        let mut cache = Cache::new(builder);
        (0..4).for_each(|key| drop(cache.put_heavy(key, 5)));
        for key in (0..scaled(40)).map(|n| n * 3 % 4) {
            let want = Written(Ok(Insertion::Replaced), vec![(key, Replaced)]);
            assert_eq!(cache.put_heavy(key, weight), want);
            cache.read(key / 2);
        }
        assert_eq!(cache.live(4), [0, 1, 2, 3]);
    };
    for_each_strategy(|strategy| {
        check(config(strategy).max_entries(4), 5);
        check(config(strategy).max_bytes(20), 5);
        check(config(strategy).max_bytes(20), 2);
        check(config(strategy).max_entries(4).max_bytes(20), 0);
    });
}

#[test]
fn what_has_expired_goes_before_what_lives() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(4));
        cache.put(0);
        cache.put(1);
        cache.put_for(2, 10);
        cache.put_for(3, 10);
        (0..20).for_each(|_| assert!(cache.read(2) && cache.read(3)));
        cache.now = 10;
        let Written(outcome, gone) = cache.put(4);
        assert_eq!(outcome, Ok(Insertion::Inserted));
        assert_eq!(gone, [(2, Expired), (3, Expired)]);
        assert_eq!(cache.live(5), [0, 1, 4]);
    });
}

#[test]
fn an_entry_has_expired_at_its_deadline() {
    let check = |builder: ConfigBuilder, ttl_ms: Option<u64>| {
        let mut cache = Cache::new(builder);
        cache.write(1, 1, ttl_ms.map(ms));
        cache.now = 9;
        assert_eq!(cache.live(2), [1]);
        cache.now = 10;
        assert!(!cache.read(1));
        assert_eq!(cache.live(2), []);
        assert_eq!(cache.ledger.page(0, 1, at(10)).0.count(), 0);
        assert_eq!(cache.put(1), Written(Ok(Insertion::Inserted), vec![(1, Expired)]));
        cache.now = 20;
        cache.write(1, 1, ttl_ms.map(ms));
        cache.now = 30;
        assert_eq!(cache.remove(1), Some((1, Expired)));
    };
    for_each_strategy(|strategy| {
        check(config(strategy).ttl(ms(10)), None);
        check(config(strategy).ttl(ms(5)), Some(10));
        check(config(strategy).time_to_idle(ms(10)), None);
        check(config(strategy).time_to_idle(ms(10)).ttl(ms(20)), Some(50));
        check(config(strategy).max_entries(3).ttl(ms(10)), Some(10));
    });
}

#[test]
fn a_clock_that_jumps_back_neither_resurrects_nor_expires() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(10));
        cache.now = 1_000;
        cache.put_for(0, 50);
        cache.put_for(1, 100);
        cache.now = 1_050;
        assert!(!cache.read(0));
        cache.now = 3;
        assert!(!cache.read(0) && cache.read(1));
        assert_eq!(cache.put_for(2, 100), Written(Ok(Insertion::Inserted), vec![(0, Expired)]));
        cache.now = 1_099;
        assert_eq!(cache.live(3), [1, 2]);
        cache.now = 1_100;
        assert_eq!(cache.live(3), [2], "written at 1050, the latest time known");
        cache.now = 1_150;
        assert_eq!(cache.maintain(9), [(1, Expired), (2, Expired)]);
    });
}

#[test]
fn at_the_end_of_time_nothing_hangs_and_a_write_can_be_read() {
    for_each_strategy(|strategy| {
        for end in [(1 << 48) - 2, (1 << 48) - 1, 1 << 48, u64::MAX] {
            let builder = config(strategy).max_entries(2).ttl(ms(1_000)).time_to_idle(ms(100));
            let mut cache = Cache::new(builder);
            cache.put(0);
            cache.now = end;
            assert!(!cache.read(0));
            for key in 1..5 {
                cache.put(key);
                assert!(cache.read(key));
            }
            assert_eq!((cache.maintain(9), cache.ledger.len()), (vec![], 2));
        }
    });
}

#[test]
fn reads_extend_the_time_to_idle_but_never_beyond_the_ttl() {
    let check = |builder: ConfigBuilder, reads: &[(u64, bool)]| {
        let mut cache = Cache::new(builder.max_entries(9));
        cache.put(1);
        for &(now, found) in reads {
            cache.now = now;
            assert_eq!(cache.read(1), found, "at {now}");
        }
    };
    for_each_strategy(|strategy| {
        let idle = || config(strategy).time_to_idle(ms(30));
        check(idle(), &[(29, true), (58, true), (87, true), (117, false)]);
        check(idle(), &[(30, false)]);
        check(idle().ttl(ms(70)), &[(29, true), (58, true), (69, true), (70, false)]);
        let mut looked_at = Cache::new(idle());
        looked_at.put(1);
        looked_at.now = 29;
        assert_eq!(looked_at.live(2), [1]);
        looked_at.now = 30;
        assert_eq!(looked_at.live(2), [], "peeking is no use");
    });
}

#[test]
fn an_entry_that_grows_makes_room_but_does_not_go_itself() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_bytes(12));
        (0..3).for_each(|key| drop(cache.put_heavy(key, 4)));
        for (key, weight, left) in [(0, 8, 2), (0, 12, 1), (0, 1, 1)] {
            let Written(outcome, gone) = cache.put_heavy(key, weight);
            assert_eq!(outcome, Ok(Insertion::Replaced));
            assert_eq!(gone[0], (key, Replaced));
            assert!(gone[1..].iter().all(|&(other, cause)| other != key && cause == Evicted));
            assert!(cache.read(key));
            assert_eq!(cache.ledger.len(), left);
        }
    });
}

#[test]
fn a_write_that_is_refused_takes_the_outdated_value_away() {
    let check = |strategy, weight, ttl_ms: Option<u64>, want: Rejection| {
        let mut cache = Cache::new(config(strategy).max_bytes(10));
        cache.put_heavy(1, 4);
        cache.put_heavy(2, 6);
        let written = cache.write(1, weight, ttl_ms.map(ms));
        assert_eq!(written, Written(Err(want), vec![(1, Replaced)]));
        assert_eq!(cache.write(1, weight, ttl_ms.map(ms)), Written(Err(want), vec![]));
        assert_eq!(cache.live(3), [2]);
        assert_eq!(cache.ledger.stats().rejected, 2);
    };
    for_each_strategy(|strategy| {
        check(strategy, 11, None, Rejection::TooHeavy { weight: 11, max_bytes: 10 });
        check(strategy, 1, Some(0), Rejection::NoTimeToLive);
    });
}

#[test]
fn jitter_shortens_and_spreads_but_never_lengthens() {
    let expiries = |jitter: f64| {
        let mut cache = Cache::new(Config::builder().ttl(ms(1_000)).ttl_jitter(jitter));
        let entries = scaled(1_000);
        (0..entries).for_each(|key| drop(cache.put(key)));
        let mut expired_at = BTreeMap::new();
        while let Some(wake) = cache.ledger.next_timeout() {
            cache.now = wake.as_millis();
            let count = cache.maintain(usize::MAX).len();
            *expired_at.entry(cache.now).or_insert(0) += count;
        }
        expired_at.retain(|_, count| *count > 0);
        assert_eq!(expired_at.values().sum::<usize>(), entries as usize);
        expired_at
    };
    assert!(expiries(0.0).keys().eq(&[1_000]));
    let spread = expiries(0.2);
    assert!(spread.keys().all(|at| (800..=1_000).contains(at)), "{spread:?}");
    assert!(spread.len() as u64 > scaled(100), "{spread:?}");
    assert!(spread.range(..850).count() > 0 && spread.range(950..).count() > 0, "{spread:?}");
}

#[test]
fn a_cache_with_room_for_one_holds_the_latest() {
    let check = |builder: ConfigBuilder| {
        let mut cache = Cache::new(builder);
        cache.put_heavy(0, 1);
        for key in 1..scaled(40) {
            assert_eq!(cache.put(key), Written(Ok(Insertion::Inserted), vec![(key - 1, Evicted)]));
            assert!(cache.read(key));
        }
    };
    for_each_strategy(|strategy| {
        check(config(strategy).max_entries(1));
        check(config(strategy).max_bytes(1));
    });
}

#[test]
fn no_key_is_lost_while_a_cache_grows_and_shrinks() {
    let keys = scaled(400);
    let mut cache = Cache::new(Config::builder().ttl(ms(1_000)));
    let mut want = BTreeSet::new();
    for n in 0..6 * keys {
        let key = hash(n) % keys;
        // Mostly writes at first, then mostly removals, then writes again.
        if hash(key ^ n) % 4 < if n / (2 * keys) == 1 { 1 } else { 3 } {
            let outcome = if want.insert(key) { Insertion::Inserted } else { Insertion::Replaced };
            assert_eq!(cache.put(key).0, Ok(outcome));
        } else {
            assert_eq!(cache.remove(key).is_some(), want.remove(&key));
        }
        if n.is_multiple_of(keys) {
            assert!(cache.live(keys).into_iter().eq(want.iter().copied()));
            assert_eq!(cache.ledger.validate(), Ok(()));
        }
    }
}

#[test]
fn statistics_tell_what_happened() {
    let mut cache = Cache::new(config(Strategy::Lru).max_entries(3).max_bytes(20));
    cache.put_heavy(1, 5);
    cache.put_heavy(2, 7);
    cache.write(3, 2, Some(ms(100)));
    cache.now = 32;
    assert!(cache.read(1) && cache.read(3) && !cache.read(4));
    cache.now = 96;
    cache.put_heavy(4, 9);
    cache.put_heavy(1, 4);
    cache.put_heavy(5, 21);
    cache.now = 100;
    assert!(!cache.read(3));
    cache.maintain(1);
    cache.remove(1);

    let histogram = |ms| {
        let mut histogram = Histogram::default();
        histogram.record(ms);
        histogram
    };
    let want = Stats {
        hits: 2,
        misses: 2,
        inserted: usage(5, 27),
        rejected: 1,
        expired: usage(1, 2),
        evicted: usage(1, 7),
        invalidated: usage(1, 4),
        replaced: usage(1, 5),
        vanished: usage(0, 0),
        usage: usage(1, 9),
        peak: usage(3, 16),
        evicted_age: histogram(96),
        evicted_idle: histogram(96),
        ..Stats::default()
    };
    assert_eq!(cache.ledger.stats(), want);
    assert_eq!(want.miss_ratio(), Some(0.5));
}

#[test]
fn clearing_hands_everything_back_and_keeps_the_counters() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(3).ttl(ms(50)));
        assert!((0..5).all(|key| !cache.fetch(key)));
        let evicted = cache.ledger.stats().evicted;
        let gone: Vec<_> = cache.ledger.clear().collect();
        assert_eq!(gone.len(), 3);
        assert!(gone.iter().all(|gone| gone.cause == Invalidated));
        assert_eq!(cache.ledger.validate(), Ok(()));
        assert!(cache.ledger.is_empty() && cache.ledger.next_timeout().is_none());

        let stats = cache.ledger.stats();
        assert_eq!((stats.usage, stats.peak), (usage(0, 0), usage(3, 3)));
        assert_eq!((stats.misses, stats.evicted, stats.invalidated), (5, evicted, usage(3, 3)));
        assert!((0..3).all(|key| cache.put(key) == Written(Ok(Insertion::Inserted), vec![])));
        assert_eq!(cache.ledger.validate(), Ok(()));
    });
}

#[test]
fn a_walk_meets_what_stays_exactly_once() {
    for_each_strategy(|strategy| {
        let mut cache = Cache::new(config(strategy).max_entries(500));
        let stable = |key: u64| key.is_multiple_of(3);
        (0..60).for_each(|key| drop(cache.put(key)));
        let (mut met, mut from, mut fresh) = (Vec::new(), Some(0), 60);
        while let Some(place) = from {
            let (entries, next) = cache.ledger.page(place, 7, at(0));
            met.extend(entries.map(|(&key, _)| key).filter(|&key| stable(key)));
            from = next.filter(|_| place < 1_000);
            for _ in 0..3 {
                cache.remove(fresh * 7 % 60 / 3 * 3 + 1);
                cache.put(fresh * 3 + 1);
                fresh += 1;
            }
            cache.put(u64::from(place) / 3 * 3 % 60);
        }
        met.sort_unstable();
        assert!(met.iter().copied().eq((0..60).filter(|&key| stable(key))), "{met:?}");
    });
}
