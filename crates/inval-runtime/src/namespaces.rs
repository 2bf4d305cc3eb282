//! The namespaces of a manager, as everybody who has the manager can look them up.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use inval_core::{Namespace, Stats, Store};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::analysis::Slot;
use crate::recorder::Recorder;

/// A namespace with its store.
pub(crate) struct Managed<S> {
    /// Unique among all namespaces that the manager ever had.
    pub(crate) number: u64,
    pub(crate) name: Namespace,
    pub(crate) store: Arc<S>,
    pub(crate) analysis: Slot,
    /// The statistics last read, and when.
    stats: Mutex<Option<(Instant, Arc<Stats>)>>,
    /// Shared with the listener of the store.
    pub(crate) recorder: Arc<Recorder>,
}

impl<S: Store> Managed<S> {
    /// A namespace of which up to `removals` are remembered.
    pub(crate) fn new(number: u64, name: Namespace, store: Arc<S>, removals: usize) -> Self {
        let recorder = Arc::new(Recorder::new(removals));
        let (analysis, stats) = (Slot::default(), Mutex::new(None));
        Self { number, name, store, analysis, stats, recorder }
    }

    /// Statistics no older than `age`, and how old they are. However many ask at the same time, the store is
    /// asked once.
    pub(crate) async fn stats(&self, age: Duration) -> Result<(Arc<Stats>, Duration), S::Error> {
        let mut cached = self.stats.lock().await;
        if let Some((read, stats)) = &*cached
            && read.elapsed() < age
        {
            return Ok((Arc::clone(stats), read.elapsed()));
        }
        let read = Instant::now();
        let stats = Arc::new(self.store.stats().await?);
        *cached = Some((read, Arc::clone(&stats)));
        Ok((stats, read.elapsed()))
    }
}

/// The namespaces by name.
pub(crate) struct Namespaces<S>(RwLock<BTreeMap<Namespace, Arc<Managed<S>>>>);

impl<S> Default for Namespaces<S> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<S> Namespaces<S> {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Managed<S>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Managed<S>>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Takes one in; `false` if there is one of its name.
    pub(crate) fn insert(&self, managed: &Arc<Managed<S>>) -> bool {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(&managed.name) {
            return false;
        }
        all.insert(managed.name.clone(), Arc::clone(managed));
        true
    }

    pub(crate) fn remove(&self, name: &str) -> Option<Arc<Managed<S>>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(name)
    }
}
