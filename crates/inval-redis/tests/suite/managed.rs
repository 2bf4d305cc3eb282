//! A cache with its manager, which ends with it. Who reads, who writes and who manages may be different users.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::engine::EngineSettings;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    RemovalListener, Slice, Stats, Store, Usage,
};
use inval_redis::{Cache, Client, Error};
use tokio::task::JoinHandle;

const BUDGET: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_millis(40);
/// After the suite has done upkeep, the manager leaves it alone for as long.
const TURN: Duration = Duration::from_millis(200);

/// A cache, and the manager that works while the suite does something else.
pub(crate) struct Managed {
    reads: Arm,
    writes: Arm,
    upkeep: Cache,
    manager: JoinHandle<()>,
    suite_worked: Arc<Mutex<Option<Instant>>>,
}

/// What a user does its part with. One that may not change the configuration follows it, a second late; the suite
/// does not wait for that, so it is opened anew then, and what it has read is still to be told.
struct Arm {
    user: Option<Client>,
    opened: Mutex<Vec<Cache>>,
}

impl Arm {
    fn new(user: Option<Client>, cache: Cache) -> Self {
        Self { user, opened: Mutex::new(vec![cache]) }
    }

    fn cache(&self) -> Cache {
        self.opened.lock().unwrap().last().unwrap().clone()
    }

    async fn open_anew(&self) {
        let Some(client) = &self.user else { return };
        let namespace = self.cache().namespace().clone();
        let cache = Cache::attach(client.clone(), namespace, EngineSettings::default()).await;
        self.opened.lock().unwrap().push(cache.unwrap());
    }

    /// The statistics, with all that was read.
    async fn stats(&self) -> Result<Stats, Error> {
        let opened = self.opened.lock().unwrap().clone();
        let mut stats = Stats::default();
        for cache in opened {
            stats = cache.stats().await?;
        }
        Ok(stats)
    }
}

impl Managed {
    pub(crate) fn new(cache: Cache) -> Self {
        let arm = || Arm::new(None, cache.clone());
        Self::of(arm(), arm(), cache.clone())
    }

    /// The namespace that `upkeep` manages, read from and written to by other users.
    pub(crate) async fn shared(readers: Client, writers: Client, upkeep: Cache) -> Self {
        let open = async |client: Client| {
            let (namespace, engine) = (upkeep.namespace().clone(), EngineSettings::default());
            let cache = Cache::attach(client.clone(), namespace, engine).await.unwrap();
            Arm::new(Some(client), cache)
        };
        let (reads, writes) = (open(readers).await, open(writers).await);
        Self::of(reads, writes, upkeep)
    }

    fn of(reads: Arm, writes: Arm, upkeep: Cache) -> Self {
        let suite_worked = Arc::new(Mutex::new(None));
        let manager = tokio::spawn(manage(upkeep.clone(), Arc::clone(&suite_worked)));
        Self { reads, writes, upkeep, manager, suite_worked }
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
        self.reads.cache().get(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Error> {
        self.reads.cache().get_many(keys).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Error> {
        self.writes.cache().put(key, value, options).await
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Error> {
        self.writes.cache().put_many(entries, ttl).await
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Error> {
        self.writes.cache().invalidate(keys).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, Error> {
        self.reads.cache().contains(key).await
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Error> {
        self.reads.cache().lifetime(key).await
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Error> {
        self.upkeep.inspect(key).await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.writes.cache().clear().await
    }

    async fn usage(&self) -> Result<Usage, Error> {
        Ok(self.stats().await?.usage)
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.reads.stats().await
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Error> {
        Store::page(&self.upkeep, partition, cursor, size).await
    }

    fn partitions(&self) -> u32 {
        Store::partitions(&self.upkeep)
    }

    fn config(&self) -> Config {
        Store::config(&self.upkeep)
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Error>> {
        self.upkeep.reconfigure(config).await?;
        self.reads.open_anew().await;
        self.writes.open_anew().await;
        Ok(())
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Error> {
        *self.suite_worked.lock().unwrap() = Some(Instant::now());
        // What was done in the step before, the manager's perhaps, is told with this one.
        let before = self.upkeep.maintain(partition, budget).await?;
        tokio::time::sleep(before.next.min(BUDGET)).await;
        let slice = self.upkeep.maintain(partition, budget).await?;
        Ok(Slice {
            records: before.records + slice.records,
            evicted: before.evicted + slice.evicted,
            expired: before.expired + slice.expired,
            ..slice
        })
    }

    fn watch(&self, listener: RemovalListener) {
        self.upkeep.watch(listener);
    }
}
