//! The analyses of the daemon: those under way, and the last result of each namespace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use inval_runtime::{AnalysisOptions, AnalysisState, Manager, RunningAnalysis, StartAnalysisError};

use super::any_store::AnyStore;
use crate::client::Report;

/// The last analysis of each namespace, for as long as there is the namespace.
#[derive(Default)]
pub(crate) struct Analyses(Mutex<BTreeMap<String, Kept>>);

struct Kept {
    /// What tells the namespace from a later one of the same name.
    store: Weak<AnyStore>,
    options: AnalysisOptions,
    running: RunningAnalysis,
}

impl Analyses {
    /// Starts one instead of that which is kept, which must have ended.
    pub(crate) fn start(
        &self,
        manager: &Manager<AnyStore>,
        name: &str,
        options: AnalysisOptions,
    ) -> Result<(), StartAnalysisError> {
        let mut all = self.lock();
        let store = manager.store(name).ok_or(StartAnalysisError::Unknown)?;
        let running = manager.analyse(name, options.clone())?;
        let store = Arc::downgrade(&store);
        all.insert(name.to_owned(), Kept { store, options, running });
        Ok(())
    }

    /// The last analysis of a namespace; `None` if there was none.
    pub(crate) fn report(&self, store: &Arc<AnyStore>, name: &str) -> Option<Report> {
        let all = self.lock();
        let Kept { options, running, .. } = all.get(name).filter(|kept| kept.is_of(store))?;
        Some(match running.state() {
            AnalysisState::Running(progress) => Report::running(options, progress),
            AnalysisState::Done(analysed) => Report::done(options, &analysed),
            AnalysisState::Failed(cause) => Report::ended(options, Some(cause.to_string())),
            AnalysisState::Cancelled => Report::ended(options, None),
        })
    }

    /// Ends the analysis under way, if there is one.
    pub(crate) fn cancel(&self, store: &Arc<AnyStore>, name: &str) {
        if let Some(kept) = self.lock().get(name).filter(|kept| kept.is_of(store)) {
            kept.running.cancel();
        }
    }

    /// What is kept, without what belonged to namespaces that are gone.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, kept| kept.store.strong_count() > 0);
        all
    }
}

impl Kept {
    fn is_of(&self, store: &Arc<AnyStore>) -> bool {
        std::ptr::eq(self.store.as_ptr(), Arc::as_ptr(store))
    }
}
