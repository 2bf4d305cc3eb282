//! A removal listener that writes down what it is told.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::sync::{Arc, Mutex};

use inval_memory::{RemovalCause, Removed, Stats, Usage};

/// Every removal that was told, in order. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal<K, V>(Arc<Mutex<Vec<Removed<K, V>>>>);

impl<K, V> Journal<K, V> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// What was told since the last call.
    pub(crate) fn take(&self) -> Vec<Removed<K, V>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl<K: Clone + Send + 'static, V: Clone + Send + 'static> Journal<K, V> {
    pub(crate) fn listener(&self) -> impl Fn(&Removed<K, V>) + Send + Sync + 'static {
        let entries = Arc::clone(&self.0);
        move |removed| entries.lock().unwrap().push(removed.clone())
    }
}

impl Journal<u64, u64> {
    /// What was told since the last call, in the order of keys.
    pub(crate) fn take_sorted(&self) -> Vec<(u64, u64, RemovalCause)> {
        let mut told: Vec<_> = self.take().iter().map(|r| (r.key, r.value, r.cause)).collect();
        told.sort_by_key(|(key, value, _)| (*key, *value));
        told
    }
}

pub(crate) const CAUSES: [RemovalCause; 4] = [
    RemovalCause::Expired,
    RemovalCause::Evicted,
    RemovalCause::Invalidated,
    RemovalCause::Replaced,
];

/// What the statistics say was removed, in the order of [`CAUSES`].
pub(crate) fn removals(stats: &Stats) -> [Usage; 4] {
    CAUSES.map(|cause| stats.removed(cause))
}
