//! A cache with its manager, which ends with it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    RemovalListener, Slice, Stats, Store, Usage,
};
use inval_redis::{Cache, Error};
use tokio::task::JoinHandle;

const BUDGET: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_millis(40);
/// After the suite has done upkeep, the manager leaves it alone for as long.
const TURN: Duration = Duration::from_millis(200);

/// A cache, and the manager that works while the suite does something else.
pub(crate) struct Managed {
    cache: Cache,
    manager: JoinHandle<()>,
    suite_worked: Arc<Mutex<Option<Instant>>>,
}

impl Managed {
    pub(crate) fn new(cache: Cache) -> Self {
        let suite_worked = Arc::new(Mutex::new(None));
        let manager = tokio::spawn(manage(cache.clone(), Arc::clone(&suite_worked)));
        Self { cache, manager, suite_worked }
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        self.manager.abort();
    }
}

async fn manage(cache: Cache, suite_worked: Arc<Mutex<Option<Instant>>>) {
    loop {
        let is_suite_at_work =
            suite_worked.lock().unwrap().is_some_and(|at: Instant| at.elapsed() < TURN);
        for partition in (0..Store::partitions(&cache)).filter(|_| !is_suite_at_work) {
            cache.maintain(partition, Budget::within(BUDGET)).await.unwrap();
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Store for Managed {
    type Error = Error;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.cache.get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.cache.get_many(keys).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Error> {
        self.cache.put(key, value, options).await
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Error> {
        self.cache.put_many(entries, ttl).await
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Error> {
        self.cache.invalidate(keys).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, Error> {
        self.cache.contains(key).await
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Error> {
        self.cache.lifetime(key).await
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Error> {
        self.cache.inspect(key).await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.cache.clear().await
    }

    async fn usage(&self) -> Result<Usage, Error> {
        self.cache.usage().await
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.cache.stats().await
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Error> {
        Store::page(&self.cache, partition, cursor, size).await
    }

    fn partitions(&self) -> u32 {
        Store::partitions(&self.cache)
    }

    fn config(&self) -> Config {
        Store::config(&self.cache)
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Error>> {
        self.cache.reconfigure(config).await
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Error> {
        *self.suite_worked.lock().unwrap() = Some(Instant::now());
        // What was done in the step before, the manager's perhaps, is told with this one.
        let before = self.cache.maintain(partition, budget).await?;
        tokio::time::sleep(before.next.min(BUDGET)).await;
        let slice = self.cache.maintain(partition, budget).await?;
        Ok(Slice {
            records: before.records + slice.records,
            evicted: before.evicted + slice.evicted,
            expired: before.expired + slice.expired,
            ..slice
        })
    }

    fn watch(&self, listener: RemovalListener) {
        self.cache.watch(listener);
    }
}
