//! A model of the Redis server: values, idle clock, expiry, and what clients do to them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use inval_core::record::{AccessBatch, Record};
use inval_core::{Key, Usage};

use super::random::Random;

/// How often Redis's idle clock is set to the time, in milliseconds.
const CRON_MS: u64 = 100;
/// The idle clock wraps at 24 bits.
const IDLE_BITS: u64 = (1 << 24) - 1;
const LFU_INITIAL: u64 = 5;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Value {
    pub(crate) bytes: u64,
    pub(crate) expires: Option<u64>,
    /// The second of the idle clock at the last access that it saw.
    accessed_s: u64,
    /// When that access was, in true milliseconds.
    pub(crate) accessed_ms: u64,
    counter: u64,
    /// Both when it was written.
    written: (u64, u64),
}

/// What has truly happened to entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Truth {
    pub(crate) written: Usage,
    pub(crate) replaced: u64,
    pub(crate) expired: u64,
    pub(crate) invalidated: u64,
    pub(crate) evicted: u64,
    /// Entries that were evicted although the journal had still to tell of a write.
    pub(crate) evicted_untold: u64,
    /// Keys that managers had counted.
    pub(crate) counted: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// True time, in milliseconds.
    pub(crate) true_ms: u64,
    /// The server's clock is ahead of it by this much.
    pub(crate) ahead_ms: i64,
    pub(crate) values: BTreeMap<Vec<u8>, Value>,
    /// Keys whose value somebody replaced without telling.
    pub(crate) overwritten: BTreeSet<Vec<u8>>,
    expiries: BTreeSet<(u64, Vec<u8>)>,
    /// The order in which a scan finds the keys.
    pub(crate) places: BTreeMap<u64, Vec<u8>>,
    pub(crate) journal: VecDeque<Vec<u8>>,
    pub(crate) accesses: VecDeque<Vec<u8>>,
    /// Token, holder, and when it expires.
    pub(crate) lease: Option<(u64, u32, u64)>,
    pub(crate) accounts: BTreeMap<String, u64>,
    pub(crate) has_lfu: bool,
    /// While the server forks to save, reads leave the idle clock alone.
    pub(crate) is_forking: bool,
    /// How many pages of the next scan hold nothing but names of other programs.
    pub(crate) empty_pages: u64,
    pub(crate) truth: Truth,
    pub(crate) random: Random,
}

impl Server {
    pub(crate) fn new(seed: u64, ahead_ms: i64) -> Self {
        Self {
            true_ms: 0,
            ahead_ms,
            values: BTreeMap::new(),
            overwritten: BTreeSet::new(),
            expiries: BTreeSet::new(),
            places: BTreeMap::new(),
            journal: VecDeque::new(),
            accesses: VecDeque::new(),
            lease: None,
            accounts: BTreeMap::new(),
            has_lfu: false,
            is_forking: false,
            empty_pages: 0,
            truth: Truth::default(),
            random: Random::new(seed),
        }
    }

    /// The server's clock, in milliseconds.
    pub(crate) fn now(&self) -> u64 {
        self.true_ms.saturating_add_signed(self.ahead_ms)
    }

    /// Lets go of what has expired by the server's clock.
    pub(crate) fn expire(&mut self) {
        let now = self.now();
        while let Some((_, key)) = self.expiries.first().filter(|(at, _)| *at <= now).cloned() {
            self.drop_value(&key);
            self.truth.expired += 1;
        }
        self.lease = self.lease.filter(|(.., expires)| *expires > now);
    }

    /// The second that the idle clock shows.
    fn idle_clock(&self) -> u64 {
        self.now() / CRON_MS * CRON_MS / 1000
    }

    /// `OBJECT IDLETIME`, or `OBJECT FREQ`.
    pub(crate) fn last_access(&self, key: &[u8]) -> Option<u64> {
        let value = self.values.get(key)?;
        Some(match self.has_lfu {
            true => value.counter,
            false => {
                let (clock, accessed) =
                    (self.idle_clock() & IDLE_BITS, value.accessed_s & IDLE_BITS);
                let behind = if accessed > clock { IDLE_BITS } else { 0 };
                clock + behind - accessed
            }
        })
    }

    /// What every command that reads does to the idle clock.
    pub(crate) fn touch(&mut self, key: &[u8]) -> Option<&Value> {
        let (clock, true_ms, counts) = (self.idle_clock(), self.true_ms, !self.is_forking);
        let value = self.values.get_mut(key)?;
        if counts {
            (value.accessed_s, value.accessed_ms) = (clock, true_ms);
            let factor = value.counter.saturating_sub(LFU_INITIAL) * 10 + 1;
            value.counter = (value.counter + u64::from(self.random.once_in(factor))).min(255);
        }
        Some(value)
    }

    /// What a replica knows of accesses, which no read reaches.
    pub(crate) fn forget_reads(&mut self) {
        for value in self.values.values_mut() {
            (value.accessed_s, value.accessed_ms) = value.written;
        }
    }

    pub(crate) fn drop_value(&mut self, key: &[u8]) -> Option<Value> {
        let value = self.values.remove(key)?;
        self.places.remove(&place(key));
        if let Some(at) = value.expires {
            self.expiries.remove(&(at, key.to_vec()));
        }
        Some(value)
    }

    /// Writes without telling anybody.
    pub(crate) fn set(&mut self, key: &[u8], bytes: u64, ttl_ms: Option<u64>) {
        self.expire();
        self.truth.replaced += u64::from(self.drop_value(key).is_some());
        let expires = ttl_ms.map(|ttl| self.now() + ttl);
        if let Some(at) = expires {
            self.expiries.insert((at, key.to_vec()));
        }
        let (accessed_s, accessed_ms) = (self.idle_clock(), self.true_ms);
        let (counter, written) = (LFU_INITIAL, (accessed_s, accessed_ms));
        let value = Value { bytes, expires, accessed_s, accessed_ms, counter, written };
        self.values.insert(key.to_vec(), value);
        assert_eq!(self.places.insert(place(key), key.to_vec()), None, "two keys in one place");
        self.truth.written.entries += 1;
        self.truth.written.bytes += key.len() as u64 + bytes;
    }

    pub(crate) fn tell(&mut self, record: &Record<'_>) -> u64 {
        self.journal.push_back(record.encode());
        self.journal.len() as u64
    }

    /// Writes and tells, as one transaction; the backlog.
    pub(crate) fn put(&mut self, key: &[u8], bytes: u32, ttl_ms: Option<u64>) -> u64 {
        self.set(key, bytes.into(), ttl_ms);
        self.tell(&Record::Put { key, bytes, ttl_ms })
    }

    pub(crate) fn delete(&mut self, key: &[u8]) -> u64 {
        self.expire();
        self.truth.invalidated += u64::from(self.drop_value(key).is_some());
        self.tell(&Record::Deleted { key })
    }

    /// Whether a read finds a value.
    pub(crate) fn get(&mut self, key: &[u8]) -> bool {
        self.expire();
        self.touch(key).is_some()
    }

    /// Tells of reads.
    pub(crate) fn tell_reads<'a>(&mut self, keys: impl IntoIterator<Item = &'a Vec<u8>>) {
        let mut batch = AccessBatch::new();
        keys.into_iter().filter_map(|key| Key::new(key).ok()).for_each(|key| batch.push(&key));
        self.accesses.push_back(batch.as_bytes().to_vec());
    }

    /// Changes when a key expires without telling anybody.
    pub(crate) fn set_expiry(&mut self, key: &[u8], ttl_ms: Option<u64>) {
        self.expire();
        let expires = ttl_ms.map(|ttl| self.now() + ttl);
        if let Some(value) = self.values.get_mut(key) {
            let before = std::mem::replace(&mut value.expires, expires);
            before.map(|at| self.expiries.remove(&(at, key.to_vec())));
            expires.map(|at| self.expiries.insert((at, key.to_vec())));
        }
    }

    pub(crate) fn overflow(&mut self, cap: u64) {
        if self.journal.len() as u64 > cap {
            self.journal.clear();
            *self.accounts.entry("generation".to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn flush_all(&mut self) {
        let Self { true_ms, ahead_ms, has_lfu, is_forking, .. } = *self;
        let (truth, random) = (self.truth.clone(), self.random.clone());
        let fresh = Self::new(0, ahead_ms);
        *self = Self { true_ms, has_lfu, is_forking, truth, random, ..fresh };
    }

    pub(crate) fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        for (key, value) in &self.values {
            usage.entries += 1;
            usage.bytes += key.len() as u64 + value.bytes;
        }
        usage
    }

    pub(crate) fn account(&self, field: &str) -> u64 {
        self.accounts.get(field).copied().unwrap_or(0)
    }
}

/// Where a scan finds a key; never 0.
fn place(key: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
    let hash = key.iter().fold(0xCBF2_9CE4_8422_2325, mix);
    (hash ^ hash >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}
