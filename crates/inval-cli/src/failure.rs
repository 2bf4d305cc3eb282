//! Which failures are the caller's fault, and the exit codes that say so.

use std::io;
use std::process::ExitCode;

use inval_core::ConfigError;
use inval_redis::{OpenError, TargetError};
use inval_replay::TraceError;
use thiserror::Error;

use crate::config::ConfigFileError;

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
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Somebody wanted it to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// 2 if the command line or the input is malformed, 1 for everything else.
pub(crate) fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_malformed = error.downcast_ref().is_some_and(TraceError::is_malformed);
    let has_no_room = matches!(error.downcast_ref(), Some(OpenError::Partitions(_)));
    let is_usage =
        is_malformed || has_no_room || error.is::<UsageError>() || error.is::<ConfigFileError>();
    ExitCode::from(if is_usage { 2 } else { 1 })
}

/// Whether whoever read our output has had enough, which is no failure.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io_error = error.downcast_ref::<io::Error>();
    io_error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
