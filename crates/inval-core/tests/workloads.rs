//! Hit ratios on workloads that set the policies apart, and the same choices from the same seed.
// Thousands of calls are beyond Miri, which enters the same code through the properties.
#![cfg(not(miri))]

mod support {
    pub(crate) mod cache;
    pub(crate) mod keys;
}

use std::ops::Range;

use inval_core::{Config, Strategy};
use support::cache::{Cache, for_each_strategy};
use support::keys::{hash, ms};

/// `count` keys drawn evenly from `keys`.
fn draws(keys: Range<u64>, count: u64, seed: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |n| keys.start + hash(hash(seed) ^ n) % (keys.end - keys.start))
}

fn cache(strategy: Strategy, entries: u64) -> Cache {
    Cache::new(Config::builder().strategy(strategy).max_entries(entries))
}

#[test]
fn a_new_hot_set_takes_over_from_an_old_one() {
    let check = |strategy, rounds: u64| {
        let hot = 150;
        let mut cache = cache(strategy, 200);
        cache.hit_ratio(draws(0..hot, 300 * hot, 1));
        let old = cache.hit_ratio(0..hot);
        assert!(old > 0.99, "{strategy}: {old} before the change");
        cache.hit_ratio(draws(1_000..1_000 + hot, rounds * hot, 2));
        let new = cache.hit_ratio(1_000..1_000 + hot);
        assert!(new > 0.9, "{strategy}: {new} after {rounds} rounds");
    };
    check(Strategy::Ttl, 4);
    check(Strategy::Fifo, 4);
    check(Strategy::Lru, 4);
    check(Strategy::Sieve, 12);
    check(Strategy::S3Fifo, 12);
    check(Strategy::WTinyLfu, 12);
    check(Strategy::Lfu, 50);
}

#[test]
fn scans_cost_lru_its_hot_set_but_not_the_scan_resistant() {
    let hot_ratio = |strategy| {
        let (hot, mut cache) = (60, cache(strategy, 100));
        let mut passing = 1_000_u64..;
        let mut hits = |rounds: u64| {
            let mixed = draws(0..hot, rounds * hot, rounds).zip(&mut passing);
            mixed.filter(|&(key, passing)| !cache.fetch(passing) && cache.fetch(key)).count()
        };
        hits(30);
        hits(100) as f64 / (100 * hot) as f64
    };
    let lru = hot_ratio(Strategy::Lru);
    assert!((0.5..0.75).contains(&lru), "lru: {lru}");
    for strategy in [Strategy::Lfu, Strategy::Sieve, Strategy::S3Fifo, Strategy::WTinyLfu] {
        let ratio = hot_ratio(strategy);
        assert!(ratio > 0.99, "{strategy}: {ratio}");
    }
}

#[test]
fn every_small_size_takes_any_number_of_keys() {
    for_each_strategy(|strategy| {
        for entries in 1..60 {
            let mut cache = cache(strategy, entries);
            cache.hit_ratio(draws(0..entries * 3, entries * 30, entries));
            cache.hit_ratio(1_000..1_000 + entries * 3);
            cache.ledger.validate().unwrap();
        }
    });
}

#[test]
fn the_same_seed_makes_the_same_choices() {
    for_each_strategy(|strategy| {
        let run = |seed| {
            let builder = Config::builder().strategy(strategy).max_entries(50);
            let mut cache = Cache::new(builder.ttl(ms(100)).ttl_jitter(0.5).seed(seed));
            let choices = draws(0..200, 5_000, 3).map(|key| {
                cache.now += 1;
                if cache.read(key) { vec![] } else { cache.put(key).1 }
            });
            choices.collect::<Vec<_>>()
        };
        assert!(run(7) == run(7));
        assert!(run(7) != run(8), "the jitter is another");
    });
}

#[test]
fn both_limits_hold_with_mixed_weights() {
    for_each_strategy(|strategy| {
        let (max_entries, max_bytes) = (300, 30_000);
        let builder = Config::builder().strategy(strategy).max_entries(max_entries);
        let mut cache = Cache::new(builder.max_bytes(max_bytes).ttl(ms(3_000)));
        let (mut most_entries, mut most_bytes) = (0, 0);
        for (n, key) in (0_u64..).zip(draws(0..1_000, 10_000, 4)) {
            cache.now += 1;
            // Long spells of light entries fill the one limit, heavy ones the other.
            let range = if (n / 1_000).is_multiple_of(2) { 40 } else { 1_000 };
            cache.put_heavy(key, (hash(n) % range) as u32);
            cache.read(key / 3);
            let usage = cache.ledger.stats().usage;
            assert!(usage.entries <= max_entries && usage.bytes <= max_bytes, "{usage:?}");
            (most_entries, most_bytes) =
                (usage.entries.max(most_entries), usage.bytes.max(most_bytes));
            if n.is_multiple_of(100) {
                assert_eq!(cache.ledger.validate(), Ok(()));
            }
        }
        assert_eq!(most_entries, max_entries, "the room is used");
        assert!(most_bytes > max_bytes * 9 / 10, "the room is used: {most_bytes}");
    });
}
