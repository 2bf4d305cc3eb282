//! An analysis in a task of its own, as those see it who wait for it.

use std::sync::{Arc, Mutex, PoisonError};

use inval_core::Store;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::{Analysed, AnalysisOptions, Progress, analyse};
use crate::error::StartAnalysisError;
use crate::events::Cause;

/// What has become of an analysis.
#[derive(Clone, Debug)]
pub enum AnalysisState {
    /// It has got so far.
    Running(Progress),
    /// It has come to its end.
    Done(Arc<Analysed>),
    /// It broke off.
    Failed(Cause),
    /// Somebody did not want it any more: whoever asked for it, or whoever removed its namespace or shut the
    /// manager down.
    Cancelled,
}

impl AnalysisState {
    /// Whether it is still under way.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running(_))
    }
}

/// An analysis that was asked for. Dropping this cancels it.
#[derive(Debug)]
pub struct RunningAnalysis {
    task: Task,
    report: Report,
    state: watch::Receiver<AnalysisState>,
}

impl RunningAnalysis {
    /// What has become of it.
    pub fn state(&self) -> AnalysisState {
        self.state.borrow().clone()
    }

    /// Waits for another page, or the end.
    pub async fn changed(&mut self) -> AnalysisState {
        // The sender is gone only after the end.
        let _ = self.state.changed().await;
        self.state.borrow_and_update().clone()
    }

    /// Waits until it is no longer under way, and tells what has become of it.
    pub async fn ended(&mut self) -> AnalysisState {
        match self.state.wait_for(|state| !state.is_running()).await {
            Ok(state) => state.clone(),
            Err(_) => AnalysisState::Cancelled,
        }
    }

    /// Ends it, if it has not ended. What is under way at the server comes to its end there.
    pub fn cancel(&self) {
        self.report.note(AnalysisState::Cancelled);
        self.task.0.abort();
    }
}

impl Drop for RunningAnalysis {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// A task that ends with this.
#[derive(Debug)]
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The place for the one analysis of a namespace.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<Place>);

#[derive(Debug, Default)]
enum Place {
    #[default]
    Empty,
    Taken {
        state: watch::Receiver<AnalysisState>,
        _task: Task,
    },
    /// There is to be none any more.
    Closed,
}

impl Slot {
    /// Starts an analysis, unless one is under way or there is to be none.
    pub(crate) fn start<S: Store + 'static>(
        &self,
        store: Arc<S>,
        options: AnalysisOptions,
        runtime: &Handle,
    ) -> Result<RunningAnalysis, StartAnalysisError> {
        options.validate()?;
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*place {
            Place::Closed => return Err(StartAnalysisError::Stopped),
            Place::Taken { state, .. } if state.borrow().is_running() => {
                return Err(StartAnalysisError::Running);
            }
            Place::Taken { .. } | Place::Empty => {}
        }
        let (report, state) = watch::channel(AnalysisState::Running(Progress::default()));
        let report = Report(report);
        let telling = Telling(report.clone());
        let task = runtime.spawn(async move {
            let note = |progress| telling.0.note(AnalysisState::Running(progress));
            let end = match analyse(&*store, &options, note).await {
                Ok(analysed) => AnalysisState::Done(Arc::new(analysed)),
                Err(error) => AnalysisState::Failed(Cause::Store(Arc::new(error))),
            };
            telling.0.note(end);
        });
        let task = task.abort_handle();
        *place = Place::Taken { state: state.clone(), _task: Task(task.clone()) };
        Ok(RunningAnalysis { task: Task(task), report, state })
    }

    /// Ends the analysis under way, and takes no other.
    pub(crate) fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Place::Closed;
    }
}

/// Says what becomes of an analysis. It ends once.
#[derive(Clone, Debug)]
struct Report(watch::Sender<AnalysisState>);

impl Report {
    /// Says what has become of it, unless it has ended.
    fn note(&self, next: AnalysisState) {
        self.0.send_if_modified(|state| {
            let is_running = state.is_running();
            if is_running {
                *state = next;
            }
            is_running
        });
    }
}

/// The task of an analysis, which says something in any case.
struct Telling(Report);

impl Drop for Telling {
    fn drop(&mut self) {
        self.0.note(match std::thread::panicking() {
            true => AnalysisState::Failed(Cause::Panicked),
            false => AnalysisState::Cancelled,
        });
    }
}
