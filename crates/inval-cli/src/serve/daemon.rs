//! The daemon apart from its interfaces: namespaces, where they are kept, and who maintains them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use inval_core::{Config, Namespace, Store};
use inval_runtime::{
    AddError, Manager, ReconfigureError, RemoveError, RequestError, ShutdownReport, StartError,
};
use thiserror::Error;
use tokio::sync::Mutex;

use super::analyses::Analyses;
use super::any_store::{AnyError, AnyStore};
use super::backend::{Backend, BackendError, Existing};
use super::source::Source;
use crate::access::{Access, AccessError};
use crate::args::Place;
use crate::config::{NamespaceSettings, Settings};
use crate::failure::Exit;
use crate::http::Tls;

/// What answers requests. Dropping it ends upkeep where it stands.
pub(crate) struct Daemon {
    pub(crate) manager: Manager<AnyStore>,
    pub(crate) backend: Backend,
    pub(crate) analyses: Analyses,
    pub(crate) access: Access,
    /// What is in force. Held while namespaces come and go, so that no two requests open or delete the same.
    pub(super) settings: Mutex<Settings>,
    pub(super) source: Source,
    /// What HTTP is encrypted by.
    pub(super) tls: Option<Arc<Tls>>,
}

/// Why the daemon does not start.
#[derive(Debug, Error)]
pub(crate) enum DaemonError {
    #[error("{0}: {1}")]
    Connect(Place, inval_redis::Error),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(
        "{0} can be reached by others, and without tokens they could read and change everything; name a file of \
         tokens in access.tokens, listen on 127.0.0.1, or set http.allow_open = true"
    )]
    Open(SocketAddr),
    #[error(
        "{0} can be reached by others, and tokens would come there in clear text; set http.tls_certificate \
         and http.tls_key, listen on 127.0.0.1 behind a proxy that speaks TLS, or set http.allow_plaintext = true if \
         one stands before this address"
    )]
    Plaintext(SocketAddr),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("namespace {0}: {1}")]
    Namespace(Namespace, CreateError),
}

impl DaemonError {
    /// The exit code it ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Connect(_, error) => Exit::of_store(error),
            Self::Namespace(_, CreateError::Backend(BackendError::Open(error))) => {
                Exit::of_opening(error)
            }
            Self::Access(_) | Self::Open(_) | Self::Plaintext(_) => Exit::Invalid,
            _ => Exit::Failure,
        }
    }
}

/// Why there is no new namespace.
#[derive(Debug, Error)]
pub(crate) enum CreateError {
    /// There is one of this name, which keeps to something else.
    #[error("there is a namespace of this name already, with another configuration")]
    Exists,
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Add(#[from] AddError),
}

/// Why a namespace is still there.
#[derive(Debug, Error)]
pub(crate) enum DeleteError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Store(#[from] AnyError),
}

/// What came of the wish for a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Created {
    New,
    /// It was there, and keeps to what was asked for.
    Already,
}

impl Daemon {
    /// Connects to the store that `settings`, of `source`, name, and begins to maintain their namespaces.
    pub(crate) async fn start(
        source: Source,
        settings: Settings,
        tls: Option<Arc<Tls>>,
    ) -> Result<Self, DaemonError> {
        let access = Access::load(&settings.access)?;
        let connected = Backend::connect(&settings).await;
        let backend =
            connected.map_err(|error| DaemonError::Connect(settings.store.clone(), error))?;
        let manager = Manager::<AnyStore>::builder()
            .pacing(settings.pacing)
            .slice_time(settings.slice_time)
            .stats_age(settings.stats_age)
            .removal_memory(settings.removal_memory as usize)
            .start()?;
        let daemon = Self {
            manager,
            backend,
            access,
            analyses: Analyses::default(),
            settings: Mutex::new(settings.clone()),
            source,
            tls,
        };
        super::log::watch(&daemon.manager);
        for (name, namespace) in &settings.namespaces {
            let opened = daemon.open(name, namespace, &settings, Existing::Adapt).await;
            if let Err(error) = opened {
                // Leases that were taken already are given back.
                daemon.shutdown(settings.http.drain_timeout).await;
                return Err(DaemonError::Namespace(name.clone(), error));
            }
        }
        Ok(daemon)
    }

    /// Makes a namespace and maintains it.
    pub(crate) async fn create(
        &self,
        name: &Namespace,
        config: Config,
        partitions: Option<u32>,
    ) -> Result<Created, CreateError> {
        let mut settings = self.settings.lock().await;
        if let Some(store) = self.manager.store(name.as_str()) {
            let known = settings.namespaces.get(name).and_then(|namespace| namespace.partitions);
            let is_same = is_alike(&store.config(), &config)
                && partitions.is_none_or(|n| n == store.partitions() || Some(n) == known);
            return if is_same { Ok(Created::Already) } else { Err(CreateError::Exists) };
        }
        let namespace = NamespaceSettings { config, partitions, pacing: settings.pacing };
        self.open(name, &namespace, &settings, Existing::MustAgree).await?;
        settings.namespaces.insert(name.clone(), namespace);
        Ok(Created::New)
    }

    /// Has a namespace keep to the limits, TTL and jitter that `next` makes of what it keeps to.
    pub(crate) async fn change<E: From<ReconfigureError<AnyError>>>(
        &self,
        name: &str,
        next: impl FnOnce(&Config) -> Result<Config, E>,
    ) -> Result<(), E> {
        let _settings = self.settings.lock().await;
        let store = self.manager.store(name).ok_or(ReconfigureError::Unknown)?;
        let next = next(&store.config())?;
        Ok(self.manager.reconfigure(name, &next).await?)
    }

    /// Deletes a namespace with its entries. After an error some of it may be left, but upkeep of it has ended;
    /// this can be called again.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), DeleteError> {
        let mut settings = self.settings.lock().await;
        let unmanaged = self.manager.store(name).ok_or(RequestError::Unknown)?;
        match self.manager.remove(name).await {
            // What the lease could not be given back for, the store says again when it deletes.
            Ok(_) | Err(RemoveError::Release(_)) => {}
            Err(RemoveError::Request(error)) => return Err(error.into()),
        }
        let deleted = Backend::delete(&unmanaged).await;
        if deleted.is_err()
            && let Ok(name) = name.parse()
        {
            let _ = self.manager.add_with(name, unmanaged, settings.pacing).await;
        } else {
            settings.namespaces.remove(name);
        }
        Ok(deleted?)
    }

    /// Ends upkeep and gives leases back, within `grace`.
    pub(crate) async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.manager.shutdown(grace).await
    }

    /// Opens a namespace where it is kept and maintains it.
    pub(super) async fn open(
        &self,
        name: &Namespace,
        namespace: &NamespaceSettings,
        settings: &Settings,
        existing: Existing,
    ) -> Result<(), CreateError> {
        let store = self.backend.open(name, namespace, settings, existing).await?;
        let store = Arc::new(store);
        self.manager.add_with(name.clone(), store, namespace.pacing).await?;
        Ok(())
    }
}

/// Refuses to serve others than this machine without tokens, or in clear text, unless somebody wants just that.
pub(super) fn check_exposure(settings: &Settings) -> Result<(), DaemonError> {
    let http = &settings.http;
    match &settings.access.tokens {
        _ if http.listen.ip().to_canonical().is_loopback() => Ok(()),
        None if !http.allow_open => Err(DaemonError::Open(http.listen)),
        Some(_) if !http.allow_plaintext && http.tls().is_none() => {
            Err(DaemonError::Plaintext(http.listen))
        }
        _ => Ok(()),
    }
}

/// Whether two configurations keep to the same, whatever their random choices are.
pub(super) fn is_alike(one: &Config, other: &Config) -> bool {
    let fields = |config: &Config| {
        let limits = (config.max_entries(), config.max_bytes());
        (config.strategy(), limits, config.ttl(), config.time_to_idle(), config.ttl_jitter())
    };
    fields(one) == fields(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Variables;

    #[test]
    fn others_are_served_only_where_somebody_wants_it() {
        let check = |listen: &str, text: &str, want: &str| {
            let text = format!("http.listen = \"{listen}\"\n{text}");
            let settings = Settings::parse("", &text, &Variables::default()).unwrap();
            let got = match check_exposure(&settings) {
                Ok(()) => "fine",
                Err(DaemonError::Open(_)) => "open",
                Err(DaemonError::Plaintext(_)) => "plaintext",
                Err(error) => panic!("{error}"),
            };
            assert_eq!(got, want, "{text}");
        };
        let tokens = "access.tokens = \"tokens.json\"\n";
        for ours in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            check(ours, "", "fine");
            check(ours, tokens, "fine");
        }
        for others in ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"] {
            check(others, "", "open");
            check(others, "http.allow_plaintext = true", "open");
            check(others, "http.allow_open = true", "fine");
            check(others, tokens, "plaintext");
            check(others, &format!("{tokens}http.allow_open = true"), "plaintext");
            check(others, &format!("{tokens}http.allow_plaintext = true"), "fine");
        }
    }
}
