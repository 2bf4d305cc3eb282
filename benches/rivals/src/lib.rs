//! The caches that are compared, behind one trait that costs nothing.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::time::Duration;

use inval_memory::{Cache, Config, Strategy};

/// A cache under test, with `u64` keys and values.
pub trait Contender: Send + Sync + Sized {
    /// As it stands in the tables.
    const NAME: &'static str;

    /// An empty cache for `capacity` entries, as its own documentation makes one.
    fn with_capacity(capacity: usize) -> Self;

    /// The value under `key`.
    fn get(&self, key: u64) -> Option<u64>;

    /// Writes `value` under `key`.
    fn insert(&self, key: u64, value: u64);

    /// Reads `key` and writes it if it is missing; whether it was there. By the cache's own
    /// operation for this where it has one.
    fn get_or_insert(&self, key: u64) -> bool {
        let hit = self.get(key).is_some();
        if !hit {
            self.insert(key, key);
        }
        hit
    }

    /// Lets a cache that defers its upkeep catch up.
    fn settle(&self) {}
}

/// inval with the strategy that its default configuration has.
pub struct Inval(Cache<u64, u64>);

impl Contender for Inval {
    const NAME: &'static str = "inval (s3-fifo)";

    #[expect(clippy::expect_used, reason = "capacities are constants above zero")]
    fn with_capacity(capacity: usize) -> Self {
        let config = Config::builder().strategy(Strategy::S3Fifo).max_entries(capacity as u64);
        Self(Cache::new(config.build().expect("capacity is above zero")))
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(&key)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.0.insert(key, value);
    }

    #[inline]
    fn get_or_insert(&self, key: u64) -> bool {
        let mut hit = true;
        self.0.get_or_insert_with(&key, || {
            hit = false;
            key
        });
        hit
    }
}

/// The same with a TTL for every entry, for which the others have no like.
pub struct InvalTtl(Inval);

impl Contender for InvalTtl {
    const NAME: &'static str = "inval (s3-fifo, every entry with a TTL)";

    #[expect(clippy::expect_used, reason = "capacities are constants above zero")]
    fn with_capacity(capacity: usize) -> Self {
        let config = Config::builder().max_entries(capacity as u64).ttl(Duration::from_secs(3600));
        Self(Inval(Cache::new(config.build().expect("capacity is above zero"))))
    }

    fn get(&self, key: u64) -> Option<u64> {
        self.0.get(key)
    }

    fn insert(&self, key: u64, value: u64) {
        self.0.insert(key, value);
    }
}

impl Contender for quick_cache::sync::Cache<u64, u64> {
    const NAME: &'static str = "quick_cache";

    fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity)
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline]
    fn get_or_insert(&self, key: u64) -> bool {
        let mut hit = true;
        let _ = self.get_or_insert_with(&key, || {
            hit = false;
            Ok::<_, std::convert::Infallible>(key)
        });
        hit
    }
}

impl Contender for moka::sync::Cache<u64, u64> {
    const NAME: &'static str = "moka";

    fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity as u64)
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.insert(key, value);
    }

    #[inline]
    fn get_or_insert(&self, key: u64) -> bool {
        let mut hit = true;
        self.get_with(key, || {
            hit = false;
            key
        });
        hit
    }

    fn settle(&self) {
        self.run_pending_tasks();
    }
}

impl Contender for mini_moka::sync::Cache<u64, u64> {
    const NAME: &'static str = "mini-moka";

    fn with_capacity(capacity: usize) -> Self {
        Self::new(capacity as u64)
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.get(&key)
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.insert(key, value);
    }

    fn settle(&self) {
        mini_moka::sync::ConcurrentCacheExt::sync(self);
    }
}

impl Contender for foyer::Cache<u64, u64> {
    const NAME: &'static str = "foyer";

    fn with_capacity(capacity: usize) -> Self {
        foyer::CacheBuilder::new(capacity).build()
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.get(&key).map(|entry| *entry.value())
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.insert(key, value);
    }
}

/// The crate `lru` behind one mutex: what people write by hand.
pub struct MutexedLru(Mutex<lru::LruCache<u64, u64>>);

impl MutexedLru {
    fn lock(&self) -> std::sync::MutexGuard<'_, lru::LruCache<u64, u64>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Contender for MutexedLru {
    const NAME: &'static str = "Mutex<lru>";

    fn with_capacity(capacity: usize) -> Self {
        Self(Mutex::new(lru::LruCache::new(NonZeroUsize::MIN.saturating_add(capacity - 1))))
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.lock().get(&key).copied()
    }

    #[inline]
    fn insert(&self, key: u64, value: u64) {
        self.lock().put(key, value);
    }

    #[inline]
    fn get_or_insert(&self, key: u64) -> bool {
        let mut hit = true;
        self.lock().get_or_insert(key, || {
            hit = false;
            key
        });
        hit
    }
}

/// Calls `$visit!(Type)` for every contender.
#[macro_export]
macro_rules! for_each_contender {
    ($visit:ident) => {
        $visit!($crate::Inval);
        $visit!(quick_cache::sync::Cache<u64, u64>);
        $visit!(moka::sync::Cache<u64, u64>);
        $visit!(mini_moka::sync::Cache<u64, u64>);
        $visit!(foyer::Cache<u64, u64>);
        $visit!($crate::MutexedLru);
    };
}
