//! Which failures are the caller's fault, and the exit codes that say so.

use std::io;
use std::process::ExitCode;

use inval_core::ConfigError;
use inval_redis::{Error as StoreError, OpenError, TargetError};
use inval_replay::TraceError;
use thiserror::Error;

use crate::access::TokenCommandError;
use crate::client::ClientError;
use crate::config::ConfigFileError;
use crate::doctor::Verdict;
use crate::http::TlsError;
use crate::serve::DaemonError;

/// What a shell reports for a program that Ctrl-C has ended.
pub(crate) const KILLED: i32 = 130;

/// A command line that cannot be carried out.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub(crate) enum UsageError {
    #[error(
        "a percentage needs a first pass to count the keys, but this trace can be read only once: \
         give the capacity as a number of entries, such as --max-entries 10000"
    )]
    PercentOfStream,
    #[error("the file's extension tells no format: add --format csv, oracleGeneral, lis or keys")]
    UnknownExtension,
    #[error("the trace holds no requests")]
    NoRequests,
    #[error("--store is neither memory: nor a server")]
    Target(#[from] TargetError),
    #[error(
        "a server takes one cache after the other, but this trace can be read only once: name one \
         strategy and one size"
    )]
    SeveralPasses,
    #[error(
        "--log takes error, warn, info, debug or trace, also for parts, such as info,inval=debug"
    )]
    LogFilter,
    #[error("this needs a terminal; `inval stats --watch` writes anywhere")]
    NoTerminal,
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Somebody wanted it to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// What is wrong has been printed; only the exit code is left to say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("what is wrong has been said")]
pub(crate) struct Said(pub(crate) Exit);

/// What an exit code says. Success is 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It failed, for none of the reasons below.
    Failure = 1,
    /// The command line or the input is malformed, or cannot be carried out.
    Invalid = 2,
    /// What was asked for is not there, or the condition of a write did not hold.
    Absent = 3,
    /// The daemon or the store cannot be reached.
    Unreachable = 4,
    /// The daemon wants a token, or the token may not.
    Refused = 5,
    /// `inval doctor` has something to warn of, and nothing worse.
    Warnings = 6,
    /// `inval doctor` has found something that is wrong.
    Errors = 7,
}

impl Exit {
    /// What the failure of a store is.
    pub(crate) fn of_store(error: &StoreError) -> Self {
        match error {
            StoreError::Unreachable(_) | StoreError::Unresolved => Self::Unreachable,
            StoreError::ConnectionLost | StoreError::Timeout => Self::Unreachable,
            StoreError::OutcomeUnknown(_) | StoreError::UnknownMaster => Self::Unreachable,
            StoreError::ValueTooLarge(_) | StoreError::OwnTtlWithIdle => Self::Invalid,
            _ => Self::Failure,
        }
    }

    /// What it is that a namespace cannot be opened.
    pub(crate) fn of_opening(error: &OpenError) -> Self {
        match error {
            OpenError::Server(error) => Self::of_store(error),
            OpenError::IdleWithTtl | OpenError::Partitions(_) => Self::Invalid,
            _ => Self::Failure,
        }
    }

    fn of(error: &anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<ClientError>() {
            return error.exit();
        }
        if let Some(Said(exit)) = error.downcast_ref::<Said>() {
            return *exit;
        }
        if let Some(error) = error.downcast_ref::<DaemonError>() {
            return error.exit();
        }
        if let Some(error) = error.downcast_ref::<TokenCommandError>() {
            return error.exit();
        }
        if let Some(verdict) = error.downcast_ref::<Verdict>() {
            return verdict.exit();
        }
        if let Some(error) = error.downcast_ref::<StoreError>() {
            return Self::of_store(error);
        }
        if let Some(error) = error.downcast_ref::<OpenError>() {
            return Self::of_opening(error);
        }
        let is_malformed = error.downcast_ref().is_some_and(TraceError::is_malformed);
        if is_malformed
            || error.is::<UsageError>()
            || error.is::<ConfigFileError>()
            || error.is::<TlsError>()
        {
            return Self::Invalid;
        }
        Self::Failure
    }
}

/// The exit code that a failure ends with.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    ExitCode::from(Exit::of(error) as u8)
}

/// Whether whoever read our output has had enough, which is no failure.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
