//! What one strategy promises and others do not, by the keys that are left.

mod support {
    pub(crate) mod cache;
    pub(crate) mod keys;
}

use inval_core::RemovalCause::Evicted;
use inval_core::{Config, ConfigBuilder, Strategy};
use support::cache::Cache;

fn cache(strategy: Strategy, entries: u64) -> Cache {
    Cache::new(Config::builder().strategy(strategy).max_entries(entries))
}

/// What fills a new cache goes to the main queue but for the first tenth, and keys that are seen once pass
/// through the small queue alone.
#[test]
fn s3_fifo_keeps_what_filled_it_from_keys_that_are_seen_once() {
    let mut cache = cache(Strategy::S3Fifo, 100);
    (0..100).for_each(|key| drop(cache.put(key)));
    (1_000..1_500).for_each(|key| drop(cache.put(key)));
    assert!(cache.live(100).into_iter().eq(10..100));
}

/// As many of those that left the small queue are remembered as the main queue is meant to hold.
#[test]
fn s3_fifo_keeps_a_key_that_comes_back_while_it_is_remembered() {
    let check = |others: u64, stays: bool| {
        let mut cache = cache(Strategy::S3Fifo, 100);
        (0..=100).for_each(|key| drop(cache.put(key)));
        (1_000..1_000 + others).for_each(|key| drop(cache.put(key)));
        assert_eq!(cache.live(1), []);
        cache.put(0);
        (2_000..2_100).for_each(|key| drop(cache.put(key)));
        assert_eq!(cache.live(1).contains(&0), stays, "{others} others left after it");
    };
    check(0, true);
    check(50, true);
    check(80, true);
    check(95, false);
}

/// The main queue gives way, its oldest first, where it holds more than nine tenths.
#[test]
fn s3_fifo_leaves_a_tenth_to_what_is_new() {
    let check = |limit: fn(ConfigBuilder) -> ConfigBuilder| {
        let mut cache = Cache::new(limit(Config::builder().strategy(Strategy::S3Fifo)));
        (0..=100).for_each(|key| drop(cache.put(key)));
        assert_eq!(cache.put(0).1, [(1, Evicted)], "comes back to the main queue");
        assert_eq!(cache.put(101).1, [(10, Evicted)], "the oldest there");
        assert_eq!(cache.put(102).1, [(2, Evicted)]);
    };
    check(|config| config.max_entries(100));
    check(|config| config.max_bytes(100));
}

/// The oldest of the window competes with the oldest on probation, and the one that was seen less often goes.
#[test]
fn w_tinylfu_keeps_what_was_seen_more_often_than_what_comes() {
    let mut cache = cache(Strategy::WTinyLfu, 100);
    for key in 0..100 {
        cache.put(key);
        assert!(cache.read(key));
    }
    (1_000..1_200).for_each(|key| drop(cache.put(key)));
    assert!(cache.live(99).into_iter().eq(0..99));
    for key in 2_000..2_050 {
        (0..4).for_each(|_| drop(cache.put(key)));
    }
    assert!(cache.live(2_050).len() == 100 && cache.live(99).len() < 70);
}

/// So that nobody can lock the cache by raising the counts of a few keys, one in 64 warm keys is let in.
#[test]
fn w_tinylfu_lets_few_in_that_were_seen_less_often_though_they_are_warm() {
    let mut cache = cache(Strategy::WTinyLfu, 100);
    let see = |cache: &mut Cache, key, times: u64| {
        cache.put(key);
        (1..times).for_each(|_| assert!(cache.read(key)));
    };
    // As large as it will be, so that counts are not halved while it fills.
    (5_000..5_100).for_each(|key| drop(cache.put(key)));
    (5_000..5_100).for_each(|key| assert!(cache.remove(key).is_some()));
    (0..100).for_each(|key| see(&mut cache, key, if key < 10 { 13 } else { 1 }));
    (1_000..1_100).for_each(|key| see(&mut cache, key, 8));
    let left = cache.live(10).len();
    assert!(left >= 5, "{left} of ten are left");
}
