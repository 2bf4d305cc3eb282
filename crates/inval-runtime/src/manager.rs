//! The manager as its users see it: namespaces come and go, are changed, paused, asked about.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{Config, Key, Namespace, Stats, Store};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::analysis::{AnalysisOptions, RunningAnalysis};
use crate::builder::Builder;
use crate::error::{AddError, ReconfigureError, RemoveError, RequestError, StartAnalysisError};
use crate::events::{Event, Removal, Subscription};
use crate::explain::Explanation;
use crate::health::{Load, NamespaceHealth, ShutdownReport};
use crate::namespaces::{Managed, Namespaces};
use crate::run::RunNow;
use crate::worker::{Command, Worker};

/// Requests that wait for the worker, before who makes another has to wait.
const REQUESTS: usize = 256;

/// Maintains the stores it is given until it is shut down. Cheap to clone; all clones are one manager. See
/// the [crate's documentation](crate) for an example.
///
/// When the last clone is dropped, upkeep ends where it stands and leases lapse by themselves;
/// [`shutdown`](Self::shutdown) ends it in an orderly way.
pub struct Manager<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    namespaces: Namespaces<S>,
    commands: mpsc::Sender<Command<S>>,
    events: broadcast::Sender<Event>,
    removals: broadcast::Sender<Removal>,
    numbers: AtomicU64,
    pacing: PacingSettings,
    stats_age: Duration,
    removal_memory: usize,
    runtime: Handle,
}

impl<S: Store + 'static> Manager<S> {
    /// Collects what a manager works by.
    pub fn builder() -> Builder<S> {
        Builder::default()
    }

    pub(crate) fn start(builder: &Builder<S>, runtime: &Handle) -> Self {
        let (commands, requests) = mpsc::channel(REQUESTS);
        let events = broadcast::Sender::new(builder.event_buffer);
        let removals = broadcast::Sender::new(builder.removal_buffer);
        let worker = Worker::new(builder, (commands.downgrade(), requests), events.clone());
        runtime.spawn(worker.work());
        let shared = Shared {
            namespaces: Namespaces::default(),
            commands,
            events,
            removals,
            numbers: AtomicU64::new(0),
            pacing: builder.pacing,
            stats_age: builder.stats_age,
            removal_memory: builder.removal_memory,
            runtime: runtime.clone(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Maintains `store` from now on, under this name. The manager becomes the store's removal listener.
    pub async fn add(&self, name: Namespace, store: Arc<S>) -> Result<(), AddError> {
        self.add_with(name, store, self.shared.pacing).await
    }

    /// The same, with intervals, batches and a lag of its own; the duty cycle is that of the manager.
    pub async fn add_with(
        &self,
        name: Namespace,
        store: Arc<S>,
        pacing: PacingSettings,
    ) -> Result<(), AddError> {
        pacing.validate()?;
        let number = self.shared.numbers.fetch_add(1, Ordering::Relaxed);
        let managed = Arc::new(Managed::new(number, name, store, self.shared.removal_memory));
        if !self.shared.namespaces.insert(&managed) {
            return Err(AddError::Exists);
        }
        self.listen(&managed);
        if self.command(Command::Add(Arc::clone(&managed), pacing)).await.is_err() {
            self.shared.namespaces.remove(managed.name.as_str());
            return Err(AddError::Stopped);
        }
        self.tell(Event::Added(managed.name.clone()));
        Ok(())
    }

    /// Maintains a namespace no longer: when this returns its slices have ended, its leases are given back,
    /// and the store is the caller's. What is in the store stays there.
    pub async fn remove(&self, name: &str) -> Result<Arc<S>, RemoveError<S::Error>> {
        let managed = self.shared.namespaces.remove(name).ok_or(RequestError::Unknown)?;
        managed.analysis.close();
        let (reply, removed) = oneshot::channel();
        self.command(Command::Remove(managed.number, reply)).await?;
        removed.await.map_err(|_| RequestError::Stopped)?;
        self.tell(Event::Removed(managed.name.clone()));
        managed.store.release().await.map_err(RemoveError::Release)?;
        Ok(Arc::clone(&managed.store))
    }

    /// Has a namespace keep to other limits, TTL and jitter from now on, while it is in use. A lowered limit is
    /// reached little by little. See [`Store::reconfigure`].
    pub async fn reconfigure(
        &self,
        name: &str,
        config: &Config,
    ) -> Result<(), ReconfigureError<S::Error>> {
        let managed = self.shared.namespaces.get(name).ok_or(ReconfigureError::Unknown)?;
        managed.store.reconfigure(config).await?;
        self.tell(Event::Reconfigured(managed.name.clone()));
        // The store keeps to it even if nobody maintains it any more.
        let _ = self.command(Command::Wake(managed.number, None)).await;
        Ok(())
    }

    /// Does upkeep of a namespace at once, even if it is paused, until there is nothing left to do or
    /// `patience` has passed, and says what was done.
    pub async fn run_now(&self, name: &str, patience: Duration) -> Result<RunNow, RequestError> {
        let managed = self.managed(name)?;
        let (progress, mut watched) = watch::channel(RunNow::default());
        self.command(Command::Run(managed.number, progress)).await?;
        // Given up by the worker or by us: what was done until then is what is told.
        let _ = timeout(patience, watched.wait_for(|run| run.is_done)).await;
        let run = *watched.borrow();
        Ok(run)
    }

    /// Stops upkeep of a namespace after the slices under way. Leases that it has lapse meanwhile.
    pub async fn pause(&self, name: &str) -> Result<(), RequestError> {
        let managed = self.managed(name)?;
        self.command(Command::Pause(managed.number)).await?;
        self.tell(Event::Paused(managed.name.clone()));
        Ok(())
    }

    /// Goes on with upkeep of a namespace that was paused.
    pub async fn resume(&self, name: &str) -> Result<(), RequestError> {
        let managed = self.managed(name)?;
        self.command(Command::Resume(managed.number)).await?;
        self.tell(Event::Resumed(managed.name.clone()));
        Ok(())
    }

    /// Analyses a namespace in the background, in pages with pauses between them; [`analyse`](crate::analyse) says
    /// how. One namespace is analysed once at a time. It ends early if what is returned is dropped, the
    /// namespace is removed or the manager is shut down.
    pub fn analyse(
        &self,
        name: &str,
        options: AnalysisOptions,
    ) -> Result<RunningAnalysis, StartAnalysisError> {
        let managed = self.shared.namespaces.get(name).ok_or(StartAnalysisError::Unknown)?;
        managed.analysis.start(Arc::clone(&managed.store), options, &self.shared.runtime)
    }

    /// The options for an analysis that takes no larger share of the server than upkeep that is not urgent.
    pub fn analysis_options(&self) -> AnalysisOptions {
        AnalysisOptions { duty_cycle: self.shared.pacing.duty_cycle, ..AnalysisOptions::default() }
    }

    /// The store of a namespace.
    pub fn store(&self, name: &str) -> Option<Arc<S>> {
        self.shared.namespaces.get(name).map(|managed| Arc::clone(&managed.store))
    }

    /// The namespaces with their stores, by name.
    pub fn namespaces(&self) -> Vec<(Namespace, Arc<S>)> {
        let all = self.shared.namespaces.all().into_iter();
        all.map(|managed| (managed.name.clone(), Arc::clone(&managed.store))).collect()
    }

    /// The statistics of a namespace, no older than the [`stats_age`](Builder::stats_age), and how old they are;
    /// `None` if there is no such namespace.
    pub async fn stats(&self, name: &str) -> Result<Option<(Arc<Stats>, Duration)>, S::Error> {
        match self.shared.namespaces.get(name) {
            Some(managed) => managed.stats(self.shared.stats_age).await.map(Some),
            None => Ok(None),
        }
    }

    /// The statistics of all namespaces, by name, as [`stats`](Self::stats) tells them. Their stores are asked
    /// at the same time.
    pub async fn stats_of_all(&self) -> Vec<(Namespace, Result<(Arc<Stats>, Duration), S::Error>)> {
        let all = self.shared.namespaces.all();
        let mut readings = JoinSet::new();
        for (at, managed) in all.iter().cloned().enumerate() {
            let age = self.shared.stats_age;
            readings.spawn(async move { (at, managed.stats(age).await) });
        }
        let mut stats = BTreeMap::new();
        while let Some(reading) = readings.join_next().await {
            // One that panicked is left out.
            stats.extend(reading);
        }
        stats.into_iter().map(|(at, stats)| (all[at].name.clone(), stats)).collect()
    }

    /// What is known of a key: its entry, which is not touched, or why it went; `None` if there is no such namespace.
    pub async fn explain(&self, name: &str, key: &Key) -> Result<Option<Explanation>, S::Error> {
        let Some(managed) = self.shared.namespaces.get(name) else { return Ok(None) };
        let asked = Instant::now();
        let mut present = managed.store.inspect(key).await?;
        let (stats, _) = managed.stats(self.shared.stats_age).await?;
        let (config, usage) = (managed.store.config(), stats.usage);
        let names = managed.store.aliases(key);
        let names = names.iter().map(Key::as_bytes);
        let (removals, remembered) = managed.recorder.recall(names).unzip();
        let removals = removals.unwrap_or_default();
        // It may have gone since it was looked at.
        if removals.first().is_some_and(|last| last.ago <= asked.elapsed()) {
            present = managed.store.inspect(key).await?;
        }
        Ok(Some(Explanation { present, removals, remembered, config, usage }))
    }

    /// How upkeep of every namespace is getting on, by name. Asks no store. Empty after the shutdown.
    pub async fn health(&self) -> Vec<NamespaceHealth> {
        let (reply, health) = oneshot::channel();
        if self.command(Command::Health(reply)).await.is_err() {
            return Vec::new();
        }
        health.await.unwrap_or_default()
    }

    /// What upkeep of all namespaces together takes of the server. Nothing after the shutdown.
    pub async fn load(&self) -> Load {
        let (reply, load) = oneshot::channel();
        if self.command(Command::Load(reply)).await.is_err() {
            return Load::default();
        }
        load.await.unwrap_or_default()
    }

    /// What happens to namespaces from now on.
    pub fn events(&self) -> Subscription<Event> {
        Subscription(self.shared.events.subscribe())
    }

    /// Which entries leave from now on, as far as this process removes them or finds out. While nobody
    /// listens it costs nothing beyond what [`removal_memory`](Builder::removal_memory) does.
    pub fn removals(&self) -> Subscription<Removal> {
        Subscription(self.shared.removals.subscribe())
    }

    /// Ends upkeep in an orderly way: cancels analyses, starts no more slices, waits for those under way, gives the leases back,
    /// all within `grace`, and reports what was left. Stores can still be used. A second call reports
    /// nothing.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.shared.namespaces.all().iter().for_each(|managed| managed.analysis.close());
        let (reply, report) = oneshot::channel();
        if self.command(Command::Shutdown(grace, reply)).await.is_err() {
            return ShutdownReport::default();
        }
        report.await.unwrap_or_default()
    }

    fn listen(&self, managed: &Managed<S>) {
        let (removals, namespace) = (self.shared.removals.clone(), managed.name.clone());
        // Not the whole of it: the store would own itself.
        let recorder = Arc::clone(&managed.recorder);
        managed.store.watch(Arc::new(move |removal| {
            recorder.note(removal);
            if removals.receiver_count() == 0 {
                return;
            }
            let inval_core::Removal { key, weight, cause } = *removal;
            if let Ok(key) = Key::new(key) {
                let namespace = namespace.clone();
                let _ = removals.send(Removal { namespace, key, weight, cause });
            }
        }));
    }

    fn managed(&self, name: &str) -> Result<Arc<Managed<S>>, RequestError> {
        self.shared.namespaces.get(name).ok_or(RequestError::Unknown)
    }

    async fn command(&self, command: Command<S>) -> Result<(), RequestError> {
        self.shared.commands.send(command).await.map_err(|_| RequestError::Stopped)
    }

    fn tell(&self, event: Event) {
        // Without listeners it is lost, as it should be.
        let _ = self.shared.events.send(event);
    }
}

impl<S> Clone for Manager<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Manager<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.shared.namespaces.all().iter().map(|m| m.name.clone()).collect();
        f.debug_struct("Manager").field("namespaces", &names).finish_non_exhaustive()
    }
}
