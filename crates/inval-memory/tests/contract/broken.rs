//! Stores that break the contract, each in one way.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inval_core::testing::Harness;
use inval_memory::PutCondition::{Always, IfAbsent, IfPresent};
use inval_memory::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, MAX_LIFETIME, Page, Put, PutOptions,
    ReconfigureError, Removal, RemovalCause, RemovalListener, Slice, Stats, Store, Strategy,
    Timestamp, Usage, Weight,
};
use thiserror::Error;

use super::faults::Fault;
use super::harness::{ByteCache, Memory};
use crate::support::tasks::yield_once;

/// Short enough for upkeep to keep up all the same.
const RESTING: Duration = Duration::from_millis(1);

/// Makes embedded stores with a fault.
pub(crate) struct BrokenMemory {
    fault: Fault,
    memory: Memory,
}

impl BrokenMemory {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { fault, memory: Memory::new(1) }
    }
}

impl Harness for BrokenMemory {
    type Store = Broken;

    const MOMENT: Duration = Memory::MOMENT;
    const ACCESS_GRAIN: Duration = Memory::ACCESS_GRAIN;
    const TTL_BESIDES_IDLE: bool = true;
    const SOLE_UPKEEP: bool = true;
    /// Nothing in this store ever comes late.
    const PATIENCE: Duration = Duration::from_millis(100);

    fn partitions(&self) -> u32 {
        self.memory.partitions()
    }

    async fn open(&self, config: Config, partitions: u32) -> Broken {
        let most = config.max_entries();
        let builder = self.memory.builder(distorted(&config, self.fault), partitions);
        let weighs_values = self.fault == Fault::WeighsValuesOnly;
        let builder = builder.weigher(move |key: &Key, value| {
            let of_key = if weighs_values { 0 } else { key.as_bytes().len() };
            Weight::of_len(of_key + value.len())
        });
        Broken::new(builder.build(), self.fault, most)
    }

    async fn pass(&self, by: Duration) {
        self.memory.pass(by).await;
    }
}

/// The configuration as the fault has it.
fn distorted(config: &Config, fault: Fault) -> Config {
    let strategy = match config.strategy() {
        Strategy::Lru => Strategy::Fifo,
        Strategy::Fifo | Strategy::Ttl => Strategy::Lru,
        other => other,
    };
    let jitter = if fault == Fault::IgnoresJitter { 0.0 } else { config.ttl_jitter() };
    let times = if fault == Fault::DoublesLimits { 2 } else { 1 };
    let mut changed = Config::builder().ttl_jitter(jitter).seed(config.seed());
    changed = changed.strategy(match fault {
        Fault::ConfusesStrategies => strategy,
        _ => config.strategy(),
    });
    if let Some(entries) = config.max_entries() {
        changed = changed.max_entries(entries * times);
    }
    if let Some(bytes) = config.max_bytes() {
        changed = changed.max_bytes(bytes * times);
    }
    if let Some(ttl) = config.ttl() {
        changed = changed.ttl(ttl);
    }
    if let Some(idle) = config.time_to_idle() {
        changed = changed.time_to_idle(idle);
    }
    changed.build().unwrap()
}

/// The embedded store, but for the fault.
pub(crate) struct Broken {
    store: ByteCache,
    fault: Fault,
    max_entries: Option<u64>,
    /// Keys that were written and not invalidated since, alive or not.
    written: Mutex<HashSet<Key>>,
    is_writing: AtomicBool,
    /// What it says that it keeps to, where that is not so.
    pretended: Mutex<Option<Config>>,
    is_watched: AtomicBool,
}

#[derive(Debug, Error)]
#[error("the store fails")]
pub(crate) struct Failing;

impl Broken {
    fn new(store: ByteCache, fault: Fault, max_entries: Option<u64>) -> Self {
        Self {
            store,
            fault,
            max_entries,
            written: Mutex::default(),
            is_writing: false.into(),
            pretended: Mutex::default(),
            is_watched: false.into(),
        }
    }

    /// The value under a key, by a look that the store does not notice.
    fn peek(&self, key: &Key) -> Option<Bytes> {
        self.store.iter().find(|(other, _)| other == key).map(|(_, value)| value)
    }

    fn find(&self, key: &Key) -> Option<Bytes> {
        match self.fault {
            Fault::FindsNothing => None,
            Fault::ReadsAreNoAccesses => self.peek(key),
            Fault::ReadsRenewTtls => {
                let value = self.store.get(key)?;
                self.store.insert(key.clone(), value.clone());
                Some(value)
            }
            _ => self.store.get(&self.key(key)),
        }
    }

    fn key(&self, key: &Key) -> Key {
        let end = key.as_bytes().iter().position(|byte| *byte == 0);
        match end.filter(|end| *end > 0 && self.fault == Fault::EndsKeysAtNul) {
            Some(end) => Key::new(&key.as_bytes()[..end]).unwrap(),
            None => key.clone(),
        }
    }

    /// The options as the fault has them.
    async fn distort(&self, key: &Key, options: PutOptions) -> PutOptions {
        let PutOptions { ttl, condition } = options;
        let ttl = match (self.fault, Store::lifetime(&self.store, key).await) {
            (Fault::IgnoresTtls, _) => None,
            (Fault::RoundsTtlsUp, _) => ttl.map(|ttl| ttl.max(Duration::from_millis(1))),
            (Fault::EndsEveryLifetime, _) => ttl.map(|ttl| ttl.min(MAX_LIFETIME)),
            (Fault::IgnoresTheConfiguredTtl, _) => ttl.or(Some(Duration::MAX)),
            (Fault::KeepsTheOlderTtl, Ok(Lifetime::Remaining(left))) => Some(left),
            _ => ttl,
        };
        let was_written = self.written.lock().unwrap().contains(key);
        let condition = match (self.fault, condition) {
            (Fault::IgnoresIfAbsent, IfAbsent) | (Fault::IgnoresIfPresent, IfPresent) => Always,
            (Fault::TakesExpiredForPresent, IfPresent) if was_written => Always,
            (_, condition) => condition,
        };
        PutOptions { ttl, condition }
    }

    /// Takes a live entry out that ought to stay, where the fault wants it.
    fn displace(&self, key: &Key) {
        let is_full = self.max_entries.is_some_and(|most| self.store.usage().entries >= most);
        let is_overwrite = self.store.contains(key);
        let displaces = match self.fault {
            Fault::EvictsOnOverwrite => is_full && is_overwrite,
            Fault::DisplacesTheLiving => is_full && !is_overwrite,
            _ => false,
        };
        if displaces && let Some((other, _)) = self.store.iter().find(|(other, _)| other != key) {
            self.store.remove(&other);
        }
    }

    /// Writes, and does about a rejection what the fault wants.
    async fn write(&self, key: &Key, value: Bytes, options: PutOptions) -> Put {
        let older = self.peek(key);
        let Ok(put) = self.store.put(key, value, options).await;
        match (self.fault, put, older) {
            (Fault::DeletesOnAnyRejection, Put::Rejected(_), _) => drop(self.store.remove(key)),
            (Fault::KeepsTheOlderOnRejection, Put::Rejected(_), Some(older)) => {
                self.store.insert(key.clone(), older);
            }
            _ => {}
        }
        put
    }

    /// Forgets a write that comes while another is under way.
    async fn write_alone(&self, key: &Key, value: Bytes, options: PutOptions) -> Put {
        if self.is_writing.swap(true, Ordering::SeqCst) {
            return Put::Stored;
        }
        yield_once().await;
        let put = self.write(key, value, options).await;
        self.is_writing.store(false, Ordering::SeqCst);
        put
    }

    /// Changes limits and lifetimes as the fault has it.
    fn change(&self, config: &Config) -> Result<(), ReconfigureError<Failing>> {
        let before = self.store.config();
        match self.fault {
            Fault::ChangesInNameOnly => {
                before.change(config, self.store.partitions())?;
                *self.pretended.lock().unwrap() = Some(*config);
                return Ok(());
            }
            Fault::TakesAnyConfiguration => {
                let _ = self.store.reconfigure(config);
                return Ok(());
            }
            Fault::ChangesWithoutAName => *self.pretended.lock().unwrap() = Some(before),
            Fault::GoesBelowLoweredLimits if config.max_entries() < before.max_entries() => {
                let lower = Config::builder().strategy(config.strategy()).max_entries(4);
                self.store.reconfigure(&lower.build().unwrap())?;
                self.store.maintain(Timestamp::default());
            }
            _ => {}
        }
        self.store.reconfigure(config)?;
        if self.fault == Fault::GivesTheNewTtlToAll {
            self.store.iter().for_each(|(key, value)| self.store.insert(key, value));
        }
        Ok(())
    }

    /// Whether more is held than the limit that there is now.
    fn is_above_limit(&self) -> bool {
        let most = self.store.config().max_entries();
        most.is_some_and(|most| self.store.usage().entries > most)
    }

    async fn check_and_write(&self, key: &Key, value: Bytes, options: PutOptions) -> Put {
        if options.condition == IfAbsent && self.store.contains(key) {
            return Put::Unmet;
        }
        yield_once().await;
        self.write(key, value, PutOptions { condition: Always, ..options }).await
    }

    async fn check_and_remove(&self, keys: &[Key]) -> u64 {
        let there: HashSet<&Key> = keys.iter().filter(|key| self.store.contains(*key)).collect();
        yield_once().await;
        there.iter().for_each(|key| drop(self.store.remove(*key)));
        there.len() as u64
    }

    fn remove_by_prefix(&self, keys: &[Key]) -> u64 {
        let names: Vec<Key> = self.store.iter().map(|(key, _)| key).collect();
        let is_meant =
            |name: &&Key| keys.iter().any(|key| name.as_bytes().starts_with(key.as_bytes()));
        names.iter().filter(is_meant).filter(|name| self.store.remove(*name).is_some()).count()
            as u64
    }
}

impl Store for Broken {
    type Error = Failing;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Failing> {
        if self.fault == Fault::FailsToRead {
            return Err(Failing);
        }
        Ok(self.find(key))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Failing> {
        let mut keys = keys.to_vec();
        if self.fault == Fault::ReadsManySorted {
            keys.sort();
        }
        Ok(keys.iter().map(|key| self.find(key)).collect())
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Failing> {
        let key = &self.key(key);
        let options = self.distort(key, options).await;
        let was_written = !self.written.lock().unwrap().insert(key.clone());
        self.displace(key);
        Ok(match self.fault {
            Fault::KeepsTheOlder if self.store.contains(key) => Put::Stored,
            Fault::CutsLargeValues => {
                self.write(key, value.slice(..value.len().min(1 << 19)), options).await
            }
            Fault::TakesExpiredForPresent if was_written && options.condition == IfAbsent => {
                Put::Unmet
            }
            Fault::WritesNothingAboveALimit if self.is_above_limit() => Put::Stored,
            Fault::LosesOverlappingWrites => self.write_alone(key, value, options).await,
            Fault::ChecksBeforeItActs => self.check_and_write(key, value, options).await,
            _ => self.write(key, value, options).await,
        })
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Failing> {
        let mut entries = entries.to_vec();
        if self.fault == Fault::WritesManyBackwards {
            entries.reverse();
        }
        let mut came = Vec::new();
        for (key, value) in entries {
            let is_over = came.iter().find(|put| **put != Put::Stored).copied();
            came.push(match is_over.filter(|_| self.fault == Fault::StopsAtARejection) {
                Some(rejection) => rejection,
                None => {
                    Store::put(self, &key, value, PutOptions { ttl, condition: Always }).await?
                }
            });
        }
        Ok(came)
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Failing> {
        self.written.lock().unwrap().retain(|written| !keys.contains(written));
        Ok(match self.fault {
            Fault::ForgetsToInvalidate => {
                keys.iter().filter(|key| self.store.contains(*key)).count() as u64
            }
            Fault::InvalidatesByPrefix => self.remove_by_prefix(keys),
            Fault::ChecksBeforeItActs => self.check_and_remove(keys).await,
            _ => {
                let keys: Vec<Key> = keys.iter().map(|key| self.key(key)).collect();
                let Ok(count) = self.store.invalidate(&keys).await;
                if self.fault == Fault::CountsKeysAsked { keys.len() as u64 } else { count }
            }
        })
    }

    async fn contains(&self, key: &Key) -> Result<bool, Failing> {
        if self.fault == Fault::LooksAreAccesses {
            return Ok(self.store.get(key).is_some());
        }
        Ok(self.store.contains(&self.key(key)))
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Failing> {
        let Ok(lifetime) = self.store.lifetime(&self.key(key)).await;
        Ok(match (self.fault, lifetime) {
            (Fault::TellsNoLifetime, Lifetime::Remaining(_)) => Lifetime::Unlimited,
            (_, lifetime) => lifetime,
        })
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Failing> {
        if self.fault == Fault::InspectionsAreAccesses {
            self.store.get(key);
        }
        let Ok(info) = self.store.inspect(&self.key(key)).await;
        Ok(info.map(|info| match self.fault {
            Fault::MisjudgesWeights => EntryInfo { weight: Some(Weight::new(1)), ..info },
            Fault::InspectsNoLifetime => EntryInfo { lifetime: Lifetime::Unlimited, ..info },
            Fault::TakesAgeForIdleness => EntryInfo { idle: info.age, ..info },
            Fault::TakesIdlenessForAge => EntryInfo { age: info.idle, ..info },
            _ => info,
        }))
    }

    async fn clear(&self) -> Result<(), Failing> {
        if self.fault != Fault::ClearsNothing {
            self.store.clear();
        }
        Ok(())
    }

    async fn usage(&self) -> Result<Usage, Failing> {
        Ok(self.store.usage())
    }

    async fn stats(&self) -> Result<Stats, Failing> {
        let stats = self.store.stats();
        Ok(match self.fault {
            Fault::MixesCauses => Stats { expired: stats.evicted, evicted: stats.expired, ..stats },
            _ => stats,
        })
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Failing> {
        let is_foreign = cursor.origin() != 0;
        let size = if self.fault == Fault::PagesAreOfAnySize { u32::MAX } else { size };
        let Ok(mut page) = self.store.page(partition, cursor, size).await;
        match self.fault {
            Fault::RefusesForeignCursors if is_foreign => return Err(Failing),
            Fault::PagesLeaveSomeOut => drop(page.entries.pop()),
            Fault::PagesShowTheGone => {
                let lifetime = Lifetime::Unlimited;
                let info = EntryInfo { weight: None, lifetime, idle: None, age: None };
                let written = self.written.lock().unwrap().clone();
                page.entries.extend(written.into_iter().map(|key| (key, info)));
            }
            Fault::PagesAreAccesses => {
                page.entries.iter().for_each(|(key, _)| drop(self.store.get(key)));
            }
            Fault::PagesEndWhereNothingIsAsked if size == 0 => page.next = None,
            _ => {}
        }
        Ok(page)
    }

    fn partitions(&self) -> u32 {
        self.store.partitions()
    }

    fn config(&self) -> Config {
        self.pretended.lock().unwrap().unwrap_or_else(|| self.store.config())
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Failing>> {
        self.change(config)
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Failing> {
        if self.fault == Fault::MaintainsNothing {
            return Ok(Slice::default());
        }
        let entries = if self.fault == Fault::IgnoresBudgets { u64::MAX } else { budget.entries };
        let Ok(slice) = Store::maintain(&self.store, partition, Budget { entries, ..budget }).await;
        Ok(match self.fault {
            Fault::Oversleeps => Slice { next: Duration::from_secs(3_600), ..slice },
            Fault::SleepsOverTheRest => Slice { next: slice.next.max(RESTING), ..slice },
            Fault::IsNeverLate => Slice { overdue: Duration::ZERO, ..slice },
            Fault::IsAlwaysLate => Slice { overdue: slice.overdue.max(RESTING), ..slice },
            _ => slice,
        })
    }

    fn watch(&self, listener: RemovalListener) {
        let was_watched = self.is_watched.swap(true, Ordering::SeqCst);
        match self.fault {
            Fault::TellsNobody => {}
            Fault::KeepsTheFirstListener if was_watched => {}
            Fault::TellsTwice => self.store.watch(Arc::new(move |removal| {
                listener(removal);
                listener(removal);
            })),
            Fault::TellsAnotherCause => self.store.watch(Arc::new(move |removal| {
                let cause = match removal.cause {
                    RemovalCause::Expired => RemovalCause::Evicted,
                    cause => cause,
                };
                listener(&Removal { cause, ..*removal });
            })),
            _ => self.store.watch(listener),
        }
    }
}
