//! Why a manager does not do what it was asked.

use inval_core::pacing::PacingError;
use thiserror::Error;

use crate::analysis::AnalysisOptionsError;

/// Why a manager does not start.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum StartError {
    /// It works in a tokio runtime, and there is none.
    #[error("a manager starts inside a tokio runtime, and this is none; call it from async code")]
    NoRuntime,
    /// The settings contradict each other.
    #[error(transparent)]
    Pacing(#[from] PacingError),
}

/// Why a namespace is not taken in.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum AddError {
    /// There is one of this name.
    #[error("the manager has a namespace of this name already; remove it first")]
    Exists,
    /// The manager is shutting down.
    #[error("the manager has been shut down; start another one")]
    Stopped,
    /// The settings contradict each other.
    #[error(transparent)]
    Pacing(#[from] PacingError),
}

/// Why a request for a namespace is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RequestError {
    /// There is none of this name.
    #[error("the manager has no namespace of this name; add it first")]
    Unknown,
    /// The manager is shutting down.
    #[error("the manager has been shut down; start another one")]
    Stopped,
}

/// Why a namespace is not analysed.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum StartAnalysisError {
    /// There is none of this name.
    #[error("the manager has no namespace of this name; add it first")]
    Unknown,
    /// It is being analysed already.
    #[error("an analysis of the namespace is under way; wait for it, or cancel it")]
    Running,
    /// The namespace is being removed, or the manager is shutting down.
    #[error("the namespace is being removed, or its manager has been shut down")]
    Stopped,
    /// It cannot be done like this.
    #[error(transparent)]
    Options(#[from] AnalysisOptionsError),
}

/// Why a namespace keeps to what it kept to.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum ReconfigureError<E> {
    /// There is none of this name.
    #[error("the manager has no namespace of this name; add it first")]
    Unknown,
    /// The store does not keep to another configuration.
    #[error(transparent)]
    Store(#[from] inval_core::ReconfigureError<E>),
}

/// What went wrong when a namespace was removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RemoveError<E> {
    /// The request was not carried out.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// It was removed, but its leases could not be given back: they lapse by themselves.
    #[error("the namespace was removed, but not its leases, which lapse by themselves: {0}")]
    Release(E),
}
