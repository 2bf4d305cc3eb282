//! A store under check, and the questions that all checks ask of it.

use std::time::Duration;

use bytes::Bytes;

use super::Harness;
use super::failure::{Complaint, Outcome, expect, expect_all};
use crate::config::{Config, ConfigBuilder};
use crate::stats::{Stats, Usage};
use crate::store::{Budget, EntryInfo, Lifetime, Put, PutCondition, PutOptions, Store};
use crate::units::Key;

/// How long upkeep may take at once, and how long the next is waited for.
const BUDGET: Duration = Duration::from_millis(10);

/// A store with what made it.
pub(super) struct Trial<'a, H: Harness> {
    pub(super) harness: &'a H,
    pub(super) store: H::Store,
}

impl<'a, H: Harness> Trial<'a, H> {
    /// A fresh store.
    pub(super) async fn open(harness: &'a H, config: ConfigBuilder) -> Outcome<Self> {
        Self::with_partitions(harness, config, harness.partitions()).await
    }

    /// A fresh store with one partition, so that the order of eviction is exact.
    pub(super) async fn exact(harness: &'a H, config: ConfigBuilder) -> Outcome<Self> {
        Self::with_partitions(harness, config, 1).await
    }

    async fn with_partitions(
        harness: &'a H,
        config: ConfigBuilder,
        partitions: u32,
    ) -> Outcome<Self> {
        let store = harness.open(config.build().map_err(failed)?, partitions).await;
        expect("partitions", store.partitions(), partitions)?;
        Ok(Self { harness, store })
    }

    /// A fresh store in which there is room for whatever a check writes, and nothing expires.
    pub(super) async fn roomy(harness: &'a H) -> Outcome<Self> {
        Self::open(harness, Config::builder().max_entries(1_000_000)).await
    }

    /// Lets `moments` of the harness pass.
    pub(super) async fn pass(&self, moments: u32) {
        self.harness.pass(Self::moments(moments)).await;
    }

    pub(super) fn moments(moments: u32) -> Duration {
        H::MOMENT * moments
    }

    /// Lets so much time pass that accesses before it and after it are told apart.
    pub(super) async fn pass_grain(&self) {
        self.harness.pass(H::ACCESS_GRAIN).await;
    }

    pub(super) async fn write(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        options: PutOptions,
    ) -> Outcome<Put> {
        let value = Bytes::copy_from_slice(value.as_ref());
        self.store.put(&Key::new(key.as_ref())?, value, options).await.map_err(failed)
    }

    /// Writes a value, which must be stored.
    pub(super) async fn put(&self, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Outcome {
        expect("put", self.write(key, value, PutOptions::default()).await?, Put::Stored)
    }

    /// Writes a value with a TTL of its own, which must be stored.
    pub(super) async fn put_for(
        &self,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
        ttl: Duration,
    ) -> Outcome {
        let options = PutOptions { ttl: Some(ttl), ..PutOptions::default() };
        expect("put with a TTL", self.write(key, value, options).await?, Put::Stored)
    }

    /// Writes a value on a condition.
    pub(super) async fn put_if(
        &self,
        condition: PutCondition,
        key: &str,
        value: &str,
    ) -> Outcome<Put> {
        self.write(key, value, PutOptions { ttl: None, condition }).await
    }

    pub(super) async fn put_many(
        &self,
        entries: &[(String, Vec<u8>)],
        ttl: Option<Duration>,
    ) -> Outcome<Vec<Put>> {
        let entries: Result<Vec<_>, Complaint> = entries
            .iter()
            .map(|(key, value)| Ok((Key::new(key.as_bytes())?, Bytes::copy_from_slice(value))))
            .collect();
        self.store.put_many(&entries?, ttl).await.map_err(failed)
    }

    /// Writes the same value under many names, which must all be stored.
    pub(super) async fn fill(
        &self,
        names: &[String],
        value: &[u8],
        ttl: Option<Duration>,
    ) -> Outcome {
        let entries: Vec<_> = names.iter().map(|name| (name.clone(), value.to_vec())).collect();
        let put = self.put_many(&entries, ttl).await?;
        expect_all("put_many", &put, &vec![Put::Stored; entries.len()])
    }

    pub(super) async fn get(&self, key: impl AsRef<[u8]>) -> Outcome<Option<Bytes>> {
        self.store.get(&Key::new(key.as_ref())?).await.map_err(failed)
    }

    pub(super) async fn get_many(&self, names: &[impl AsRef<[u8]>]) -> Outcome<Vec<Option<Bytes>>> {
        self.store.get_many(&keys(names)?).await.map_err(failed)
    }

    pub(super) async fn contains(&self, key: impl AsRef<[u8]>) -> Outcome<bool> {
        self.store.contains(&Key::new(key.as_ref())?).await.map_err(failed)
    }

    pub(super) async fn lifetime(&self, key: impl AsRef<[u8]>) -> Outcome<Lifetime> {
        self.store.lifetime(&Key::new(key.as_ref())?).await.map_err(failed)
    }

    pub(super) async fn inspect(&self, key: impl AsRef<[u8]>) -> Outcome<Option<EntryInfo>> {
        self.store.inspect(&Key::new(key.as_ref())?).await.map_err(failed)
    }

    pub(super) async fn invalidate(&self, names: &[impl AsRef<[u8]>]) -> Outcome<u64> {
        self.store.invalidate(&keys(names)?).await.map_err(failed)
    }

    /// Complains unless every way to read tells that `value` is under `key`.
    pub(super) async fn expect_value(
        &self,
        when: &str,
        key: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Outcome {
        let (key, want) = (key.as_ref(), Some(Bytes::copy_from_slice(value.as_ref())));
        expect(format!("{when}, contains"), self.contains(key).await?, true)?;
        let lifetime = self.lifetime(key).await?;
        expect(format!("{when}, lifetime is absent"), lifetime == Lifetime::Absent, false)?;
        expect(format!("{when}, inspect"), self.inspect(key).await?.is_some(), true)?;
        expect(format!("{when}, get"), self.get(key).await?, want.clone())?;
        expect(format!("{when}, get_many"), self.get_many(&[key]).await?, vec![want])
    }

    /// Complains unless every way to read tells that nothing is under `key`.
    pub(super) async fn expect_nothing(&self, when: &str, key: impl AsRef<[u8]>) -> Outcome {
        let key = key.as_ref();
        expect(format!("{when}, contains"), self.contains(key).await?, false)?;
        expect(format!("{when}, lifetime"), self.lifetime(key).await?, Lifetime::Absent)?;
        expect(format!("{when}, inspect"), self.inspect(key).await?, None)?;
        expect(format!("{when}, get"), self.get(key).await?, None)?;
        expect(format!("{when}, get_many"), self.get_many(&[key]).await?, vec![None])
    }

    /// Those of `names` under which something is.
    pub(super) async fn present(&self, names: &[String]) -> Outcome<Vec<String>> {
        let mut present = Vec::new();
        for name in names {
            if self.contains(name).await? {
                present.push(name.clone());
            }
        }
        Ok(present)
    }

    /// Does upkeep until there is none left to do and `is_so` is true of the statistics, which are
    /// returned. `what` says what is waited for.
    pub(super) async fn settle(
        &self,
        what: &str,
        is_so: impl Fn(&Stats) -> bool,
    ) -> Outcome<Stats> {
        let mut waited = Duration::ZERO;
        loop {
            let is_idle = self.maintain().await?;
            let stats = self.store.stats().await.map_err(failed)?;
            if is_idle && is_so(&stats) {
                self.balance(&stats).await?;
                return Ok(stats);
            }
            if waited >= H::PATIENCE {
                let (what, stats) = (what.to_owned(), Box::new(stats));
                return Err(Complaint::Unsettled { what, waited, stats });
            }
            self.harness.pass(BUDGET).await;
            waited += BUDGET;
        }
    }

    /// Does a slice of upkeep in every partition; whether there was nothing to do.
    async fn maintain(&self) -> Outcome<bool> {
        let mut is_idle = true;
        for partition in 0..self.store.partitions() {
            let slice =
                self.store.maintain(partition, Budget::within(BUDGET)).await.map_err(failed)?;
            is_idle &= slice.is_idle();
        }
        Ok(is_idle)
    }

    /// Complains unless what came in is what is there and what has gone.
    async fn balance(&self, stats: &Stats) -> Outcome {
        let mut accounted = stats.usage;
        accounted += stats.removed_in_all();
        expect("usage and removals, which are what was inserted", accounted, stats.inserted)?;
        let usage = self.store.usage().await.map_err(failed)?;
        expect("usage, and usage in the statistics", usage, stats.usage)
    }
}

/// What `names` weigh with their values, as far as there are any.
pub(super) fn weigh(names: &[String], values: &[Option<Bytes>]) -> Usage {
    let mut usage = Usage::default();
    for (name, value) in names.iter().zip(values) {
        if let Some(value) = value {
            usage += Usage { entries: 1, bytes: (name.len() + value.len()) as u64 };
        }
    }
    usage
}

/// Names of equal length that begin with `letter`, with these numbers.
pub(super) fn names(letter: char, numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|n| format!("{letter}{n:04}")).collect()
}

pub(super) fn keys(names: &[impl AsRef<[u8]>]) -> Outcome<Vec<Key>> {
    names.iter().map(|name| Ok(Key::new(name.as_ref())?)).collect()
}

pub(super) fn failed(error: impl std::error::Error + Send + Sync + 'static) -> Complaint {
    Complaint::Failed(Box::new(error))
}
