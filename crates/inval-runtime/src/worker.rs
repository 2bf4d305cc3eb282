//! The task behind a manager: starts slices as the schedule says, and takes what comes of them.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{Budget, Namespace, Slice, Store, Timestamp};
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::{self, JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::builder::Builder;
use crate::events::{Cause, Event};
use crate::health::{Load, NamespaceHealth, ShutdownReport};
use crate::namespaces::Managed;
use crate::run::{Run, RunNow};
use crate::schedule::{Change, Next, Schedule, SlotId};

/// The least time that giving leases back gets, however long the slices under way took.
const LEAST_GRACE: Duration = Duration::from_millis(500);

/// What is asked of the worker. Namespaces are named by their numbers.
pub(crate) enum Command<S> {
    Add(Arc<Managed<S>>, PacingSettings),
    /// Answered when no slice of the namespace is under way any more.
    Remove(u64, oneshot::Sender<()>),
    Pause(u64),
    Resume(u64),
    /// Makes a partition due at once, or all of them.
    Wake(u64, Option<u32>),
    Run(u64, watch::Sender<RunNow>),
    Health(oneshot::Sender<Vec<NamespaceHealth>>),
    Load(oneshot::Sender<Load>),
    Shutdown(Duration, oneshot::Sender<ShutdownReport>),
}

type SliceResult = Result<Slice, Cause>;

pub(crate) struct Worker<S> {
    requests: mpsc::Receiver<Command<S>>,
    /// For those who wait for writers; not strong, or the manager would never be dropped.
    wakes: mpsc::WeakSender<Command<S>>,
    events: broadcast::Sender<Event>,
    schedule: Schedule,
    namespaces: HashMap<u64, Entry<S>>,
    slices: JoinSet<SliceResult>,
    started: HashMap<task::Id, Started>,
    runs: Vec<Run>,
    leaving: Vec<(u64, oneshot::Sender<()>)>,
    parallelism: usize,
    slice_timeout: Duration,
    origin: Instant,
}

/// A namespace, and who waits for its writers.
struct Entry<S> {
    managed: Arc<Managed<S>>,
    is_paused: bool,
    max_lag: Duration,
    _waiter: JoinSet<()>,
}

/// A slice under way.
struct Started {
    id: SlotId,
    /// Whether somebody had asked for it before it began.
    is_asked_for: bool,
}

impl<S: Store + 'static> Worker<S> {
    pub(crate) fn new(
        builder: &Builder<S>,
        (wakes, requests): (mpsc::WeakSender<Command<S>>, mpsc::Receiver<Command<S>>),
        events: broadcast::Sender<Event>,
    ) -> Self {
        Self {
            requests,
            wakes,
            events,
            schedule: Schedule::new(&builder.pacing, builder.slice_time),
            namespaces: HashMap::new(),
            slices: JoinSet::new(),
            started: HashMap::new(),
            runs: Vec::new(),
            leaving: Vec::new(),
            parallelism: builder.parallelism,
            slice_timeout: builder.slice_timeout,
            origin: Instant::now(),
        }
    }

    /// Works until it is told to shut down or there is no manager any more.
    pub(crate) async fn work(mut self) {
        loop {
            let wake = self.start_slices();
            let wakes = wake.is_some();
            tokio::select! {
                biased;
                command = self.requests.recv() => match command {
                    Some(Command::Shutdown(grace, reply)) => {
                        let _ = reply.send(self.shut_down(grace).await);
                        return;
                    }
                    Some(command) => self.obey(command),
                    None => return,
                },
                Some(ended) = self.slices.join_next_with_id() => self.take(ended),
                () = sleep_until(wake.unwrap_or(self.origin)), if wakes => {}
            }
        }
    }

    /// Starts what may start, and says when to look again.
    fn start_slices(&mut self) -> Option<Instant> {
        while self.slices.len() < self.parallelism {
            match self.schedule.next(self.now()) {
                Next::Start(id, budget) => self.start(id, budget),
                Next::At(time) => {
                    return Some(self.origin + Duration::from_millis(time.as_millis()));
                }
                Next::Idle => return None,
            }
        }
        None
    }

    fn start(&mut self, id: SlotId, budget: Budget) {
        let (number, partition) = id;
        let Some(entry) = self.namespaces.get(&number) else { return };
        let (managed, most) = (Arc::clone(&entry.managed), self.slice_timeout);
        let task = self.slices.spawn(async move {
            match timeout(most, managed.store.maintain(partition, budget)).await {
                Ok(Ok(slice)) => Ok(slice),
                Ok(Err(error)) => Err(Cause::Store(Arc::new(error))),
                Err(_) => Err(Cause::TimedOut),
            }
        });
        let is_asked_for = self.runs.iter().any(|run| run.namespace == number);
        self.started.insert(task.id(), Started { id, is_asked_for });
    }

    fn take(&mut self, ended: Result<(task::Id, SliceResult), JoinError>) {
        let (task, result) = match ended {
            Ok(ended) => ended,
            // Nobody cancels a slice while the worker works.
            Err(error) => (error.id(), Err(Cause::Panicked)),
        };
        let Some(Started { id, is_asked_for }) = self.started.remove(&task) else { return };
        if let (Ok(slice), true) = (&result, is_asked_for) {
            self.note_runs(id, slice);
        }
        let cause = result.as_ref().err().cloned();
        let change = self.schedule.done(id, result, self.now());
        self.tell(id, change, cause);
        self.end_runs();
        self.let_go();
    }

    fn obey(&mut self, command: Command<S>) {
        let now = self.now();
        match command {
            Command::Add(managed, pacing) => self.add(managed, &pacing),
            Command::Remove(number, reply) => {
                self.schedule.pause(number, now);
                self.runs.retain(|run| run.namespace != number);
                // Nobody waits for it any more, or slices would go on in spite of the pause.
                self.partitions(number).for_each(|id| self.schedule.relax(id, now));
                self.leaving.push((number, reply));
                self.let_go();
            }
            Command::Pause(number) => self.pause(number),
            Command::Resume(number) => self.resume(number),
            Command::Wake(number, Some(partition)) => self.schedule.wake((number, partition), now),
            Command::Wake(number, None) => {
                self.partitions(number).for_each(|id| self.schedule.wake(id, now));
            }
            Command::Run(number, progress) => self.run(number, progress),
            Command::Health(reply) => _ = reply.send(self.health()),
            Command::Load(reply) => _ = reply.send(self.schedule.load(now)),
            Command::Shutdown(..) => {}
        }
    }

    fn add(&mut self, managed: Arc<Managed<S>>, pacing: &PacingSettings) {
        let (number, now) = (managed.number, self.now());
        let mut waiter = JoinSet::new();
        waiter.spawn(wait_for_writers(Arc::clone(&managed), self.wakes.clone()));
        let max_lag = pacing.max_lag;
        let entry = Entry { managed, is_paused: false, max_lag, _waiter: waiter };
        self.namespaces.insert(number, entry);
        self.partitions(number).for_each(|id| self.schedule.add(id, pacing, now));
    }

    fn pause(&mut self, number: u64) {
        if let Some(entry) = self.namespaces.get_mut(&number) {
            entry.is_paused = true;
            self.schedule.pause(number, self.now());
        }
    }

    fn resume(&mut self, number: u64) {
        // One that is about to be removed stays as it is.
        let is_leaving = self.leaving.iter().any(|(leaving, _)| *leaving == number);
        if let Some(entry) = self.namespaces.get_mut(&number).filter(|_| !is_leaving) {
            entry.is_paused = false;
            self.schedule.resume(number, self.now());
        }
    }

    fn run(&mut self, number: u64, progress: watch::Sender<RunNow>) {
        let now = self.now();
        let ids: Vec<SlotId> = self.partitions(number).collect();
        ids.iter().for_each(|id| self.schedule.force(*id, now));
        self.runs.push(Run::new(number, ids.len() as u32, progress));
    }

    fn note_runs(&mut self, (number, partition): SlotId, slice: &Slice) {
        let runs = self.runs.iter_mut().filter(|run| run.namespace == number);
        runs.for_each(|run| run.note(partition, slice));
    }

    /// Ends requests that are over, and lets partitions go back to their pace that nobody waits for.
    fn end_runs(&mut self) {
        if self.runs.is_empty() {
            return;
        }
        let now = self.now();
        let mut numbers: Vec<u64> = self.runs.iter().map(|run| run.namespace).collect();
        numbers.dedup();
        self.runs.retain(|run| !run.is_over());
        for number in numbers {
            let runs = self.runs.iter().filter(|run| run.namespace == number);
            let wanted: BTreeSet<u32> = runs.flat_map(Run::left).collect();
            for id in self.partitions(number).filter(|(_, partition)| !wanted.contains(partition)) {
                self.schedule.relax(id, now);
            }
        }
    }

    /// Lets namespaces go that are to be removed and of which no slice is under way.
    fn let_go(&mut self) {
        let schedule = &self.schedule;
        let gone = self.leaving.extract_if(.., |(number, _)| !schedule.is_running(*number));
        for (number, reply) in gone.collect::<Vec<_>>() {
            self.schedule.remove(number);
            self.namespaces.remove(&number);
            let _ = reply.send(());
        }
    }

    fn health(&self) -> Vec<NamespaceHealth> {
        let health = |entry: &Entry<S>| NamespaceHealth {
            namespace: entry.managed.name.clone(),
            is_paused: entry.is_paused,
            max_lag: entry.max_lag,
            partitions: self.schedule.health(entry.managed.number, self.now()),
        };
        let mut all: Vec<_> = self.namespaces.values().map(health).collect();
        all.sort_by(|one, other| one.namespace.cmp(&other.namespace));
        all
    }

    fn tell(&self, (number, partition): SlotId, change: Change, cause: Option<Cause>) {
        let Some(entry) = self.namespaces.get(&number) else { return };
        let namespace = || entry.managed.name.clone();
        if let (true, Some(cause)) = (change.has_begun_to_fail, cause) {
            let _ = self.events.send(Event::Failing { namespace: namespace(), partition, cause });
        }
        if change.has_recovered {
            let _ = self.events.send(Event::Recovered { namespace: namespace(), partition });
        }
        if let Some(standing) = change.standing {
            let event = Event::Standing { namespace: namespace(), partition, standing };
            let _ = self.events.send(event);
        }
    }

    async fn shut_down(mut self, grace: Duration) -> ShutdownReport {
        let deadline = Instant::now() + grace;
        while let Ok(Some(ended)) = timeout_at(deadline, self.slices.join_next_with_id()).await {
            self.take(ended);
        }
        let abandoned = self.slices.len() as u64;
        self.slices.shutdown().await;
        let mut report = ShutdownReport { abandoned, ..ShutdownReport::default() };
        for entry in self.namespaces.values() {
            let (backlog, excess) = self.schedule.left(entry.managed.number);
            if backlog > 0 || excess != inval_core::Usage::default() {
                report.left.push((entry.managed.name.clone(), backlog, excess));
            }
        }
        let deadline = deadline.max(Instant::now() + LEAST_GRACE);
        let entries = self.namespaces.drain();
        let releases: Vec<_> = entries.map(|(_, entry)| release(entry, deadline)).collect();
        for (name, release) in releases {
            if let Err(cause) = release.await.unwrap_or(Err(Cause::Panicked)) {
                report.unreleased.push((name, cause));
            }
        }
        report
    }

    fn partitions(&self, number: u64) -> impl Iterator<Item = SlotId> + use<S> {
        let entry = self.namespaces.get(&number);
        let count = entry.map_or(0, |entry| entry.managed.store.partitions());
        (0..count).map(move |partition| (number, partition))
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.origin.elapsed().as_millis() as u64)
    }
}

/// Gives the leases of a namespace back, in a task of its own.
fn release<S: Store + 'static>(
    entry: Entry<S>,
    deadline: Instant,
) -> (Namespace, JoinHandle<Result<(), Cause>>) {
    let managed = entry.managed;
    let name = managed.name.clone();
    let task = task::spawn(async move {
        match timeout_at(deadline, managed.store.release()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Cause::Store(Arc::new(error))),
            Err(_) => Err(Cause::TimedOut),
        }
    });
    (name, task)
}

/// Makes partitions due at once for which writers wait.
async fn wait_for_writers<S: Store>(managed: Arc<Managed<S>>, wakes: mpsc::WeakSender<Command<S>>) {
    loop {
        let partition = managed.store.pressed().await;
        let Some(commands) = wakes.upgrade() else { return };
        if commands.send(Command::Wake(managed.number, Some(partition))).await.is_err() {
            return;
        }
    }
}
