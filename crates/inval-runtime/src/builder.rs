//! What can be set before a manager starts.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use inval_core::Store;
use inval_core::pacing::PacingSettings;
use tokio::runtime::Handle;

use crate::error::StartError;
use crate::manager::Manager;

/// Collects what a [`Manager`] works by. Made by [`Manager::builder`].
#[must_use]
pub struct Builder<S> {
    pub(crate) pacing: PacingSettings,
    pub(crate) slice_time: Duration,
    pub(crate) slice_timeout: Duration,
    pub(crate) parallelism: usize,
    pub(crate) stats_age: Duration,
    pub(crate) event_buffer: usize,
    pub(crate) removal_buffer: usize,
    pub(crate) removal_memory: usize,
    stores: PhantomData<fn() -> S>,
}

impl<S> Default for Builder<S> {
    fn default() -> Self {
        Self {
            pacing: PacingSettings::default(),
            slice_time: Duration::from_millis(10),
            slice_timeout: Duration::from_secs(30),
            parallelism: 4,
            stats_age: Duration::from_secs(1),
            event_buffer: 1024,
            removal_buffer: 16_384,
            removal_memory: 1024,
            stores: PhantomData,
        }
    }
}

impl<S: Store + 'static> Builder<S> {
    /// How late upkeep may be, and what it may cost. A namespace may have its own intervals, batches and
    /// lag (see [`Manager::add_with`]); the share of the server's time is for all namespaces together.
    pub fn pacing(mut self, pacing: PacingSettings) -> Self {
        self.pacing = pacing;
        self
    }

    /// About how long one slice may take; 10 ms unless set.
    pub fn slice_time(mut self, time: Duration) -> Self {
        self.slice_time = time;
        self
    }

    /// After how long a slice is given up that does not end, which counts as a failure; 30 s unless set.
    pub fn slice_timeout(mut self, timeout: Duration) -> Self {
        self.slice_timeout = timeout;
        self
    }

    /// How many slices may be under way at a time, each of another partition; 4 unless set, and never 0. By so
    /// many slices at the most the share of the server's time is exceeded.
    pub fn parallelism(mut self, slices: usize) -> Self {
        self.parallelism = slices.max(1);
        self
    }

    /// How old statistics may be that [`Manager::stats`] returns; 1 s unless set.
    pub fn stats_age(mut self, age: Duration) -> Self {
        self.stats_age = age;
        self
    }

    /// How many events wait for a listener before it misses some; 1,024 unless set, and never 0.
    pub fn event_buffer(mut self, events: usize) -> Self {
        self.event_buffer = events.max(1);
        self
    }

    /// How many removals wait for a listener before it misses some; 16,384 unless set, and never 0.
    pub fn removal_buffer(mut self, removals: usize) -> Self {
        self.removal_buffer = removals.max(1);
        self
    }

    /// How many removals of each namespace are remembered for [`Manager::explain`], in 24 bytes each; 1,024 unless
    /// set, and 0 for none. No keys are kept, but digests of them that mean nothing outside this process.
    pub fn removal_memory(mut self, removals: usize) -> Self {
        self.removal_memory = removals;
        self
    }

    /// Starts a manager without namespaces in the tokio runtime of the caller.
    pub fn start(self) -> Result<Manager<S>, StartError> {
        self.pacing.validate()?;
        let runtime = Handle::try_current().map_err(|_| StartError::NoRuntime)?;
        Ok(Manager::start(&self, &runtime))
    }
}

impl<S> fmt::Debug for Builder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("pacing", &self.pacing).finish_non_exhaustive()
    }
}
