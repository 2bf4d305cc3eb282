//! Where namespaces are kept: opens them there and deletes them.

use std::sync::Arc;

use inval_core::{Namespace, ReconfigureError, Store};
use inval_memory::Cache as Memory;
use inval_redis::{Cache as Redis, Client, OpenError, SecretError};
use thiserror::Error;

use super::any_store::{AnyError, AnyStore};
use crate::args::Place;
use crate::config::{KeySecretSources, NamespaceSettings, Settings};

/// This process, or servers with a client that is connected to them.
pub(crate) enum Backend {
    Memory,
    Redis(Client),
}

/// What becomes of a namespace that is on a server already and keeps to other limits, TTL or jitter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Existing {
    /// It is left alone, and not opened.
    MustAgree,
    /// It keeps to what is asked for from now on.
    Adapt,
}

/// Why a namespace is not to be had.
#[derive(Debug, Error)]
pub(crate) enum BackendError {
    /// The namespace cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its key secret is not to be had.
    #[error(transparent)]
    KeySecret(#[from] SecretError),
    /// It is there, and cannot be adapted.
    #[error(transparent)]
    Adapt(#[from] ReconfigureError<inval_redis::Error>),
}

impl Backend {
    /// Connects to where `settings` say that namespaces are kept.
    pub(crate) async fn connect(settings: &Settings) -> Result<Self, inval_redis::Error> {
        match &settings.store {
            Place::Memory => Ok(Self::Memory),
            Place::Server(target) => {
                Client::connect(target, settings.connect_options()).await.map(Self::Redis)
            }
        }
    }

    /// Its kind, as the API names it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis(_) => "redis",
        }
    }

    /// Whether namespaces are gone when nobody holds them any more.
    pub(crate) fn is_memory(&self) -> bool {
        matches!(self, Self::Memory)
    }

    /// The store of a namespace that keeps to `namespace`. One that is on a server already must agree, or is
    /// adapted, as `existing` says.
    pub(crate) async fn open(
        &self,
        name: &Namespace,
        namespace: &NamespaceSettings,
        settings: &Settings,
        existing: Existing,
    ) -> Result<AnyStore, BackendError> {
        match self {
            Self::Memory => {
                let mut cache = Memory::of_bytes(namespace.config);
                if let Some(shards) = namespace.partitions {
                    cache = cache.shards(shards as usize);
                }
                Ok(AnyStore::Memory(cache.build()))
            }
            Self::Redis(client) => {
                let options = settings.cache_options(namespace);
                let config = namespace.config;
                let secrets =
                    settings.key_secrets.get(name).map(KeySecretSources::read).transpose()?;
                let (on, named) = (client.clone(), name.clone());
                let opened = match &secrets {
                    None => Redis::open(on, named, config, options).await,
                    Some(secrets) => {
                        Redis::open_with_secrets(on, named, config, options, secrets).await
                    }
                };
                let cache = match (opened, existing) {
                    (Err(OpenError::Disagreement(error)), Existing::Adapt)
                        if error.is_changeable() =>
                    {
                        let (on, named) = (client.clone(), name.clone());
                        let cache = match &secrets {
                            None => Redis::attach(on, named, options.engine).await?,
                            Some(secrets) => {
                                Redis::attach_with_secrets(on, named, options.engine, secrets)
                                    .await?
                            }
                        };
                        cache.reconfigure(&config).await?;
                        cache
                    }
                    (opened, _) => opened?,
                };
                Ok(AnyStore::Redis(cache))
            }
        }
    }

    /// The namespaces that are on a server, whoever maintains them. Goes through the names of all keys there.
    pub(crate) async fn namespaces(&self) -> Result<Vec<Namespace>, AnyError> {
        match self {
            Self::Memory => Ok(Vec::new()),
            Self::Redis(client) => Ok(inval_redis::namespaces(client).await?),
        }
    }

    /// Deletes a namespace that nobody maintains any more, with all its entries.
    pub(crate) async fn delete(store: &Arc<AnyStore>) -> Result<(), AnyError> {
        match &**store {
            AnyStore::Memory(cache) => cache.clear(),
            AnyStore::Redis(cache) => cache.destroy().await?,
        }
        Ok(())
    }
}
