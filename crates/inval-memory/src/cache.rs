//! The cache itself: reads, writes, removal, upkeep.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;
use inval_core::{
    Arrival, ChangeError, Config, Inconsistency, Insertion, Rejected, RemovalCause, Removed, Stats,
    Timestamp, Usage, Weight,
};

use crate::clock::Clock;
use crate::flight::InFlight;
use crate::iter::Iter;
use crate::shard::{Books, Shard};
use crate::sync::{Mutex, MutexGuard};

pub(crate) type Weigher<K, V> = Box<dyn Fn(&K, &V) -> Weight + Send + Sync>;
pub(crate) type Listener<K, V> = Box<dyn Fn(&Removed<K, V>) + Send + Sync>;

/// How many entries are taken off the books before other threads get a turn.
pub(crate) const SLICE: usize = 16;

/// Entries on their way out, collected under the lock and dropped outside it. A write seldom removes
/// more than one, which then needs no allocation.
pub(crate) struct Removals<K, V> {
    first: Option<Removed<K, V>>,
    rest: Vec<Removed<K, V>>,
}

impl<K, V> Removals<K, V> {
    pub(crate) fn new() -> Self {
        Self { first: None, rest: Vec::new() }
    }

    fn count(&self, cause: RemovalCause) -> usize {
        self.iter().filter(|removed| removed.cause == cause).count()
    }

    fn iter(&self) -> impl Iterator<Item = &Removed<K, V>> {
        self.first.iter().chain(&self.rest)
    }
}

impl<K, V> Extend<Removed<K, V>> for Removals<K, V> {
    #[inline]
    fn extend<I: IntoIterator<Item = Removed<K, V>>>(&mut self, removed: I) {
        for removed in removed {
            match self.first {
                None => self.first = Some(removed),
                Some(_) => self.rest.push(removed),
            }
        }
    }
}

/// A concurrent cache with limits, a strategy and lifetimes. See the [crate's documentation](crate)
/// for an example. All methods take `&self`; put it into an `Arc` to share it.
///
/// Methods on a key accept any borrowed form of it, like those of `HashMap`.
pub struct Cache<K, V, S = RandomState> {
    pub(crate) shards: Box<[Shard<K, V>]>,
    hasher: S,
    weigher: Option<Weigher<K, V>>,
    pub(crate) clock: Box<dyn Clock>,
    listener: Option<Listener<K, V>>,
    /// Who is told besides the listener, once somebody has asked to be.
    watcher: OnceLock<ArcSwap<Listener<K, V>>>,
    /// What all shards together keep to. Its lock is held while they are given something else to keep to.
    config: Mutex<Config>,
}

/// What a single entry may have of its own. The default leaves all to the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct InsertOptions {
    /// Its TTL instead of the configured one; beyond 2^40 ms (34 years) it does not expire.
    pub ttl: Option<Duration>,
    /// Its weight instead of what the weigher says.
    pub weight: Option<Weight>,
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Cache<K, V, S> {
    pub(crate) fn assemble(
        shards: Box<[Shard<K, V>]>,
        hasher: S,
        weigher: Option<Weigher<K, V>>,
        clock: Box<dyn Clock>,
        listener: Option<Listener<K, V>>,
        config: Config,
    ) -> Self {
        let (watcher, config) = (OnceLock::new(), Mutex::new(config));
        Self { shards, hasher, weigher, clock, listener, watcher, config }
    }

    /// The value under `key`, unless there is none or it has expired. Counts as a hit or a miss and
    /// as an access.
    #[inline]
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hash(key);
        let books = &mut *self.lock(hash);
        let now = self.read_time(books);
        books.ledger.get(hash, key, now).cloned()
    }

    /// Whether a live entry is under `key`. Counts nothing and leaves the order of eviction as it is.
    pub fn contains<Q>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hash(key);
        let books = &*self.lock(hash);
        books.ledger.peek(hash, key, self.read_time(books)).is_some()
    }

    /// Writes a value under `key`. A value that cannot be kept, because it is heavier than a shard's
    /// limit, is dropped and counted in [`Stats::rejected`]; [`insert_with`](Self::insert_with)
    /// tells.
    pub fn insert(&self, key: K, value: V) {
        let _ = self.insert_with(key, value, InsertOptions::default());
    }

    /// Writes a value under `key` with a TTL or weight of its own. If it cannot be kept it comes back
    /// with the reason; an older value under the key is removed all the same, for it is out of date.
    pub fn insert_with(
        &self,
        key: K,
        value: V,
        options: InsertOptions,
    ) -> Result<Insertion, Rejected<K, V>> {
        let hash = self.hash(&key);
        let arrival = self.arrival(hash, key, value, options);
        let mut removed = Removals::new();
        let outcome = {
            let books = &mut *self.lock(hash);
            let now = self.write_time(books, options.ttl);
            books.flights.cut_off(hash, &arrival.key);
            books.ledger.insert(arrival, now, &mut removed)
        };
        self.announce(removed);
        outcome
    }

    /// Takes the entry under `key` out and returns its value, unless there was none or it had
    /// expired. A value that is being loaded for the key meanwhile will not be kept.
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let hash = self.hash(key);
        let removed = {
            let books = &mut *self.lock(hash);
            let now = self.read_time(books);
            books.flights.cut_off(hash, key);
            books.ledger.remove(hash, key, now)
        }?;
        self.tell(&removed);
        (removed.cause == RemovalCause::Invalidated).then_some(removed.value)
    }

    /// Takes everything out, shard by shard. No value that was there before the call can be read
    /// after it, and none that is being loaded meanwhile is kept.
    pub fn clear(&self) {
        for shard in &self.shards {
            let removed = {
                let books = &mut *shard.lock();
                books.flights.cut_off_all();
                books.ledger.clear()
            };
            removed.for_each(|removed| self.tell(&removed));
        }
    }

    /// What the cache keeps to.
    pub fn config(&self) -> Config {
        *self.config.lock()
    }

    /// Keeps to the limits, the TTL and the jitter of `config` from now on. Its strategy and time to idle must
    /// be those there are; the number of shards and the seed stay. Entries keep the TTL they were written
    /// with.
    ///
    /// A lowered limit is reached little by little: a write evicts what it needs the room of and up to
    /// sixteen entries more, [`maintain`](Self::maintain) the rest. Until then nothing grows that is above its
    /// limit.
    pub fn reconfigure(&self, config: &Config) -> Result<(), ChangeError> {
        let mut own = self.config.lock();
        let parts = own.change(config, self.shards.len() as u32)?;
        let changed = own.changed_to(config)?;
        for (shard, part) in self.shards.iter().zip(parts) {
            shard.lock().ledger.reconfigure(&part)?;
        }
        *own = changed;
        Ok(())
    }

    /// Takes all entries off the books whose time has passed at `now`, evicts what is above a lowered limit,
    /// and returns how many have gone. Works in short slices, so that other threads get their turn. Reads
    /// never return an expired entry, whether or not this is called.
    pub fn maintain(&self, now: Timestamp) -> usize {
        self.shards.iter().map(|shard| self.maintain_shard(shard, now)).sum()
    }

    /// No entry expires before this point, on the cache's clock; `None` if none will. A good time to
    /// call [`maintain`](Self::maintain).
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.shards.iter().filter_map(|shard| shard.lock().ledger.next_timeout()).min()
    }

    /// What the cache holds now, expired entries that await collection included.
    pub fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        self.shards.iter().for_each(|shard| usage += shard.lock().ledger.usage());
        usage
    }

    /// How many entries the cache holds now.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().ledger.len()).sum()
    }

    /// Whether the cache holds nothing.
    pub fn is_empty(&self) -> bool {
        self.shards.iter().all(|shard| shard.lock().ledger.is_empty())
    }

    /// Everything counted so far. Its cost does not depend on the number of entries. Each shard is
    /// read at one instant, all of them not at the same one.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats::default();
        self.shards.iter().for_each(|shard| stats += &shard.lock().ledger.stats());
        stats
    }

    /// Copies of all live entries, in no order. Nothing is locked between two entries: an entry
    /// that is there throughout the walk is seen exactly once, others at most once for each time they
    /// were written. Counts nothing and leaves the order of eviction as it is.
    pub fn iter(&self) -> Iter<'_, K, V>
    where
        K: Clone,
    {
        Iter::new(&self.shards, self.clock.now())
    }

    /// How many shards the cache has.
    pub fn shards(&self) -> usize {
        self.shards.len()
    }

    /// Recounts every shard and compares it with its books; for tests and diagnosis. Linear in the
    /// number of entries, and each shard is locked meanwhile.
    pub fn validate(&self) -> Result<(), Inconsistency> {
        self.shards.iter().try_for_each(|shard| shard.lock().ledger.validate())
    }

    #[inline]
    pub(crate) fn hash<Q: Hash + ?Sized>(&self, key: &Q) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Locks the shard of a hash. The ledger uses the low half of it, the shard is chosen by the
    /// high half.
    #[inline]
    pub(crate) fn lock(&self, hash: u64) -> MutexGuard<'_, Books<K, V>> {
        let shard = (hash >> 32) as usize & (self.shards.len() - 1);
        self.shards[shard].lock()
    }

    /// The time of a read. Where nothing can expire the ledger's last write is recent enough: it only
    /// dates the access, which saves reading the clock.
    #[inline]
    pub(crate) fn read_time(&self, books: &Books<K, V>) -> Timestamp {
        if books.ledger.has_deadlines() { self.clock.now() } else { Timestamp::default() }
    }

    /// The time of a write. Where nothing can expire it only dates the entry.
    #[inline]
    pub(crate) fn write_time(&self, books: &Books<K, V>, ttl: Option<Duration>) -> Timestamp {
        if ttl.is_some() || books.ledger.may_expire() {
            self.clock.now()
        } else {
            self.clock.coarse_now()
        }
    }

    /// What a write brings, weighed.
    pub(crate) fn arrival(
        &self,
        hash: u64,
        key: K,
        value: V,
        options: InsertOptions,
    ) -> Arrival<K, V> {
        let weight = options.weight.unwrap_or_else(|| match &self.weigher {
            Some(weigher) => weigher(&key, &value),
            None => Weight::of_len(size_of::<K>() + size_of::<V>()),
        });
        Arrival { hash, key, value, weight, ttl: options.ttl }
    }

    /// Ends a load and writes its value, unless it was cut off meanwhile.
    pub(crate) fn land(&self, number: u64, arrival: Arrival<K, V>) -> Option<InFlight<K, V>> {
        let mut removed = Removals::new();
        let hash = arrival.hash;
        // The flight and what is not kept outlive the lock, also if a call of the user's panics.
        let flight;
        let _not_kept = {
            let books = &mut *self.lock(hash);
            flight = books.flights.land(hash, number);
            if flight.as_ref().is_some_and(|flight| flight.is_wanted) {
                let now = self.write_time(books, arrival.ttl);
                Err(books.ledger.insert(arrival, now, &mut removed).err())
            } else {
                Ok(arrival)
            }
        };
        self.announce(removed);
        flight
    }

    /// Tells the listener of what left, then drops it.
    pub(crate) fn announce(&self, removed: Removals<K, V>) {
        removed.iter().for_each(|removed| self.tell(removed));
    }

    fn tell(&self, removed: &Removed<K, V>) {
        if let Some(listener) = &self.listener {
            listener(removed);
        }
        if let Some(watcher) = self.watcher.get() {
            watcher.load()(removed);
        }
    }

    /// Calls `watcher`, instead of an earlier one, for every entry that leaves from now on, besides the
    /// listener.
    pub(crate) fn tell_also(&self, watcher: Listener<K, V>) {
        let watcher = Arc::new(watcher);
        self.watcher.get_or_init(|| ArcSwap::new(Arc::clone(&watcher))).store(watcher);
    }

    fn maintain_shard(&self, shard: &Shard<K, V>, now: Timestamp) -> usize {
        let mut total = 0;
        loop {
            let [expired, evicted] = self.maintain_slice(shard, now, SLICE);
            total += expired + evicted;
            if expired + evicted < SLICE {
                return total;
            }
        }
    }

    /// Takes up to `most` entries off the books of a shard: how many had expired, and how many were evicted.
    pub(crate) fn maintain_slice(
        &self,
        shard: &Shard<K, V>,
        now: Timestamp,
        most: usize,
    ) -> [usize; 2] {
        let mut removed = Removals::new();
        let gone = shard.lock().ledger.maintain(now, most, &mut removed);
        let evicted = removed.count(RemovalCause::Evicted);
        self.announce(removed);
        [gone - evicted, evicted]
    }
}

impl<K, V, S> fmt::Debug for Cache<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}
