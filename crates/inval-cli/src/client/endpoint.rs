//! What the commands talk to: a daemon, or a store without one.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::{Key, Lifetime, Namespace, Put, PutOptions};

use inval_redis::{KeySecret, Rotation, SecretSource};

use super::direct::Direct;
use super::error::ClientError;
use super::explanation::Explanation;
use super::http::{DaemonUrl, DaemonUrlError, HttpClient, HttpError};
use super::report::{Phase, Report, Steps, Wish};
use super::statistics::Statistics;
use super::token;
use super::values::{Changes, Created, Invalidated, NamespaceInfo, Run, Upkeep};
use super::waiting::Waiting;
use crate::args::{Origin, Place};

/// The most keys that are deleted by one call.
const BATCH: usize = 1000;
/// How often a daemon is asked how far an analysis has got.
const POLL: Duration = Duration::from_millis(200);

/// Where the caches are. Each operation fails with an error that says the next step.
pub(crate) enum Endpoint {
    Daemon(HttpClient),
    Store(Box<Direct>),
}

impl Endpoint {
    /// What the command line and the environment name. Connects to a store, but not to a daemon.
    pub(crate) fn open(origin: &Origin) -> Result<Self, ClientError> {
        match &origin.store {
            Some(Ok(Place::Server(target))) => {
                let credentials = origin.store_credentials.clone().unwrap_or_default();
                let key_secret = origin.key_secret.as_ref().map(SecretSource::read).transpose()?;
                let store = Direct::connect(target, credentials)?.with_key_secret(key_secret);
                Ok(Self::Store(Box::new(store)))
            }
            Some(Ok(Place::Memory)) => Err(ClientError::Memory),
            Some(Err(error)) => Err((*error).into()),
            None => Ok(Self::Daemon(HttpClient::new(
                daemon_url(origin)?,
                &origin.tls,
                token::find(origin)?,
            )?)),
        }
    }

    /// Who answers, and where: for a headline. A daemon that does not tell its version is shown without.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Daemon(daemon) => match daemon.version() {
                Ok(version) => format!("inval {version} at {}", daemon.url()),
                Err(_) => format!("daemon at {}", daemon.url()),
            },
            Self::Store(store) => store.target().to_string(),
        }
    }

    /// The value under `key`, unless there is none. Counts as an access.
    pub(super) fn get(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Option<Bytes>, ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.get(namespace, key).map_err(of(namespace)),
            Self::Store(store) => store.get(namespace, key),
        }
    }

    /// Writes a value. A value that cannot be kept is an error.
    pub(super) fn put(
        &self,
        namespace: &Namespace,
        key: &Key,
        value: Bytes,
        options: PutOptions,
    ) -> Result<Put, ClientError> {
        match self {
            Self::Daemon(daemon) => {
                daemon.put(namespace, key, &value, options).map_err(of(namespace))
            }
            Self::Store(store) => store.put(namespace, key, value, options),
        }
    }

    /// Deletes the entries under `keys`, each of which is named once, or counts them.
    pub(super) fn invalidate(
        &self,
        namespace: &Namespace,
        keys: &[Key],
        run: Run,
    ) -> Result<Invalidated, ClientError> {
        let mut total = Invalidated { matched: 0, deleted: 0, dry_run: run == Run::Dry };
        for keys in keys.chunks(BATCH) {
            let done = match self {
                Self::Daemon(daemon) => {
                    daemon.invalidate(namespace, keys, run).map_err(of(namespace))?
                }
                Self::Store(store) => store.invalidate(namespace, keys, run)?,
            };
            total.matched += done.matched;
            total.deleted += done.deleted;
        }
        Ok(total)
    }

    /// How long the entry under `key` has still to live. Counts as no access.
    pub(super) fn lifetime(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Lifetime, ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.lifetime(namespace, key).map_err(of(namespace)),
            Self::Store(store) => store.lifetime(namespace, key),
        }
    }

    /// What is known of a key. Counts as no access.
    pub(super) fn explain(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Explanation, ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.explain(namespace, key).map_err(of(namespace)),
            Self::Store(store) => store.explain(namespace, key),
        }
    }

    /// All namespaces, by name.
    pub(super) fn namespaces(&self) -> Result<Vec<NamespaceInfo>, ClientError> {
        let mut namespaces = match self {
            Self::Daemon(daemon) => daemon.namespaces()?,
            Self::Store(store) => store.namespaces()?,
        };
        namespaces.sort_by_key(|info| info.name.to_string());
        Ok(namespaces)
    }

    /// What a namespace keeps to.
    pub(super) fn namespace(&self, namespace: &Namespace) -> Result<NamespaceInfo, ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.namespace(namespace).map_err(of(namespace)),
            Self::Store(store) => store.namespace(namespace),
        }
    }

    /// Creates a namespace. One that is there already and keeps to something else is an error.
    pub(super) fn create(
        &self,
        namespace: &Namespace,
        changes: &Changes,
    ) -> Result<Created, ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.create(namespace, changes).map_err(of(namespace)),
            Self::Store(store) => store.create(namespace, changes),
        }
    }

    /// Changes what a namespace keeps to while it is in use.
    pub(super) fn change(
        &self,
        namespace: &Namespace,
        changes: &Changes,
    ) -> Result<(), ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.change(namespace, changes).map_err(of(namespace)),
            Self::Store(store) => store.change(namespace, changes),
        }
    }

    /// Goes a step on the way from the old key secret to ours.
    pub(super) fn rotate(
        &self,
        namespace: &Namespace,
        step: Rotation,
        old: KeySecret,
    ) -> Result<(), ClientError> {
        match self {
            Self::Daemon(_) => Err(ClientError::NeedsStore),
            Self::Store(store) => store.rotate(namespace, step, old),
        }
    }

    /// Deletes a namespace with its entries.
    pub(super) fn delete(&self, namespace: &Namespace) -> Result<(), ClientError> {
        match self {
            Self::Daemon(daemon) => daemon.delete(namespace).map_err(of(namespace)),
            Self::Store(store) => store.delete(namespace),
        }
    }

    /// The statistics of all namespaces, or of one, by name.
    pub(crate) fn statistics(
        &self,
        namespace: Option<&Namespace>,
    ) -> Result<BTreeMap<String, Statistics>, ClientError> {
        Ok(match (self, namespace) {
            (Self::Daemon(daemon), None) => daemon.statistics()?,
            (Self::Daemon(daemon), Some(name)) => {
                BTreeMap::from([(name.to_string(), daemon.statistics_of(name).map_err(of(name))?)])
            }
            (Self::Store(store), None) => store.statistics()?,
            (Self::Store(store), Some(name)) => {
                BTreeMap::from([(name.to_string(), store.statistics_of(name)?)])
            }
        })
    }

    /// Analyses a namespace to the end and tells `progress` how far it has got. Ctrl-C cancels it.
    pub(super) fn analyse(
        &self,
        namespace: &Namespace,
        wish: &Wish,
        progress: impl Fn(Steps),
    ) -> Result<Report, ClientError> {
        let daemon = match self {
            Self::Daemon(daemon) => daemon,
            Self::Store(store) => return store.analyse(namespace, wish, progress),
        };
        let mut waiting = Waiting::begin()?;
        let mut report = daemon.start_analysis(namespace, wish).map_err(of(namespace))?;
        while report.state == Phase::Running {
            report.progress.into_iter().for_each(&progress);
            if waiting.is_interrupted(POLL) {
                daemon.cancel_analysis(namespace).map_err(of(namespace))?;
                return Err(ClientError::Interrupted);
            }
            report = daemon.analysis(namespace).map_err(of(namespace))?;
        }
        Ok(report)
    }

    /// Does upkeep until nothing is left to do, or `timeout` has passed.
    pub(super) fn maintain(
        &self,
        namespace: &Namespace,
        timeout: Duration,
    ) -> Result<Upkeep, ClientError> {
        let daemon = match self {
            Self::Daemon(daemon) => daemon,
            Self::Store(store) => return store.maintain(namespace, timeout),
        };
        let began = Instant::now();
        let mut total = Upkeep::default();
        loop {
            let left = timeout.saturating_sub(began.elapsed());
            total += daemon.maintain(namespace, left).map_err(of(namespace))?;
            if total.is_done || began.elapsed() >= timeout {
                return Ok(total);
            }
        }
    }
}

/// Makes of a daemon's refusals that are about a namespace what a store's are.
fn of(namespace: &Namespace) -> impl Fn(HttpError) -> ClientError {
    move |error| match &error {
        HttpError::Refused(problem) if problem.is("unknown-namespace") => {
            ClientError::NoNamespace(namespace.clone())
        }
        HttpError::Refused(problem) if problem.is("analysis-running") => {
            ClientError::Analysed(namespace.clone())
        }
        HttpError::Refused(problem) if problem.is("namespace-exists") => {
            ClientError::Exists(namespace.clone())
        }
        _ => error.into(),
    }
}

/// The daemon that the command line names, or else the environment, or else the one on this machine.
fn daemon_url(origin: &Origin) -> Result<DaemonUrl, ClientError> {
    match (&origin.daemon, env::var("INVAL_DAEMON")) {
        (Some(url), _) => url.clone().map_err(ClientError::DaemonUrl),
        (None, Ok(text)) if !text.is_empty() => text.parse().map_err(ClientError::DaemonVariable),
        (None, Err(env::VarError::NotUnicode(_))) => {
            Err(ClientError::DaemonVariable(DaemonUrlError::Form))
        }
        (None, _) => Ok(DaemonUrl::default()),
    }
}
