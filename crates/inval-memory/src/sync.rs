//! The locks and threads in use: the standard library's, or shuttle's when the model is checked.

#[cfg(not(shuttle))]
use std::sync as primitives;
#[cfg(not(shuttle))]
pub(crate) use std::thread::{Thread, current, park};

#[cfg(shuttle)]
use shuttle::sync as primitives;
#[cfg(shuttle)]
pub(crate) use shuttle::thread::{Thread, current, park};

pub(crate) use primitives::MutexGuard;

/// A mutex that a panic does not poison. User code that runs under it (`Eq`, `Clone`) runs before or
/// after a change to the ledger, never halfway.
#[derive(Debug)]
pub(crate) struct Mutex<T>(primitives::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(primitives::Mutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
