//! A request to do upkeep now, until there is nothing left to do.

use std::collections::BTreeSet;

use inval_core::{Slice, Standing};
use tokio::sync::watch;

/// What upkeep did that somebody asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunNow {
    /// Changes booked that clients had told of.
    pub records: u64,
    /// Entries evicted.
    pub evicted: u64,
    /// Entries found to have expired.
    pub expired: u64,
    /// Whether nothing was left to do. It is not where upkeep failed, or another manager has the lease.
    pub is_done: bool,
}

/// A request under way.
pub(crate) struct Run {
    pub(crate) namespace: u64,
    /// Partitions that have not yet been found with nothing to do.
    left: BTreeSet<u32>,
    progress: watch::Sender<RunNow>,
}

impl Run {
    pub(crate) fn new(namespace: u64, partitions: u32, progress: watch::Sender<RunNow>) -> Self {
        Self { namespace, left: (0..partitions).collect(), progress }
    }

    /// The partitions that somebody still waits for.
    pub(crate) fn left(&self) -> impl Iterator<Item = u32> {
        self.left.iter().copied()
    }

    /// Takes a slice into account that was begun after the request.
    pub(crate) fn note(&mut self, partition: u32, slice: &Slice) {
        if is_quiet(slice) {
            self.left.remove(&partition);
        }
        self.progress.send_modify(|run| {
            run.records += slice.records;
            run.evicted += slice.evicted;
            run.expired += slice.expired;
            run.is_done = self.left.is_empty();
        });
    }

    /// Whether there is nothing left to do, or nobody who waits for it.
    pub(crate) fn is_over(&self) -> bool {
        self.left.is_empty() || self.progress.is_closed()
    }
}

/// Whether a slice has found nothing to do and left nothing.
fn is_quiet(slice: &Slice) -> bool {
    slice.is_idle() && slice.standing == Standing::Steady && !slice.next.is_zero()
}
