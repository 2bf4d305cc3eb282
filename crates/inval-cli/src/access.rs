//! Who may use the daemon: tokens, the file they are kept in, and those who hold them.

mod token;
mod moment;
mod file;
mod tokens;
mod throttle;
mod command;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwap;
use inval_core::access::{Name, Role};
use tracing::info;

use crate::config::AccessSettings;

pub(crate) use command::{TokenCommandError, run};
pub(crate) use file::{TokenFileError, read_private};
pub(crate) use moment::Moment;
pub(crate) use throttle::Throttle;
pub(crate) use token::{Token, TokenError};
pub(crate) use tokens::{AccessError, Holder, Tokens};

/// The roles of the settings, by name.
pub(crate) type Roles = BTreeMap<Name, Arc<Role>>;

/// Who may use the daemon.
pub(crate) enum Access {
    /// Whoever reaches it, for everything.
    Open,
    /// Those who hold a token, for what its roles allow.
    Tokens(ArcSwap<Tokens>),
}

impl Access {
    /// What the settings say. Reads the file of tokens, if one is named.
    pub(crate) fn load(settings: &AccessSettings) -> Result<Self, AccessError> {
        Ok(match &settings.tokens {
            None => Self::Open,
            Some(file) => Self::Tokens(ArcSwap::from_pointee(Tokens::load(file, &settings.roles)?)),
        })
    }

    /// Whether everybody may do everything.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// What there is in `file` with these roles; nothing if everybody may do everything. It is in force only after
    /// [`Self::follow`].
    pub(crate) fn read(
        &self,
        file: Option<&Path>,
        roles: &Roles,
    ) -> Result<Option<Tokens>, AccessError> {
        match (self, file) {
            (Self::Tokens(_), Some(file)) => Tokens::load(file, roles).map(Some),
            _ => Ok(None),
        }
    }

    /// Knows these tokens from now on, and no others.
    pub(crate) fn follow(&self, next: Option<Tokens>) {
        if let (Self::Tokens(tokens), Some(next)) = (self, next) {
            info!(tokens = next.len(), "tokens read");
            tokens.store(Arc::new(next));
        }
    }
}
