//! The contract of a store: what can be asked of it, and what it says of itself.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use crate::config::{ChangeError, Config};
use crate::ledger::Rejection;
use crate::stats::{RemovalCause, Stats, Usage};
use crate::units::{Key, Weight};

/// A cache of bytes under keys, wherever it is kept. An entry weighs the bytes of its key and of its
/// value. Every store keeps to its [`Config`](crate::Config) and passes the same suite of checks
/// (`inval_core::testing`, with the feature `testing`).
pub trait Store: Send + Sync {
    /// Why an operation could not be carried out.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The value under `key`, unless there is none or it has expired. Counts as a hit or a miss and as
    /// an access.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;

    /// The values under `keys`, in their order, as [`get`](Self::get) would return them.
    fn get_many(
        &self,
        keys: &[Key],
    ) -> impl Future<Output = Result<Vec<Option<Bytes>>, Self::Error>> + Send;

    /// Writes a value under `key`.
    fn put(
        &self,
        key: &Key,
        value: Bytes,
        options: PutOptions,
    ) -> impl Future<Output = Result<Put, Self::Error>> + Send;

    /// Writes values under their keys, whatever was there; of two under one key the later stays. What
    /// came of each is told in their order.
    fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> impl Future<Output = Result<Vec<Put>, Self::Error>> + Send;

    /// Deletes the entries under `keys` and returns how many there were. No value that was there
    /// before the call can be read once it has returned.
    fn invalidate(&self, keys: &[Key]) -> impl Future<Output = Result<u64, Self::Error>> + Send;

    /// Whether there is a live entry under `key`. Counts neither as a hit nor as an access.
    fn contains(&self, key: &Key) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// How long the entry under `key` has still to live. Counts neither as a hit nor as an access.
    fn lifetime(&self, key: &Key) -> impl Future<Output = Result<Lifetime, Self::Error>> + Send;

    /// What is known of the entry under `key`; `None` if there is none or it has expired. Counts neither as a
    /// hit nor as an access.
    fn inspect(
        &self,
        key: &Key,
    ) -> impl Future<Output = Result<Option<EntryInfo>, Self::Error>> + Send;

    /// The keys by which removals and [pages](Self::page) may name the entry under `key`, at least one, and first
    /// the one that it is written under: others where a store keeps digests instead of keys, and several while the
    /// secret of these changes.
    fn aliases(&self, key: &Key) -> Vec<Key> {
        vec![key.clone()]
    }

    /// Deletes everything. No value that was there before the call can be read once it has returned.
    fn clear(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// What is held, as far as it is booked. Its cost does not depend on the number of entries.
    fn usage(&self) -> impl Future<Output = Result<Usage, Self::Error>> + Send;

    /// Everything counted so far. Its cost does not depend on the number of entries.
    fn stats(&self) -> impl Future<Output = Result<Stats, Self::Error>> + Send;

    /// What it keeps to now.
    fn config(&self) -> Config;

    /// Keeps to the limits, the TTL and the jitter of `config` from now on; the rest of it must be as it is. A
    /// lowered limit is reached little by little, by writes and by [`maintain`](Self::maintain). What is above
    /// it does not grow until then, but for writes that a remote store has still to book. Entries keep the
    /// TTL they were written with.
    fn reconfigure(
        &self,
        config: &Config,
    ) -> impl Future<Output = Result<(), ReconfigureError<Self::Error>>> + Send;

    /// Some entries of a partition, as far as they are booked, with what is known of each: a walk over all of it
    /// begins at [`Cursor::START`] and goes on at [`Page::next`] until that is `None`. About `size` entries, 1 at
    /// the least, are looked at, which bounds the work; fewer may come of it, or none. Counts neither as a hit
    /// nor as an access.
    ///
    /// An entry that is there during the whole walk, and is not overwritten meanwhile, is seen exactly once
    /// where the books are walked, and at least once where a server is asked which keys it has. One that
    /// comes, goes or is overwritten may be seen as often as it was written, or not at all. A cursor that this
    /// store did not give out, or not in this walk, does no harm: the page is any of the partition's, or
    /// [begins the walk anew](Page::begins_anew).
    fn page(
        &self,
        partition: u32,
        cursor: Cursor,
        size: u32,
    ) -> impl Future<Output = Result<Page, Self::Error>> + Send;

    /// How many parts there are, each to be maintained by itself.
    fn partitions(&self) -> u32;

    /// Does upkeep of a partition within `budget`, less if there is less to do: takes off the books what has
    /// expired, evicts what is above the limits. To be called again after [`Slice::next`]; earlier
    /// does no harm.
    fn maintain(
        &self,
        partition: u32,
        budget: Budget,
    ) -> impl Future<Output = Result<Slice, Self::Error>> + Send;

    /// Waits until there is a partition that should be maintained at once, because writers are waiting for
    /// it or soon will be, and tells which. A store without such writers waits for ever.
    fn pressed(&self) -> impl Future<Output = u32> + Send {
        std::future::pending()
    }

    /// Calls `listener`, instead of an earlier one, for every removal that this process carries out or
    /// finds out. It is called in the middle of operations: it must neither block nor call the store.
    fn watch(&self, listener: RemovalListener);

    /// Gives up what keeps others from maintaining the same entries. This store is not to be maintained
    /// any more.
    fn release(&self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        std::future::ready(Ok(()))
    }
}

/// Who is told of removals.
pub type RemovalListener = Arc<dyn Fn(&Removal<'_>) + Send + Sync>;

/// An entry that has left. `Debug` does not show its key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Removal<'a> {
    /// Its key.
    pub key: &'a [u8],
    /// What it was charged.
    pub weight: Weight,
    /// Why it left.
    pub cause: RemovalCause,
}

impl std::fmt::Debug for Removal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { weight, cause, .. } = self;
        f.debug_struct("Removal")
            .field("weight", weight)
            .field("cause", cause)
            .finish_non_exhaustive()
    }
}

/// Why a store does not keep to another configuration. Nothing was changed, unless the store's error says
/// that the outcome is unknown.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum ReconfigureError<E> {
    /// The change cannot be made while the store is in use.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store failed.
    #[error(transparent)]
    Store(E),
}

/// How much a slice of upkeep may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// About how long it may take. Something is done however short this is.
    pub time: Duration,
    /// About how many changes it may book and entries it may remove.
    pub entries: u64,
    /// Whether to ask a remote store for work although it is not yet time to.
    pub is_urgent: bool,
}

impl Budget {
    /// Any number of entries within `time`.
    pub const fn within(time: Duration) -> Self {
        Self { time, entries: u64::MAX, is_urgent: false }
    }
}

/// How a value is to be written. The default is unconditional, with the configured TTL.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PutOptions {
    /// Its TTL instead of the configured one; beyond [`MAX_LIFETIME`](crate::MAX_LIFETIME) it does not
    /// expire.
    pub ttl: Option<Duration>,
    /// On what the write depends.
    pub condition: PutCondition,
}

/// On what a write depends.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PutCondition {
    /// On nothing.
    #[default]
    Always,
    /// There must be no live entry under the key.
    IfAbsent,
    /// There must be a live entry under the key.
    IfPresent,
}

/// What came of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Put {
    /// The value is there.
    Stored,
    /// The condition did not hold, and nothing was changed.
    Unmet,
    /// The value cannot be kept. An older one under the key was deleted, for it is out of date, unless
    /// the write had a condition.
    Rejected(Rejection),
}

/// How long an entry has still to live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lifetime {
    /// There is no such entry.
    Absent,
    /// It does not expire.
    Unlimited,
    /// It expires after this time.
    Remaining(Duration),
}

/// What is known of an entry without touching it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryInfo {
    /// What it is charged, as far as it is booked, or an [estimate](Weighing::Estimated) in a page that says so;
    /// `None` where only the manager knows, and that is elsewhere or busy.
    pub weight: Option<Weight>,
    /// How long it has still to live; never [`Lifetime::Absent`].
    pub lifetime: Lifetime,
    /// How long ago it was last read or written; `None` where the server does not tell.
    pub idle: Option<Duration>,
    /// How long ago it was written, as far as it is booked; `None` where nobody knows.
    pub age: Option<Duration>,
}

/// Where a walk over the entries of a partition goes on. It means something to the store alone that gave it
/// out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    place: u64,
    origin: u64,
}

impl Cursor {
    /// Where a walk begins.
    pub const START: Self = Self::new(0, 0);

    /// What a store gives out: a place, and in what that is a place.
    pub const fn new(place: u64, origin: u64) -> Self {
        Self { place, origin }
    }

    /// The place.
    pub const fn place(self) -> u64 {
        self.place
    }

    /// In what it is a place: the same number for the same books, or the same server process.
    pub const fn origin(self) -> u64 {
        self.origin
    }
}

/// Some entries of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// The entries.
    pub entries: Vec<(Key, EntryInfo)>,
    /// How it is known what they weigh.
    pub weighing: Weighing,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
    /// Whether the cursor meant nothing any more, so that this is the first page of a new walk: what was seen
    /// before is seen again.
    pub begins_anew: bool,
    /// How long the server was held, at the most; on an embedded store, how long the page took.
    pub held: Duration,
}

/// How it is known what entries weigh.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Weighing {
    /// It is what they are charged.
    #[default]
    Charged,
    /// It is what the server estimates that they take of its memory, which is somewhat more.
    Estimated,
}

/// How far whoever maintains a partition has got with its books.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Standing {
    /// It has no lease: somebody else maintains the partition, or nobody does yet.
    Vacant,
    /// It has the lease and makes its books from what is on the server.
    Rebuilding,
    /// Its books are true but for the backlog. An embedded store is never anything else.
    #[default]
    Steady,
}

/// What a slice of upkeep did, and what is left.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Slice {
    /// How far the one who maintains the partition has got.
    pub standing: Standing,
    /// Changes booked that clients had told of.
    pub records: u64,
    /// Entries evicted.
    pub evicted: u64,
    /// Entries found to have expired.
    pub expired: u64,
    /// Entries that were to be evicted and had been accessed since, so they stayed.
    pub spared: u64,
    /// How long the server was held; on an embedded store, how long the slice worked.
    pub held: Duration,
    /// The longest time at once that it was held, as far as is known.
    pub longest: Duration,
    /// Changes not booked yet, as far as is known.
    pub backlog: u64,
    /// What is booked above the limits.
    pub excess: Usage,
    /// How long ago the time of that entry passed which waited longest for this slice to take it off the books.
    /// Where entries are evicted after the fact, also for how long what was above the limits had been there, if
    /// that is more.
    pub overdue: Duration,
    /// How long requests waited for what the server did not do for them, in queues and on the network: the
    /// mean of this slice's. `None` where there is no server, or nothing was asked.
    pub latency: Option<Duration>,
    /// How far the server's clock is ahead of this process's wall clock, in microseconds, by the last reply that
    /// told. `None` where there is no server, or before it told.
    pub clock_offset_us: Option<i64>,
    /// About what share of a rebuild is done, from 0 to below 1; `None` but while
    /// [rebuilding](Standing::Rebuilding), and where nothing tells how much there is.
    pub rebuilt: Option<f64>,
    /// When to call again.
    pub next: Duration,
}

impl Slice {
    /// Whether it did nothing and left nothing to do, as far as is known.
    pub fn is_idle(&self) -> bool {
        let Self { records, evicted, expired, spared, backlog, excess, .. } = *self;
        [records, evicted, expired, spared, backlog, excess.entries, excess.bytes] == [0; 7]
    }
}
