//! Where the settings come from: a file, the environment, the command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use inval_redis::Credentials;

use super::demo;
use crate::args::{Place, ServeArgs};
use crate::config::{self, Settings, Variables};
use crate::failure::UsageError;

/// What is read for the settings, at the start and with each reload.
#[derive(Debug)]
pub(crate) struct Source {
    file: Option<PathBuf>,
    store: Option<Place>,
    store_credentials: Option<Credentials>,
    listen: Option<SocketAddr>,
    is_demo: bool,
}

impl Source {
    pub(crate) fn from_args(args: &ServeArgs) -> Result<Self, UsageError> {
        Ok(Self {
            file: args.config.clone(),
            store: args.store.clone().transpose()?,
            store_credentials: args.store_credentials.clone(),
            listen: args.listen,
            is_demo: args.demo,
        })
    }

    /// Whether there is a file that may have changed.
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The settings as they stand now; what the command line says goes first, then the environment.
    pub(super) fn load(&self) -> anyhow::Result<Settings> {
        let mut settings = match &self.file {
            Some(file) => config::load(file)?,
            None => Settings::parse("the environment", "", &Variables::of_process())?,
        };
        if self.is_demo {
            settings.store = Place::Memory;
            settings.namespaces = demo::namespaces(settings.pacing)?;
        }
        if let Some(store) = &self.store {
            settings.store = store.clone();
        }
        if let Some(credentials) = &self.store_credentials {
            settings.store_credentials = credentials.clone();
        }
        if let Some(listen) = self.listen {
            settings.http.listen = listen;
        }
        Ok(settings)
    }
}
