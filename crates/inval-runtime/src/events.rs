//! What can be listened to: what happens to namespaces, and which entries leave.

use std::fmt;
use std::sync::Arc;

use inval_core::{Key, Namespace, RemovalCause, Standing, Weight};
use thiserror::Error;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Something that happened to a namespace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// It is maintained from now on.
    Added(Namespace),
    /// It keeps to another configuration.
    Reconfigured(Namespace),
    /// It is no longer maintained.
    Removed(Namespace),
    /// Its upkeep stands still until it is resumed.
    Paused(Namespace),
    /// Its upkeep goes on.
    Resumed(Namespace),
    /// Upkeep of a partition failed that had not failed before. It is tried again, ever less often.
    Failing {
        /// The namespace.
        namespace: Namespace,
        /// The number of the partition.
        partition: u32,
        /// What went wrong.
        cause: Cause,
    },
    /// Upkeep of a partition works again.
    Recovered {
        /// The namespace.
        namespace: Namespace,
        /// The number of the partition.
        partition: u32,
    },
    /// A lease was taken or lost, or books have become true.
    Standing {
        /// The namespace.
        namespace: Namespace,
        /// The number of the partition.
        partition: u32,
        /// How far this manager has got with it.
        standing: Standing,
    },
}

/// Why a slice of upkeep failed.
#[derive(Clone, Debug)]
pub enum Cause {
    /// The store returned an error.
    Store(Arc<dyn std::error::Error + Send + Sync>),
    /// The store panicked.
    Panicked,
    /// The store did not come to an end in time.
    TimedOut,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Panicked => f.write_str("the store panicked; its message is on standard error"),
            Self::TimedOut => f.write_str("the store did not come to an end in time"),
        }
    }
}

/// An entry that left. `Debug` does not show its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Removal {
    /// The namespace it was in.
    pub namespace: Namespace,
    /// Its key.
    pub key: Key,
    /// What it was charged.
    pub weight: Weight,
    /// Why it left.
    pub cause: RemovalCause,
}

/// What somebody listens to. What comes while the buffer is full pushes out what is oldest, so that a slow
/// listener holds nobody up; it is told how much it missed.
#[derive(Debug)]
pub struct Subscription<T>(pub(crate) broadcast::Receiver<T>);

/// A listener was too slow: so much has been dropped since what it got last.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "{0} events were dropped, for the listener was too slow; listen faster or enlarge the buffer"
)]
pub struct Missed(pub u64);

impl<T: Clone> Subscription<T> {
    /// Waits for what comes next; `None` after the manager has ended and all has been delivered.
    pub async fn next(&mut self) -> Option<Result<T, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(RecvError::Lagged(count)) => Some(Err(Missed(count))),
            Err(RecvError::Closed) => None,
        }
    }
}
