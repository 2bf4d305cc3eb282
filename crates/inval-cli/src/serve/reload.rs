//! Brings the daemon to what its file says now, while it serves.

use std::collections::BTreeMap;
use std::sync::Arc;

use inval_core::{ChangeError, Namespace, Store};
use inval_runtime::RemoveError;
use thiserror::Error;
use tracing::{info, warn};

use super::any_store::AnyStore;
use super::backend::Existing;
use super::daemon::{Daemon, is_alike};
use crate::access::AccessError;
use crate::config::{NamespaceSettings, Settings};
use crate::http::TlsError;

/// What a reload did.
#[derive(Debug, Default)]
pub(crate) struct Reloaded {
    pub(crate) added: Vec<Namespace>,
    pub(crate) changed: Vec<Namespace>,
    /// No longer maintained; in memory they are gone, on a server they stay.
    pub(crate) removed: Vec<Namespace>,
    pub(crate) unchanged: Vec<Namespace>,
    /// Fields that the file has changed and that take effect with the next start.
    pub(crate) needs_restart: Vec<String>,
    /// Namespaces that are not as the file says, and why.
    pub(crate) failed: Vec<(Namespace, Box<str>)>,
}

/// Why nothing was changed.
#[derive(Debug, Error)]
pub(crate) enum ReloadError {
    #[error("the daemon was started without --config, so there is no file to read again")]
    NoFile,
    #[error("{0:#}")]
    File(anyhow::Error),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Daemon {
    /// Reads the file again and keeps to it. What is wrong with the file changes nothing. Namespaces that the file
    /// does not have are maintained no longer, also those that the API made.
    pub(crate) async fn reload(&self) -> Result<Reloaded, ReloadError> {
        let mut settings = self.settings.lock().await;
        if !self.source.has_file() {
            return Err(ReloadError::NoFile);
        }
        let next = self.source.load().map_err(ReloadError::File)?;
        // Where the file of tokens is takes a restart to change, so that nobody opens a daemon by a slip.
        let tokens = settings.access.tokens.as_deref();
        let tokens = self.access.read(tokens, &next.access.roles)?;
        if let Some(tls) = &self.tls {
            tls.reload()?;
        }
        self.access.follow(tokens);
        let needs_restart = settings.needs_restart(&next).into_iter().map(str::to_owned).collect();
        // Those that are open keep to theirs; one that comes must not be opened without.
        settings.key_secrets.clone_from(&next.key_secrets);
        let mut reloaded = Reloaded { needs_restart, ..Reloaded::default() };
        for (name, _) in self.manager.namespaces() {
            if !next.namespaces.contains_key(&name) {
                self.let_go(&name).await;
                reloaded.removed.push(name);
            }
        }
        let mut in_force = BTreeMap::new();
        for (name, wanted) in &next.namespaces {
            let kept = match self.manager.store(name.as_str()) {
                Some(store) => {
                    // The API may have changed it.
                    let config = store.config();
                    let known = settings.namespaces.get(name).unwrap_or(wanted);
                    let now = NamespaceSettings { config, ..*known };
                    Some(self.adapt((name, now), &store, wanted, &mut reloaded).await)
                }
                None => self.add(name, wanted, &settings, &mut reloaded).await,
            };
            if let Some(kept) = kept {
                in_force.insert(name.clone(), kept);
            }
        }
        settings.namespaces = in_force;
        reloaded.log();
        Ok(reloaded)
    }

    async fn let_go(&self, name: &Namespace) {
        match self.manager.remove(name.as_str()).await {
            Ok(_) | Err(RemoveError::Request(_)) => {}
            Err(error) => warn!(namespace = %name, %error, "lease not given back"),
        }
        match self.backend.is_memory() {
            true => info!(namespace = %name, "not in the file any more, and gone with its entries"),
            false => info!(namespace = %name, "not in the file any more; its entries stay"),
        }
    }

    async fn add(
        &self,
        name: &Namespace,
        wanted: &NamespaceSettings,
        settings: &Settings,
        reloaded: &mut Reloaded,
    ) -> Option<NamespaceSettings> {
        match self.open(name, wanted, settings, Existing::Adapt).await {
            Ok(()) => {
                reloaded.added.push(name.clone());
                Some(*wanted)
            }
            Err(error) => {
                reloaded.failed.push((name.clone(), error.to_string().into()));
                None
            }
        }
    }

    /// Has a namespace keep to what is `wanted` as far as that can change, and returns what is in force then.
    async fn adapt(
        &self,
        (name, now): (&Namespace, NamespaceSettings),
        store: &Arc<AnyStore>,
        wanted: &NamespaceSettings,
        reloaded: &mut Reloaded,
    ) -> NamespaceSettings {
        let mut restart = |field| {
            reloaded.needs_restart.push(format!("namespaces.{name}.{field}"));
        };
        if now.partitions != wanted.partitions {
            restart("partitions");
        }
        if !now.is_paced_as(wanted) {
            restart("manager");
        }
        if is_alike(&now.config, &wanted.config) {
            reloaded.unchanged.push(name.clone());
            return now;
        }
        let change = now.config.change(&wanted.config, store.partitions());
        if let Err(ChangeError::Fixed { field }) = change {
            restart(field);
            reloaded.unchanged.push(name.clone());
            return now;
        }
        match self.manager.reconfigure(name.as_str(), &wanted.config).await {
            Ok(()) => {
                reloaded.changed.push(name.clone());
                NamespaceSettings { config: wanted.config, ..now }
            }
            Err(error) => {
                reloaded.failed.push((name.clone(), error.to_string().into()));
                now
            }
        }
    }
}

impl Reloaded {
    fn log(&self) {
        info!(
            added = self.added.len(),
            changed = self.changed.len(),
            removed = self.removed.len(),
            unchanged = self.unchanged.len(),
            "reloaded"
        );
        for field in &self.needs_restart {
            warn!(field, "changed in the file; takes effect with the next start");
        }
        for (namespace, error) in &self.failed {
            warn!(%namespace, error, "not as the file says");
        }
    }
}
