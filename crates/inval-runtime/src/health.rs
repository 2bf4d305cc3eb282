//! How upkeep is getting on, as far as the manager knows without asking any store.

use std::time::Duration;

use inval_core::{Namespace, Slice, Standing, Usage};

use crate::events::Cause;

/// What upkeep takes of the server.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Load {
    /// The share of the server's time that upkeep held it, over about the last five seconds.
    pub duty_cycle: f64,
    /// The share of the duty cycles that are set which the server is found to bear, 0.1 to 1: below 1 where
    /// its answers are slow.
    pub granted: f64,
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
    /// Slices that failed.
    pub failures: u64,
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
        self.partitions.iter().fold(Totals::default(), |sum, partition| {
            let Totals { slices, failures, records, evicted, expired, .. } = partition.totals;
            let Totals { spared, held, longest, worst_lag, .. } = partition.totals;
            Totals {
                slices: sum.slices + slices,
                failures: sum.failures + failures,
                records: sum.records + records,
                evicted: sum.evicted + evicted,
                expired: sum.expired + expired,
                spared: sum.spared + spared,
                held: sum.held.saturating_add(held),
                longest: sum.longest.max(longest),
                worst_lag: sum.worst_lag.max(worst_lag),
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
