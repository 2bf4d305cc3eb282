//! How upkeep is getting on, as far as the manager knows without asking any store.

use std::time::Duration;

use inval_core::{Histogram, Namespace, Slice, Standing, Usage};

use crate::events::Cause;

/// What upkeep of all namespaces takes of the server.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Load {
    /// The share of the server's time that upkeep held it, over about the last five seconds.
    pub duty_cycle: f64,
    /// The share of the duty cycles that are set which the server is found to bear, 0.1 to 1: below 1 where
    /// its answers are slow.
    pub granted: f64,
    /// How long slices held the server, in microseconds.
    pub slice_held: Histogram,
    /// How many changes slices booked and entries they removed.
    pub slice_entries: Histogram,
}

/// How upkeep of a namespace is getting on.
#[derive(Clone, Debug)]
pub struct NamespaceHealth {
    /// Its name.
    pub namespace: Namespace,
    /// Whether its upkeep stands still because somebody asked for it.
    pub is_paused: bool,
    /// How late its upkeep may be.
    pub max_lag: Duration,
    /// Its partitions, in their order.
    pub partitions: Vec<PartitionHealth>,
}

/// How upkeep of a partition is getting on.
#[derive(Clone, Debug, Default)]
pub struct PartitionHealth {
    /// How far this manager has got with it.
    pub standing: Standing,
    /// What is wrong, while something is.
    pub failure: Option<Failure>,
    /// How late upkeep is: for how long something has been on the books that should be off them.
    pub lag: Duration,
    /// Changes not booked yet, as far as was known with the last slice.
    pub backlog: u64,
    /// What was above the limits with the last slice.
    pub excess: Usage,
    /// About what share of a rebuild was done with the last slice, from 0 to 1; `None` but while rebuilding.
    pub rebuilt: Option<f64>,
    /// How far the server's clock was ahead of this process's with the last slice, in microseconds; `None` where
    /// there is no server, or nothing is known of its clock.
    pub clock_offset_us: Option<i64>,
    /// Everything done so far.
    pub totals: Totals,
}

/// Upkeep of a partition that fails.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What went wrong last.
    pub cause: Cause,
    /// For how long it has failed.
    pub since: Duration,
    /// How often in a row.
    pub attempts: u64,
}

/// What slices of upkeep have done, in sums.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Slices that came to an end.
    pub slices: u64,
    /// Slices that failed, whatever the cause.
    pub failures: u64,
    /// Slices in which the store panicked.
    pub panics: u64,
    /// Slices that did not come to an end in time.
    pub timeouts: u64,
    /// How often the right to maintain a partition was taken. An embedded store gives it once.
    pub leases_taken: u64,
    /// How often it was lost or given up.
    pub leases_lost: u64,
    /// Changes booked that clients had told of.
    pub records: u64,
    /// Entries evicted.
    pub evicted: u64,
    /// Entries found to have expired.
    pub expired: u64,
    /// Entries that were to be evicted and had been accessed since.
    pub spared: u64,
    /// How long the server was held.
    pub held: Duration,
    /// The longest time at once that it was held.
    pub longest: Duration,
    /// The greatest lag seen.
    pub worst_lag: Duration,
}

impl Totals {
    pub(crate) fn add_failure(&mut self, cause: &Cause) {
        self.failures += 1;
        match cause {
            Cause::Store(_) => {}
            Cause::Panicked => self.panics += 1,
            Cause::TimedOut => self.timeouts += 1,
        }
    }

    pub(crate) fn add(&mut self, slice: &Slice) {
        self.slices += 1;
        self.records += slice.records;
        self.evicted += slice.evicted;
        self.expired += slice.expired;
        self.spared += slice.spared;
        self.held = self.held.saturating_add(slice.held);
        self.longest = self.longest.max(slice.longest);
    }
}

impl NamespaceHealth {
    /// Whether every partition is maintained: by this manager, or by another that has the lease.
    pub fn is_ready(&self) -> bool {
        let is_ready = |partition: &PartitionHealth| {
            partition.failure.is_none() && partition.standing != Standing::Rebuilding
        };
        !self.is_paused && self.partitions.iter().all(is_ready)
    }

    /// The greatest lag of a partition.
    pub fn lag(&self) -> Duration {
        self.partitions.iter().map(|partition| partition.lag).max().unwrap_or_default()
    }

    /// Changes not booked yet, in all partitions.
    pub fn backlog(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.backlog).sum()
    }

    /// What was done in all partitions; `longest` and `worst_lag` are the greatest of theirs.
    pub fn totals(&self) -> Totals {
        self.partitions.iter().fold(Totals::default(), |sum, PartitionHealth { totals, .. }| {
            Totals {
                slices: sum.slices + totals.slices,
                failures: sum.failures + totals.failures,
                panics: sum.panics + totals.panics,
                timeouts: sum.timeouts + totals.timeouts,
                leases_taken: sum.leases_taken + totals.leases_taken,
                leases_lost: sum.leases_lost + totals.leases_lost,
                records: sum.records + totals.records,
                evicted: sum.evicted + totals.evicted,
                expired: sum.expired + totals.expired,
                spared: sum.spared + totals.spared,
                held: sum.held.saturating_add(totals.held),
                longest: sum.longest.max(totals.longest),
                worst_lag: sum.worst_lag.max(totals.worst_lag),
            }
        })
    }
}

/// What a manager left behind when it ended.
#[derive(Clone, Debug, Default)]
pub struct ShutdownReport {
    /// Slices that did not come to an end in time and were dropped.
    pub abandoned: u64,
    /// Namespaces whose leases could not be given back, and why: they lapse by themselves.
    pub unreleased: Vec<(Namespace, Cause)>,
    /// Namespaces with something left to do, as far as was known: changes not booked, and what is
    /// above the limits.
    pub left: Vec<(Namespace, u64, Usage)>,
}

impl ShutdownReport {
    /// Whether nothing was dropped and all leases were given back.
    pub fn is_clean(&self) -> bool {
        self.abandoned == 0 && self.unreleased.is_empty()
    }
}
