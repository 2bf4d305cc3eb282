//! The cache of bytes as a [`Store`]: the contract it shares with the stores that are elsewhere.

use std::convert::Infallible;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Insertion, Key, Lifetime, Page, Put, PutCondition,
    PutOptions, ReconfigureError, Refusal, Removal, RemovalListener, Removed, Slice, Stats, Store,
    Usage, Weighing, Weight,
};

use crate::builder::Builder;
use crate::cache::{Cache, InsertOptions, SLICE};
use crate::conditional::Refused;
use crate::iter::survey;

/// A shard is to be maintained at least this often: entries written meanwhile may expire earlier than
/// all that are there now.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

impl Cache<Key, Bytes> {
    /// Starts a cache that is a [`Store`]: it charges an entry the bytes of its key and of its value.
    pub fn of_bytes(config: Config) -> Builder<Key, Bytes> {
        Self::builder(config)
            .weigher(|key, value| Weight::of_len(key.as_bytes().len().saturating_add(value.len())))
    }
}

/// Its partitions are the shards. An entry is charged what the cache's weigher says, so only one made by
/// [`Cache::of_bytes`], or with a like weigher, keeps the contract. Nothing ever waits, and nothing fails.
/// Where nothing expires, accesses are dated by the shard's last write or upkeep.
impl<S: BuildHasher + Send + Sync> Store for Cache<Key, Bytes, S> {
    type Error = Infallible;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Infallible> {
        Ok(self.get(key))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Infallible> {
        Ok(keys.iter().map(|key| self.get(key)).collect())
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Infallible> {
        let PutOptions { ttl, condition } = options;
        let options = InsertOptions { ttl, weight: None };
        Ok(came_of(self.insert_if(condition, key.clone(), value, options)))
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Infallible> {
        let options = InsertOptions { ttl, weight: None };
        let put = |(key, value): &(Key, Bytes)| {
            came_of(self.insert_if(PutCondition::Always, key.clone(), value.clone(), options))
        };
        Ok(entries.iter().map(put).collect())
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Infallible> {
        Ok(keys.iter().filter(|key| self.remove(*key).is_some()).count() as u64)
    }

    async fn contains(&self, key: &Key) -> Result<bool, Infallible> {
        Ok(self.contains(key))
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Infallible> {
        let hash = self.hash(key);
        let books = &*self.lock(hash);
        Ok(books.ledger.lifetime(hash, key, self.read_time(books)))
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Infallible> {
        let hash = self.hash(key);
        let books = &*self.lock(hash);
        Ok(books.ledger.inspect(hash, key, self.clock.now()))
    }

    async fn clear(&self) -> Result<(), Infallible> {
        self.clear();
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, Infallible> {
        Ok(self.usage())
    }

    async fn stats(&self) -> Result<Stats, Infallible> {
        Ok(self.stats())
    }

    fn config(&self) -> Config {
        self.config()
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Infallible>> {
        Ok(self.reconfigure(config)?)
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Infallible> {
        Ok(self.page_of(partition, cursor, size))
    }

    fn partitions(&self) -> u32 {
        self.shards() as u32
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Infallible> {
        Ok(self.maintain_within(partition, budget))
    }

    fn watch(&self, listener: RemovalListener) {
        self.tell_also(Box::new(move |removed: &Removed<Key, Bytes>| {
            let Removed { key, weight, cause, .. } = removed;
            listener(&Removal { key: key.as_bytes(), weight: *weight, cause: *cause });
        }));
    }
}

impl<S: BuildHasher> Cache<Key, Bytes, S> {
    /// A page of a shard; one that is not there is empty. The places in it are cursors.
    fn page_of(&self, partition: u32, cursor: Cursor, size: u32) -> Page {
        let place = u32::try_from(cursor.place()).ok().filter(|_| cursor.origin() == 0);
        let began = Instant::now();
        let (entries, next) = match self.shards.get(partition as usize) {
            Some(shard) => survey(shard, place.unwrap_or(0), size, self.clock.now()),
            None => (Vec::new(), None),
        };
        Page {
            entries,
            weighing: Weighing::Charged,
            next: next.map(|place| Cursor::new(u64::from(place), 0)),
            begins_anew: place.is_none(),
            held: began.elapsed(),
        }
    }

    fn maintain_within(&self, partition: u32, budget: Budget) -> Slice {
        let mut slice = Slice { next: LONGEST_PAUSE, ..Slice::default() };
        let Some(shard) = self.shards.get(partition as usize) else { return slice };
        let now = self.clock.now();
        slice.overdue = shard.lock().ledger.overdue(now);
        let mut left = budget.entries.max(1);
        let is_done = loop {
            let (started, most) = (Instant::now(), left.min(SLICE as u64));
            let [expired, evicted] =
                self.maintain_slice(shard, now, most as usize).map(|n| n as u64);
            let took = started.elapsed();
            (slice.expired, slice.evicted) = (slice.expired + expired, slice.evicted + evicted);
            (slice.held, slice.longest) = (slice.held + took, slice.longest.max(took));
            left -= expired + evicted;
            let is_done = expired + evicted < most;
            if is_done || left == 0 || slice.held >= budget.time {
                break is_done;
            }
        };
        let ledger = &shard.lock().ledger;
        slice.excess = ledger.excess();
        if !is_done || slice.excess != Usage::default() {
            slice.next = Duration::ZERO;
        } else if let Some(timeout) = ledger.next_timeout() {
            let pause = timeout.as_millis().saturating_sub(now.as_millis());
            slice.next = slice.next.min(Duration::from_millis(pause));
        }
        slice
    }
}

fn came_of(outcome: Result<Insertion, Refused<Key, Bytes>>) -> Put {
    match outcome.map_err(|refused| refused.reason) {
        Ok(_) => Put::Stored,
        Err(Refusal::Unmet) => Put::Unmet,
        Err(Refusal::Rejected(rejection)) => Put::Rejected(rejection),
    }
}
