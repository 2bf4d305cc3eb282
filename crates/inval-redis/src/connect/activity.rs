//! What has come of a client's calls and connections, counted as it happens.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Error;

const KINDS: usize = Error::KINDS.len();

/// What has come of the calls and the connections of a [`Client`](crate::Client) and its clones, over all servers that
/// it has had to do with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Activity {
    /// The connections.
    pub connections: Connections,
    /// Calls begun: commands, pipelines, pages of scans.
    pub calls: u64,
    /// How often a call was sent again or elsewhere: after a connection was lost, after a refusal that passes, to
    /// where the key has moved, once a script was loaded.
    pub retries: u64,
    failures: [u64; KINDS],
}

impl Activity {
    /// How many calls failed with each kind of error, by [`Error::kind`], in the order of [`Error::KINDS`]. A call
    /// counts once, when its retries have come to nothing; a pipeline counts by the first of its commands that
    /// failed.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Error::KINDS.iter().copied().zip(self.failures)
    }
}

/// A client's connections to its servers. Those to sentinels are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Connections {
    /// How many are open now.
    pub open: u64,
    /// How many there may be, for all servers that are known now. They are made when they are needed.
    pub most: u64,
    /// How many have been made.
    pub made: u64,
    /// How many broke, or were given up as no reply came or the server was no primary any more.
    pub lost: u64,
}

/// The counters of a client.
#[derive(Debug)]
pub(super) struct Tally {
    open: AtomicU64,
    made: AtomicU64,
    lost: AtomicU64,
    calls: AtomicU64,
    retries: AtomicU64,
    failures: [AtomicU64; KINDS],
}

impl Tally {
    pub(super) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        let (open, made, lost, calls, retries) = (zero(), zero(), zero(), zero(), zero());
        let failures = [const { AtomicU64::new(0) }; KINDS];
        Self { open, made, lost, calls, retries, failures }
    }

    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.made.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn lost(&self) {
        self.closed();
        self.lost.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self, times: u64) {
        if times > 0 {
            self.retries.fetch_add(times, Ordering::Relaxed);
        }
    }

    pub(super) fn failed(&self, error: Error) {
        let mut kinds = Error::KINDS.iter().zip(&self.failures);
        if let Some((_, count)) = kinds.find(|(kind, _)| **kind == error.kind()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was counted, where there may be `most` connections.
    pub(super) fn read(&self, most: u64) -> Activity {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let Self { open, made, lost, calls, retries, failures } = self;
        let [open, made, lost] = [open, made, lost].map(read);
        Activity {
            connections: Connections { open, most, made, lost },
            calls: read(calls),
            retries: read(retries),
            failures: std::array::from_fn(|kind| read(&failures[kind])),
        }
    }
}
