//! One shard: a ledger and the loads under way for its keys, behind one lock.

use inval_core::{Config, Ledger};

use crate::flight::Flights;
use crate::sync::{Mutex, MutexGuard};

/// What the lock of a shard guards.
#[repr(C)]
pub(crate) struct Books<K, V> {
    pub(crate) ledger: Ledger<K, V>,
    pub(crate) flights: Flights<K, V>,
}

/// A shard on cache lines of its own, so that two threads in neighbouring shards do not slow each
/// other down. 128 bytes, because processors fetch lines in pairs.
#[repr(align(128))]
pub(crate) struct Shard<K, V>(Mutex<Books<K, V>>);

impl<K: Eq, V> Shard<K, V> {
    pub(crate) fn new(config: &Config) -> Self {
        Self(Mutex::new(Books { ledger: Ledger::new(config), flights: Flights::new() }))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, Books<K, V>> {
        self.0.lock()
    }
}
