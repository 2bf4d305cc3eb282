//! The embedded store on simulated time, whose upkeep can be made to fail.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    RemovalCause, RemovalListener, Slice, Stats, Store, Timestamp, Usage,
};
use inval_memory::{Cache, Clock};
use tokio::time::Instant;

use crate::refusing::refuse_operations;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("out of order for an hour")]
pub(crate) struct OutOfOrder;

pub(crate) struct Troubled {
    pub(crate) cache: Cache<Key, Bytes>,
    is_broken: AtomicBool,
    deadlines: Arc<Mutex<Deadlines>>,
}

/// When entries should be gone, told by those who wrote and read them.
#[derive(Default)]
struct Deadlines {
    by_key: HashMap<Key, Instant>,
    /// How long the one that was the latest stayed beyond that.
    latest: Duration,
}

/// The time of the runtime, which stands still or jumps as its timers do.
struct Simulated(Instant);

impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.elapsed().as_millis() as u64)
    }
}

impl Troubled {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        let deadlines = Arc::new(Mutex::new(Deadlines::default()));
        let own = Arc::clone(&deadlines);
        let builder = Cache::of_bytes(config).shards(1).clock(Simulated(Instant::now()));
        let cache = builder.on_removal(move |removed| {
            let Deadlines { by_key, latest } = &mut *own.lock().unwrap();
            let deadline = by_key.remove(&removed.key).unwrap();
            if removed.cause == RemovalCause::Expired {
                *latest = (*latest).max(Instant::now() - deadline);
            }
        });
        Arc::new(Self { cache: cache.build(), is_broken: AtomicBool::new(false), deadlines })
    }

    /// Reads a key, and writes it where it is not; whether it was written.
    pub(crate) fn request(&self, key: Key, size: usize) -> bool {
        let config = self.cache.config();
        let is_there = self.cache.get(&key).is_some();
        if !is_there {
            self.cache.insert(key.clone(), vec![0; size].into());
        }
        if !is_there || config.time_to_idle().is_some() {
            let life = config.ttl().or(config.time_to_idle()).unwrap();
            self.deadlines.lock().unwrap().by_key.insert(key, Instant::now() + life);
        }
        !is_there
    }

    /// How late the latest of the entries was that have expired since this was last asked.
    pub(crate) fn take_lateness(&self) -> Duration {
        std::mem::take(&mut self.deadlines.lock().unwrap().latest)
    }

    pub(crate) fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

impl Store for Troubled {
    type Error = OutOfOrder;

    refuse_operations!(OutOfOrder);

    async fn stats(&self) -> Result<Stats, OutOfOrder> {
        Ok(self.cache.stats())
    }

    fn config(&self) -> Config {
        self.cache.config()
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<OutOfOrder>> {
        Store::reconfigure(&self.cache, config).await.map_err(|error| match error {
            ReconfigureError::Change(change) => change.into(),
        })
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, OutOfOrder> {
        let Ok(page) = Store::page(&self.cache, partition, cursor, size).await;
        Ok(page)
    }

    async fn usage(&self) -> Result<Usage, OutOfOrder> {
        Err(OutOfOrder)
    }

    fn partitions(&self) -> u32 {
        Store::partitions(&self.cache)
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, OutOfOrder> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(OutOfOrder);
        }
        let Ok(slice) = Store::maintain(&self.cache, partition, budget).await;
        Ok(slice)
    }

    fn watch(&self, listener: RemovalListener) {
        self.cache.watch(listener);
    }
}
