//! The store of a namespace, wherever it is kept.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use bytes::Bytes;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    RemovalListener, Slice, Stats, Store, Usage,
};
use thiserror::Error;

/// A namespace in this process or on a server.
pub(crate) enum AnyStore {
    Memory(inval_memory::Cache<Key, Bytes>),
    Redis(inval_redis::Cache),
}

/// Why a store could not do what it was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum AnyError {
    #[error(transparent)]
    Memory(#[from] Infallible),
    #[error(transparent)]
    Redis(#[from] inval_redis::Error),
}

/// The same call on whichever store it is.
macro_rules! delegate {
    ($self:ident, $store:ident => $call:expr) => {
        match $self {
            Self::Memory($store) => Ok($call.await?),
            Self::Redis($store) => Ok($call.await?),
        }
    };
}

impl Store for AnyStore {
    type Error = AnyError;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, AnyError> {
        delegate!(self, store => Store::get(store, key))
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Bytes>>, AnyError> {
        delegate!(self, store => Store::get_many(store, keys))
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Put, AnyError> {
        delegate!(self, store => Store::put(store, key, value, options))
    }

    async fn put_many(
        &self,
        entries: &[(Key, Bytes)],
        ttl: Option<Duration>,
    ) -> Result<Vec<Put>, AnyError> {
        delegate!(self, store => Store::put_many(store, entries, ttl))
    }

    async fn invalidate(&self, keys: &[Key]) -> Result<u64, AnyError> {
        delegate!(self, store => Store::invalidate(store, keys))
    }

    async fn contains(&self, key: &Key) -> Result<bool, AnyError> {
        delegate!(self, store => Store::contains(store, key))
    }

    async fn lifetime(&self, key: &Key) -> Result<Lifetime, AnyError> {
        delegate!(self, store => Store::lifetime(store, key))
    }

    async fn inspect(&self, key: &Key) -> Result<Option<EntryInfo>, AnyError> {
        delegate!(self, store => Store::inspect(store, key))
    }

    async fn clear(&self) -> Result<(), AnyError> {
        delegate!(self, store => Store::clear(store))
    }

    async fn usage(&self) -> Result<Usage, AnyError> {
        delegate!(self, store => Store::usage(store))
    }

    async fn stats(&self) -> Result<Stats, AnyError> {
        delegate!(self, store => Store::stats(store))
    }

    fn config(&self) -> Config {
        match self {
            Self::Memory(store) => Store::config(store),
            Self::Redis(store) => Store::config(store),
        }
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<AnyError>> {
        match self {
            Self::Memory(store) => Store::reconfigure(store, config).await.map_err(widen),
            Self::Redis(store) => Store::reconfigure(store, config).await.map_err(widen),
        }
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, AnyError> {
        delegate!(self, store => Store::page(store, partition, cursor, size))
    }

    fn aliases(&self, key: &Key) -> Vec<Key> {
        match self {
            Self::Memory(store) => Store::aliases(store, key),
            Self::Redis(store) => Store::aliases(store, key),
        }
    }

    fn partitions(&self) -> u32 {
        match self {
            Self::Memory(store) => Store::partitions(store),
            Self::Redis(store) => Store::partitions(store),
        }
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, AnyError> {
        delegate!(self, store => Store::maintain(store, partition, budget))
    }

    async fn pressed(&self) -> u32 {
        match self {
            Self::Memory(_) => pending().await,
            Self::Redis(store) => Store::pressed(store).await,
        }
    }

    fn watch(&self, listener: RemovalListener) {
        match self {
            Self::Memory(store) => Store::watch(store, listener),
            Self::Redis(store) => Store::watch(store, listener),
        }
    }

    async fn release(&self) -> Result<(), AnyError> {
        delegate!(self, store => Store::release(store))
    }
}

impl AnyError {
    /// Whether the same call may succeed later.
    pub(crate) fn is_retryable(self) -> bool {
        match self {
            Self::Memory(never) => match never {},
            Self::Redis(error) => error.is_retryable(),
        }
    }
}

fn widen<E: Into<AnyError>>(error: ReconfigureError<E>) -> ReconfigureError<AnyError> {
    match error {
        ReconfigureError::Change(error) => ReconfigureError::Change(error),
        ReconfigureError::Store(error) => ReconfigureError::Store(error.into()),
    }
}
