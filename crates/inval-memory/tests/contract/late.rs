//! The suite waits for a store that books late, as a remote one does.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use inval_core::testing::{Harness, run};
use inval_memory::{
    Budget, Cursor, EntryInfo, ManualClock, Page, ReconfigureError, RemovalListener, Usage,
};
use inval_memory::{Clock, Config, Key, Lifetime, Put, PutOptions, Slice, Stats, Store, Timestamp};

use super::harness::{ByteCache, Memory};
use crate::support::setup::ms;
use crate::support::tasks::Task;

/// How long after an operation the statistics tell of it.
const DELAY: Duration = Duration::from_millis(200);

/// The embedded store, whose statistics are those of some time ago.
struct Late {
    store: ByteCache,
    clock: ManualClock,
    booked: Mutex<(Timestamp, Stats)>,
}

impl Store for Late {
    type Error = std::convert::Infallible;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Self::Error> {
        Store::get(&self.store, key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Self::Error> {
        self.store.get_many(keys).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Self::Error> {
        self.store.put(key, value, options).await
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Self::Error> {
        self.store.put_many(entries, ttl).await
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Self::Error> {
        self.store.invalidate(keys).await
    }

    async fn contains(&self, key: &Key) -> Result<bool, Self::Error> {
        Store::contains(&self.store, key).await
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Self::Error> {
        self.store.lifetime(key).await
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Self::Error> {
        self.store.inspect(key).await
    }

    async fn clear(&self) -> Result<(), Self::Error> {
        Store::clear(&self.store).await
    }

    async fn usage(&self) -> Result<Usage, Self::Error> {
        Ok(self.booked.lock().unwrap().1.usage)
    }

    async fn stats(&self) -> Result<Stats, Self::Error> {
        Ok(self.booked.lock().unwrap().1.clone())
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Self::Error> {
        self.store.page(partition, cursor, size).await
    }

    fn partitions(&self) -> u32 {
        self.store.partitions()
    }

    fn config(&self) -> Config {
        Store::config(&self.store)
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Self::Error>> {
        Store::reconfigure(&self.store, config).await
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Self::Error> {
        let booked = &mut *self.booked.lock().unwrap();
        if self.clock.now() < booked.0 {
            return Ok(Slice { next: ms(10), ..Slice::default() });
        }
        let Ok(slice) = Task::new(Store::maintain(&self.store, partition, budget)).finish();
        *booked = (self.clock.now().saturating_add(DELAY), self.store.stats());
        Ok(Slice { next: ms(10), ..slice })
    }

    fn watch(&self, listener: RemovalListener) {
        self.store.watch(listener);
    }
}

struct LateMemory(Memory);

impl Harness for LateMemory {
    type Store = Late;

    const MOMENT: Duration = Duration::from_secs(1);
    const ACCESS_GRAIN: Duration = Memory::ACCESS_GRAIN;
    const TTL_BESIDES_IDLE: bool = true;

    fn partitions(&self) -> u32 {
        self.0.partitions()
    }

    async fn open(&self, config: Config, partitions: u32) -> Late {
        let store = self.0.open(config, partitions).await;
        let clock = self.0.clock().clone();
        Late { store, booked: Mutex::new((clock.now(), Stats::default())), clock }
    }

    async fn pass(&self, by: Duration) {
        self.0.pass(by).await;
    }
}

#[test]
fn a_store_that_books_late_passes() {
    let outcome = Task::new(run(&LateMemory(Memory::new(1)))).finish();
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
