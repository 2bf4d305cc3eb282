//! Caches to check: every strategy, with one shard and with several, under a clock that stands still.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::hash::{BuildHasherDefault, DefaultHasher, Hash};
use std::time::Duration;

use inval_core::ConfigBuilder;
use inval_memory::{Builder, Cache, Config, InsertOptions, Strategy, Timestamp, Weight};

/// Hashes alike in every run, so that what is evicted does not change from run to run.
pub(crate) type FixedHasher = BuildHasherDefault<DefaultHasher>;

/// The hasher is fixed where the outcome may depend on it.
pub(crate) type FixedCache<K, V> = Cache<K, V, FixedHasher>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) strategy: Strategy,
    pub(crate) shards: usize,
}

impl Setup {
    pub(crate) fn config(self) -> ConfigBuilder {
        Config::builder().strategy(self.strategy)
    }

    /// A configuration with so much room that nothing is evicted.
    pub(crate) fn roomy(self) -> ConfigBuilder {
        self.config().max_entries(100_000)
    }

    pub(crate) fn builder<K: Hash + Eq, V: Clone>(
        self,
        config: ConfigBuilder,
    ) -> Builder<K, V, FixedHasher> {
        let hasher = FixedHasher::default();
        Cache::builder(config.build().unwrap()).shards(self.shards).hasher(hasher)
    }
}

/// Runs `check` for each strategy, with one shard and with several, and names the one that fails.
/// Miri tries one strategy.
pub(crate) fn for_each_setup(check: impl Fn(Setup)) {
    let strategies: &[_] = if cfg!(miri) { &[Strategy::S3Fifo] } else { &Strategy::ALL };
    for &strategy in strategies {
        for shards in [1, 8] {
            let setup = Setup { strategy, shards };
            eprintln!("{setup:?}");
            check(setup);
        }
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

pub(crate) fn ttl(ttl_ms: u64) -> InsertOptions {
    InsertOptions { ttl: Some(ms(ttl_ms)), ..InsertOptions::default() }
}

pub(crate) fn weight(bytes: u32) -> InsertOptions {
    InsertOptions { weight: Some(Weight::new(bytes)), ..InsertOptions::default() }
}
