//! Puts a cache together: shards, hasher, weigher, clock, listener.

use std::hash::{BuildHasher, Hash};
use std::thread::available_parallelism;

use foldhash::fast::RandomState;
use inval_core::{Config, Removed, Weight};

use crate::cache::{Cache, Listener, Weigher};
use crate::clock::{Clock, MonotonicClock};
use crate::shard::Shard;

/// Shards for each processor: enough that two threads seldom meet in one.
const SHARDS_PER_PROCESSOR: usize = 4;
/// A default shard has room for at least this much, so that its policy has something to choose from.
const LEAST_ENTRIES: u64 = 256;
const LEAST_BYTES: u64 = 64 * 1024;

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// An empty cache that keeps to `config`.
    pub fn new(config: Config) -> Self {
        Self::builder(config).build()
    }

    /// Starts a cache that keeps to `config`, to choose shards, hasher, weigher, clock or listener.
    pub fn builder(config: Config) -> Builder<K, V> {
        Builder::new(config)
    }
}

/// Collects what a [`Cache`] is made of. Made by [`Cache::builder`].
#[must_use]
pub struct Builder<K, V, S = RandomState> {
    config: Config,
    shards: Option<usize>,
    hasher: S,
    weigher: Option<Weigher<K, V>>,
    clock: Box<dyn Clock>,
    listener: Option<Listener<K, V>>,
}

impl<K, V> Builder<K, V> {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            shards: None,
            hasher: RandomState::default(),
            weigher: None,
            clock: Box::new(MonotonicClock::default()),
            listener: None,
        }
    }
}

impl<K, V, S> Builder<K, V, S> {
    /// Splits the cache into `shards`, rounded up to a power of two but never so many that a shard
    /// would have no room. One shard makes the order of eviction exact; more let threads work side by
    /// side. The default is four for each processor, fewer for a small cache. An entry can weigh
    /// at most `max_bytes` divided by the number of shards.
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Hashes keys with `hasher`, whose 64 bits must be well mixed. The default is seeded at random,
    /// so that nobody can choose keys that collide.
    pub fn hasher<T: BuildHasher>(self, hasher: T) -> Builder<K, V, T> {
        let Self { config, shards, weigher, clock, listener, .. } = self;
        Builder { config, shards, hasher, weigher, clock, listener }
    }

    /// Charges an entry what `weigher` says. It is called once for each write, outside all locks. The
    /// default charges the size of the key and value types.
    pub fn weigher(mut self, weigher: impl Fn(&K, &V) -> Weight + Send + Sync + 'static) -> Self {
        self.weigher = Some(Box::new(weigher));
        self
    }

    /// Takes the time from `clock`.
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Calls `listener` for every entry that leaves, with the cause, in the thread whose call made it
    /// leave and outside all locks. For one key the calls of two threads may come in either order.
    pub fn on_removal(mut self, listener: impl Fn(&Removed<K, V>) + Send + Sync + 'static) -> Self {
        self.listener = Some(Box::new(listener));
        self
    }
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Builder<K, V, S> {
    /// The cache, empty.
    pub fn build(self) -> Cache<K, V, S> {
        let parts = partition(&self.config, self.shards);
        let shards: Box<[_]> = parts.iter().map(Shard::new).collect();
        Cache::assemble(shards, self.hasher, self.weigher, self.clock, self.listener, self.config)
    }
}

/// The configurations of the shards, a power of two in number.
fn partition(config: &Config, wanted: Option<usize>) -> Vec<Config> {
    let processors = available_parallelism().map_or(1, usize::from);
    let share_is_fair = |count: u64| {
        config.max_entries().is_none_or(|limit| limit / count >= LEAST_ENTRIES)
            && config.max_bytes().is_none_or(|limit| limit / count >= LEAST_BYTES)
    };
    let most = wanted.unwrap_or(processors * SHARDS_PER_PROCESSOR).clamp(1, 1 << 16);
    let mut count = most.next_power_of_two() as u64;
    while wanted.is_none() && count > 1 && !share_is_fair(count) {
        count /= 2;
    }
    loop {
        let parts: Option<Vec<_>> = (0..count).map(|i| config.partition(i, count)).collect();
        match parts {
            Some(parts) => return parts,
            None => count /= 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_a_power_of_two_and_none_is_without_room() {
        let check = |entries: u64, wanted: usize, want: usize| {
            let config = Config::builder().max_entries(entries).build().unwrap();
            assert_eq!(partition(&config, Some(wanted)).len(), want, "{entries} in {wanted}");
        };
        check(100, 0, 1);
        check(100, 1, 1);
        check(100, 3, 4);
        check(3, 8, 2);
        check(1, 64, 1);
        check(1 << 20, usize::MAX, 1 << 16);
    }

    #[test]
    fn a_small_cache_gets_one_shard_by_default() {
        let small = Config::builder().max_entries(300).build().unwrap();
        assert_eq!(partition(&small, None).len(), 1);
        let bytes = Config::builder().max_bytes(100_000).build().unwrap();
        assert_eq!(partition(&bytes, None).len(), 1);
    }
}
