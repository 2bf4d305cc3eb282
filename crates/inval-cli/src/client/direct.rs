//! A store reached without a daemon.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::engine::EngineSettings;
use inval_core::{
    Budget, Key, Lifetime, Namespace, Put, PutOptions, ReconfigureError, Slice, Standing, Store,
};
use inval_redis::{
    Cache, CacheOptions, Client, ConnectOptions, Credentials, Error as StoreError, KeySecret,
    KeySecrets, OpenError, Rotation, Target,
};
use inval_runtime::{AnalyseError, analyse};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use super::error::ClientError;
use super::explanation::Explanation;
use super::report::{Report, Steps, Wish};
use super::statistics::Statistics;
use super::values::{Changes, Created, Invalidated, NamespaceInfo, Run, Settings, Upkeep};

/// What a slice of upkeep may do.
const URGENT: Budget = Budget { is_urgent: true, ..Budget::within(Duration::from_millis(10)) };
/// How long readings of statistics go by the names that were found: finding them walks over all keys of the server.
const NAMES_LAST: Duration = Duration::from_secs(30);
/// The pause before a failed slice is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// A server, and what runs the calls to it.
pub(crate) struct Direct {
    runtime: Runtime,
    client: Client,
    target: Target,
    /// The namespaces there were when they were last looked for, and when that was.
    found: RefCell<Option<(Instant, Vec<Namespace>)>>,
    /// The secret of the namespace whose entries are asked for, if that keeps digests of keys.
    secrets: Option<KeySecrets>,
}

impl Direct {
    pub(super) fn connect(target: &Target, credentials: Credentials) -> Result<Self, ClientError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ClientError::Runtime)?;
        let options = ConnectOptions { credentials, connections: 1, ..ConnectOptions::default() };
        let client = runtime.block_on(Client::connect(target, options));
        let client =
            client.map_err(|error| ClientError::Store { target: target.clone().into(), error })?;
        let (found, secrets) = (RefCell::default(), None);
        Ok(Self { runtime, client, target: target.clone(), found, secrets })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) fn with_key_secret(self, secret: Option<KeySecret>) -> Self {
        Self { secrets: secret.map(KeySecrets::new), ..self }
    }

    pub(super) fn get(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Option<Bytes>, ClientError> {
        self.on(namespace, async |cache| {
            let value = cache.get(key).await?;
            // The read is told in passing, by a task of its own. Once it has been sent on the only connection,
            // any reply there says that it has arrived. If that fails, one read is not counted.
            tokio::task::yield_now().await;
            let _ = cache.stats().await;
            Ok(value)
        })
    }

    pub(super) fn put(
        &self,
        namespace: &Namespace,
        key: &Key,
        value: Bytes,
        options: PutOptions,
    ) -> Result<Put, ClientError> {
        self.on(namespace, async |cache| cache.put(key, value, options).await)
    }

    pub(super) fn invalidate(
        &self,
        namespace: &Namespace,
        keys: &[Key],
        run: Run,
    ) -> Result<Invalidated, ClientError> {
        self.on(namespace, async |cache| {
            if run == Run::Real {
                let deleted = cache.invalidate(keys).await?;
                return Ok(Invalidated { matched: deleted, deleted, dry_run: false });
            }
            let mut matched = 0;
            for key in keys {
                matched += u64::from(cache.contains(key).await?);
            }
            Ok(Invalidated { matched, deleted: 0, dry_run: true })
        })
    }

    pub(super) fn lifetime(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Lifetime, ClientError> {
        self.on(namespace, async |cache| cache.lifetime(key).await)
    }

    /// Why something went is known to managers alone.
    pub(super) fn explain(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Explanation, ClientError> {
        self.on(namespace, async |cache| {
            let (present, usage) = (cache.inspect(key).await?, cache.usage().await?);
            let (config, partitions) = (Store::config(&cache), Store::partitions(&cache));
            Ok(Explanation::of_store(present, &config, usage, partitions))
        })
    }

    pub(super) fn namespaces(&self) -> Result<Vec<NamespaceInfo>, ClientError> {
        self.each(self.find()?, async |cache| Ok(describe(&cache)))
    }

    pub(super) fn namespace(&self, namespace: &Namespace) -> Result<NamespaceInfo, ClientError> {
        self.on(namespace, async |cache| Ok(describe(&cache)))
    }

    pub(super) fn create(
        &self,
        namespace: &Namespace,
        changes: &Changes,
    ) -> Result<Created, ClientError> {
        let config = Settings::NONE.with(changes)?;
        let partitions = changes.partitions.unwrap_or(1);
        self.runtime.block_on(async {
            match self.attach(namespace).await {
                Err(ClientError::NoNamespace(_)) => {
                    let (client, name) = (self.client.clone(), namespace.clone());
                    let options = CacheOptions { partitions, ..CacheOptions::default() };
                    let opened = match &self.secrets {
                        None => Cache::open(client, name, config, options).await,
                        Some(secrets) => {
                            Cache::open_with_secrets(client, name, config, options, secrets).await
                        }
                    };
                    opened.map_err(|error| self.not_opened(namespace, error))?;
                    Ok(Created::New)
                }
                Ok(cache) => {
                    let theirs = describe(&cache);
                    let is_same = theirs.config == Settings::from(&config)
                        && changes.partitions.is_none_or(|ours| ours == theirs.partitions);
                    is_same
                        .then_some(Created::Unchanged)
                        .ok_or_else(|| ClientError::Exists(namespace.clone()))
                }
                Err(error) => Err(error),
            }
        })
    }

    pub(super) fn change(
        &self,
        namespace: &Namespace,
        changes: &Changes,
    ) -> Result<(), ClientError> {
        self.runtime.block_on(async {
            let cache = self.attach(namespace).await?;
            if changes.partitions.is_some_and(|count| count != Store::partitions(&cache)) {
                return Err(ClientError::Partitions);
            }
            let config = Settings::from(&Store::config(&cache)).with(changes)?;
            cache.reconfigure(&config).await.map_err(|error| match error {
                ReconfigureError::Change(error) => error.into(),
                ReconfigureError::Store(error) => self.failed(error),
            })
        })
    }

    pub(super) fn rotate(
        &self,
        namespace: &Namespace,
        step: Rotation,
        old: KeySecret,
    ) -> Result<(), ClientError> {
        let secrets = self.secrets.clone().ok_or(ClientError::NeedsStore)?.with_old(old);
        self.runtime.block_on(async {
            let (client, name) = (self.client.clone(), namespace.clone());
            let engine = EngineSettings::default();
            let cache = Cache::attach_with_secrets(client, name, engine, &secrets).await;
            let cache = cache.map_err(|error| self.not_opened(namespace, error))?;
            cache.rotate_key_secret(step).await.map_err(|error| self.failed(error))
        })
    }

    pub(super) fn delete(&self, namespace: &Namespace) -> Result<(), ClientError> {
        self.on(namespace, async |cache| cache.destroy().await)
    }

    /// The statistics of all namespaces. When asked again and again, new ones are found only now and then.
    pub(super) fn statistics(&self) -> Result<BTreeMap<String, Statistics>, ClientError> {
        let known = self.found.borrow().clone();
        let names = match known {
            Some((at, names)) if at.elapsed() < NAMES_LAST => names,
            _ => {
                let names = self.find()?;
                self.found.replace(Some((Instant::now(), names.clone())));
                names
            }
        };
        let all = self.each(names, async |cache| {
            Ok((cache.namespace().to_string(), statistics(&cache).await?))
        })?;
        Ok(all.into_iter().collect())
    }

    pub(super) fn statistics_of(&self, namespace: &Namespace) -> Result<Statistics, ClientError> {
        self.on(namespace, async |cache| statistics(&cache).await)
    }

    /// Analyses a namespace in this process, at the pace of a daemon.
    pub(super) fn analyse(
        &self,
        namespace: &Namespace,
        wish: &Wish,
        progress: impl Fn(Steps),
    ) -> Result<Report, ClientError> {
        let options = wish.options()?;
        self.runtime.block_on(async {
            let cache = self.attach(namespace).await?;
            let analysed = tokio::select! {
                analysed = analyse(&cache, &options, |steps| progress(steps.into())) => analysed,
                _ = tokio::signal::ctrl_c() => return Err(ClientError::Interrupted),
            };
            match analysed {
                Ok(analysed) => Ok(Report::done(&options, &analysed)),
                Err(AnalyseError::Options(error)) => Err(error.into()),
                Err(AnalyseError::Store(error)) => Err(self.failed(error)),
                Err(error @ AnalyseError::Unsettled) => {
                    Ok(Report::ended(&options, Some(error.to_string())))
                }
            }
        })
    }

    pub(super) fn maintain(
        &self,
        namespace: &Namespace,
        timeout: Duration,
    ) -> Result<Upkeep, ClientError> {
        self.runtime.block_on(async {
            let cache = self.attach(namespace).await?;
            let worked = tokio::select! {
                worked = self.upkeep(&cache, timeout) => worked,
                _ = tokio::signal::ctrl_c() => Err(ClientError::Interrupted),
            };
            // Whatever came of it, others shall not wait for the lease to end by itself.
            let released = cache.release().await.map_err(|error| self.failed(error));
            worked.and_then(|upkeep| released.map(|()| upkeep))
        })
    }

    /// Maintains one partition after the other until there is nothing left to do, or no time.
    async fn upkeep(&self, cache: &Cache, timeout: Duration) -> Result<Upkeep, ClientError> {
        let began = Instant::now();
        let mut total = Upkeep { is_done: true, ..Upkeep::default() };
        for partition in 0..Store::partitions(cache) {
            total += self.settle(cache, partition, timeout.saturating_sub(began.elapsed())).await?;
            if !total.is_done {
                break;
            }
        }
        Ok(total)
    }

    /// Maintains a partition at least once, and until there is nothing left to do.
    async fn settle(
        &self,
        cache: &Cache,
        partition: u32,
        timeout: Duration,
    ) -> Result<Upkeep, ClientError> {
        let began = Instant::now();
        let mut done = Upkeep::default();
        loop {
            let slice = Store::maintain(cache, partition, URGENT).await;
            if let Ok(slice) = &slice {
                done += done_by(slice);
            }
            let elapsed = began.elapsed();
            let patience = lease_patience().min(timeout);
            let pause = match slice {
                Ok(slice) if slice.standing == Standing::Vacant && elapsed >= patience => {
                    return Err(ClientError::Leased(cache.namespace().clone()));
                }
                Ok(_) if done.is_done || elapsed >= timeout => return Ok(done),
                Ok(slice) => slice.next,
                Err(error) if error.is_retryable() && elapsed < timeout => PAUSE,
                Err(error) => return Err(self.failed(error)),
            };
            sleep(pause.min(timeout.saturating_sub(elapsed))).await;
        }
    }

    /// Does something in a namespace that is there.
    fn on<T>(
        &self,
        namespace: &Namespace,
        work: impl AsyncFnOnce(Cache) -> Result<T, StoreError>,
    ) -> Result<T, ClientError> {
        self.runtime.block_on(async {
            let cache = match &self.secrets {
                None => self.attach(namespace).await?,
                Some(secrets) => {
                    let (client, name) = (self.client.clone(), namespace.clone());
                    let engine = EngineSettings::default();
                    let cache = Cache::attach_with_secrets(client, name, engine, secrets).await;
                    cache.map_err(|error| self.not_opened(namespace, error))?
                }
            };
            work(cache).await.map_err(|error| self.failed(error))
        })
    }

    /// The namespaces there are, in the order of their names.
    fn find(&self) -> Result<Vec<Namespace>, ClientError> {
        let names = self.runtime.block_on(inval_redis::namespaces(&self.client));
        names.map_err(|error| self.failed(error))
    }

    /// Does something in every one of these namespaces that is still there.
    fn each<T>(
        &self,
        names: Vec<Namespace>,
        work: impl AsyncFn(Cache) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, ClientError> {
        self.runtime.block_on(async {
            let mut done = Vec::new();
            for name in names {
                match self.attach(&name).await {
                    Ok(cache) => done.push(work(cache).await.map_err(|error| self.failed(error))?),
                    // It has gone meanwhile.
                    Err(ClientError::NoNamespace(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(done)
        })
    }

    /// Opens a namespace with whatever it keeps to.
    async fn attach(&self, namespace: &Namespace) -> Result<Cache, ClientError> {
        let (client, name) = (self.client.clone(), namespace.clone());
        let cache = Cache::attach(client, name, EngineSettings::default()).await;
        cache.map_err(|error| self.not_opened(namespace, error))
    }

    fn not_opened(&self, namespace: &Namespace, error: OpenError) -> ClientError {
        match error {
            OpenError::Unknown => ClientError::NoNamespace(namespace.clone()),
            error => ClientError::Open { target: self.target.clone().into(), error: error.into() },
        }
    }

    fn failed(&self, error: StoreError) -> ClientError {
        ClientError::Store { target: self.target.clone().into(), error }
    }
}

fn describe(cache: &Cache) -> NamespaceInfo {
    NamespaceInfo {
        name: cache.namespace().clone(),
        config: Settings::from(&Store::config(cache)),
        partitions: Store::partitions(cache),
        paused: None,
    }
}

async fn statistics(cache: &Cache) -> Result<Statistics, StoreError> {
    let stats = cache.stats().await?;
    Ok(Statistics::of_store(&stats, &Store::config(cache)))
}

/// How long the lease of another manager lasts that does not renew it, and a moment more.
fn lease_patience() -> Duration {
    EngineSettings::default().lease + Duration::from_millis(500)
}

/// What a slice did. It has nothing left if it had the lease, asked the server, and there was nothing to do.
fn done_by(slice: &Slice) -> Upkeep {
    let Slice { evicted, expired, records, standing, held, .. } = *slice;
    let has_asked = standing == Standing::Steady && held > Duration::ZERO;
    Upkeep { evicted, expired, records, is_done: has_asked && slice.is_idle() }
}
