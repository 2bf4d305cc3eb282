//! A store as one principal may use it.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

use super::operation::Operation;
use super::principal::{Principal, Scope};
use crate::config::Config;
use crate::stats::{Stats, Usage};
use crate::store::{
    Budget, Cursor, EntryInfo, Lifetime, Page, Put, PutOptions, ReconfigureError, RemovalListener,
    Slice, Store,
};
use crate::units::{Key, Namespace};

/// The store of a namespace, of which a principal can do no more than its grants allow: what is denied never
/// reaches the store.
///
/// Whoever has a guard may do something with the namespace, and so may know its [`config`](Store::config) and
/// its [`partitions`](Store::partitions). Where a denied call has no error to return, nothing happens: a
/// [listener](Store::watch), who needs `maintain` and `read`, is never called, and [`pressed`](Store::pressed)
/// waits for ever.
#[derive(Debug)]
pub struct Guard<S> {
    /// Only [`allow`](Self::allow) hands it out.
    store: Arc<S>,
    namespace: Namespace,
    principal: Arc<Principal>,
}

/// Why a guarded store did not do what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum GuardError<E> {
    /// The principal may not do this here; nothing was done.
    #[error("not allowed: {0}")]
    Denied(Operation),
    /// The store failed.
    #[error(transparent)]
    Store(E),
}

impl<S: Store> Guard<S> {
    /// The store of `namespace` for `principal`; `None` if nothing is allowed there.
    pub fn new(store: Arc<S>, namespace: Namespace, principal: Arc<Principal>) -> Option<Self> {
        let sees = principal.sees(namespace.as_str());
        sees.then_some(Self { store, namespace, principal })
    }

    /// Who uses the store.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The store, for an operation that is allowed. The one way to it but for what all may know.
    fn allow(&self, operation: Operation) -> Result<&S, GuardError<S::Error>> {
        let scope = Scope::Namespace(self.namespace.as_str());
        match self.principal.decide(operation, scope).is_allowed() {
            true => Ok(&self.store),
            false => Err(GuardError::Denied(operation)),
        }
    }
}

/// The same call on the store, if `operation` is allowed.
macro_rules! guarded {
    ($guard:ident, $operation:ident, $store:ident => $call:expr) => {{
        let $store = $guard.allow(Operation::$operation)?;
        $call.await.map_err(GuardError::Store)
    }};
}

impl<S: Store> Store for Guard<S> {
    type Error = GuardError<S::Error>;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Self::Error> {
        guarded!(self, Read, store => store.get(key))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, Self::Error> {
        guarded!(self, Read, store => store.get_many(keys))
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, Self::Error> {
        guarded!(self, Write, store => store.put(key, value, options))
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, Self::Error> {
        guarded!(self, Write, store => store.put_many(entries, ttl))
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, Self::Error> {
        guarded!(self, Invalidate, store => store.invalidate(keys))
    }

    async fn contains(&self, key: &Key) -> Result<bool, Self::Error> {
        guarded!(self, Read, store => store.contains(key))
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, Self::Error> {
        guarded!(self, Read, store => store.lifetime(key))
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, Self::Error> {
        guarded!(self, Read, store => store.inspect(key))
    }

    async fn clear(&self) -> Result<(), Self::Error> {
        guarded!(self, Clear, store => store.clear())
    }

    async fn usage(&self) -> Result<Usage, Self::Error> {
        guarded!(self, Stats, store => store.usage())
    }

    async fn stats(&self) -> Result<Stats, Self::Error> {
        guarded!(self, Stats, store => store.stats())
    }

    fn config(&self) -> Config {
        self.store.config()
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<Self::Error>> {
        let store = self.allow(Operation::Administer).map_err(ReconfigureError::Store)?;
        store.reconfigure(config).await.map_err(|error| match error {
            ReconfigureError::Change(error) => ReconfigureError::Change(error),
            ReconfigureError::Store(error) => ReconfigureError::Store(GuardError::Store(error)),
        })
    }

    /// It tells keys, to whoever knows none.
    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, Self::Error> {
        guarded!(self, Administer, store => store.page(partition, cursor, size))
    }

    fn aliases(&self, key: &Key) -> Vec<Key> {
        self.store.aliases(key)
    }

    fn partitions(&self) -> u32 {
        self.store.partitions()
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, Self::Error> {
        guarded!(self, Maintain, store => store.maintain(partition, budget))
    }

    async fn pressed(&self) -> u32 {
        match self.allow(Operation::Maintain) {
            Ok(store) => store.pressed().await,
            Err(_) => pending().await,
        }
    }

    fn watch(&self, listener: RemovalListener) {
        // It takes the place of another's, and is told keys.
        if let (Ok(store), Ok(_)) = (self.allow(Operation::Maintain), self.allow(Operation::Read)) {
            store.watch(listener);
        }
    }

    async fn release(&self) -> Result<(), Self::Error> {
        guarded!(self, Maintain, store => store.release())
    }
}
