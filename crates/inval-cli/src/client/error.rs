//! Why a command failed, what to do next, and the exit code that says so.

use std::io;
use std::path::PathBuf;

use inval_core::{ChangeError, ConfigError, KeyError, Namespace, Rejection};
use inval_redis::{Error as StoreError, OpenError, SecretError, Target, TargetError};
use inval_runtime::AnalysisOptionsError;
use thiserror::Error;

use super::http::{DaemonUrlError, HttpError};
use super::keys::KeyTextError;
use crate::access::{TokenError, TokenFileError};
use crate::failure::Exit;

/// Why a command failed. Shows no key, no value and no password.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("--daemon: {0}")]
    DaemonUrl(DaemonUrlError),
    #[error("INVAL_DAEMON: {0}")]
    DaemonVariable(DaemonUrlError),
    #[error("INVAL_TOKEN: {0}")]
    TokenVariable(TokenError),
    #[error("--token-file: {0}")]
    TokenFile(#[from] TokenFileError),
    #[error("{}: {error}", .path.display())]
    TokenText { path: PathBuf, error: TokenError },
    #[error("--store is no server")]
    Target(#[from] TargetError),
    #[error(
        "memory: is inside a process and cannot be reached from outside; start a daemon with \
         `inval serve` and leave --store out"
    )]
    Memory,

    #[error("a daemon cannot do that; name its server by --store, and the secret by --key-secret")]
    NeedsStore,
    #[error("the key secret: {0}")]
    KeySecret(#[from] SecretError),

    #[error("{target}: {error}")]
    Store { target: Box<Target>, error: StoreError },
    #[error("{target}: {error}")]
    Open { target: Box<Target>, error: Box<OpenError> },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Change(#[from] ChangeError),
    #[error(transparent)]
    Analysis(#[from] AnalysisOptionsError),
    #[error("partitions cannot change; delete the namespace and create it anew")]
    Partitions,

    #[error(transparent)]
    KeyText(#[from] KeyTextError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{}: {error}", .path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{} holds no certificate or key in PEM", .0.display())]
    Pem(PathBuf),
    #[error("cannot start: {0}")]
    Runtime(io::Error),
    #[error("interrupted")]
    Interrupted,
    #[error("standard input: {0}")]
    Stdin(io::Error),

    #[error("there is no namespace {0}; `inval ns list` shows those there are")]
    NoNamespace(Namespace),
    #[error(
        "the namespace {0} is there already and keeps to something else; `inval ns set` changes it"
    )]
    Exists(Namespace),
    #[error("there is no entry under the key in the namespace {0}")]
    NoEntry(Namespace),
    #[error("there is an entry under the key already, so nothing was written")]
    IsPresent,
    #[error("there is no entry under the key, so nothing was written")]
    IsAbsent,
    #[error(
        "nothing was written, and an older value is gone unless the write had a condition: {0}"
    )]
    Rejected(Rejection),

    #[error("an analysis of {0} is under way; wait for its end, or end it where it was started")]
    Analysed(Namespace),
    #[error("the analysis of {0} was cancelled by somebody else, or its namespace has gone")]
    Cancelled(Namespace),
    #[error("the analysis of {namespace} broke off: {error}")]
    BrokeOff { namespace: Namespace, error: Box<str> },
    #[error("nothing to set; name a limit, --ttl or --ttl-jitter, see `inval ns set --help`")]
    NothingToSet,
    #[error("nobody can be asked here; to delete the namespace with its entries add --yes")]
    Unasked,
    #[error("nothing was deleted")]
    Declined,
    #[error("something is left to do in {0}; run it again, or with a longer --timeout")]
    Unfinished(Namespace),
    #[error(
        "another manager has the lease of {0} and does its upkeep; nothing is left for us to do"
    )]
    Leased(Namespace),
}

impl ClientError {
    /// What the exit code is to say of it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Http(error) => error.exit(),
            Self::DaemonUrl(_) | Self::DaemonVariable(_) | Self::Target(_) | Self::Memory => {
                Exit::Invalid
            }
            Self::TokenVariable(_) | Self::TokenText { .. } => Exit::Invalid,
            Self::TokenFile(error) if error.is_invalid() => Exit::Invalid,
            Self::TokenFile(_) => Exit::Failure,
            Self::Store { error, .. } => Exit::of_store(error),
            Self::Open { error, .. } => Exit::of_opening(error),
            Self::Config(_) | Self::Change(_) | Self::Partitions | Self::Exists(_) => Exit::Invalid,
            Self::KeyText(_) | Self::Key(_) | Self::Rejected(_) => Exit::Invalid,
            Self::Analysis(_) | Self::Pem(_) => Exit::Invalid,
            Self::NothingToSet | Self::Unasked => Exit::Invalid,
            Self::KeySecret(_) | Self::NeedsStore => Exit::Invalid,
            Self::NoNamespace(_) | Self::NoEntry(_) => Exit::Absent,
            Self::IsPresent | Self::IsAbsent => Exit::Absent,
            Self::File { .. } | Self::Stdin(_) => Exit::Failure,
            Self::Analysed(_) | Self::Cancelled(_) | Self::BrokeOff { .. } => Exit::Failure,
            Self::Runtime(_)
            | Self::Interrupted
            | Self::Declined
            | Self::Unfinished(_)
            | Self::Leased(_) => Exit::Failure,
        }
    }
}
