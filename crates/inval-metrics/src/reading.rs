//! What is published: plain readings of counters that are kept anyway.

use std::sync::Arc;
use std::time::Duration;

use inval_core::{Config, Histogram, Namespace, Stats, Usage};

/// Everything that is published at one time.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    /// What concerns the process as a whole.
    pub process: ProcessReading,
    /// The namespaces in any order, each once.
    pub namespaces: Vec<NamespaceReading>,
}

/// What concerns the process as a whole; what it does not have is left out.
#[derive(Clone, Debug, Default)]
pub struct ProcessReading {
    /// Its manager.
    pub manager: Option<ManagerReading>,
    /// The server that its namespaces are kept on.
    pub server: Option<ServerReading>,
    /// Its HTTP interface, by operation, each once.
    pub http: Vec<OperationReading>,
    /// How old the oldest of the statistics in the readings is.
    pub stats_age: Option<Duration>,
}

/// What a manager knows of all namespaces together.
#[derive(Clone, Debug, Default)]
pub struct ManagerReading {
    /// The share of the server's time that upkeep held it lately.
    pub duty_cycle: f64,
    /// The share of the set duty cycles that the server is found to bear.
    pub granted: f64,
    /// How long slices held the server, in microseconds.
    pub slice_held: Histogram,
    /// How many entries slices were about.
    pub slice_entries: Histogram,
}

/// What the clients of a server have counted, in sums.
#[derive(Clone, Debug, Default)]
pub struct ServerReading {
    /// Calls made.
    pub calls: u64,
    /// Calls made again, because the first try could not be carried out.
    pub retries: u64,
    /// Calls that failed in the end, by the kind of error. The kinds are a small, fixed set, each once.
    pub errors: Vec<(&'static str, u64)>,
    /// Connections that are open.
    pub connections_open: u64,
    /// Connections that may be open.
    pub connections_most: u64,
    /// Connections made so far.
    pub connections_made: u64,
    /// Connections that broke.
    pub connections_lost: u64,
}

/// What an operation of the HTTP interface has counted.
#[derive(Clone, Debug, Default)]
pub struct OperationReading {
    /// Its name, one of a fixed set.
    pub operation: &'static str,
    /// Requests by the class of the answer's status (`2xx`, `4xx`, …), each once.
    pub answers: Vec<(&'static str, u64)>,
    /// How long requests took, in microseconds.
    pub duration: Histogram,
}

/// What concerns one namespace.
#[derive(Clone, Debug)]
pub struct NamespaceReading {
    /// Its name.
    pub namespace: Namespace,
    /// What it is kept in: `memory` or `redis`.
    pub store: &'static str,
    /// What it keeps to.
    pub config: Config,
    /// What it has counted; `None` while that could not be read.
    pub stats: Option<Arc<Stats>>,
    /// How its upkeep is getting on; `None` where this process does none.
    pub upkeep: Option<UpkeepReading>,
}

/// How upkeep of a namespace is getting on in this process, over all its partitions.
#[derive(Clone, Debug, Default)]
pub struct UpkeepReading {
    /// Whether it stands still because somebody asked for it.
    pub is_paused: bool,
    /// How late it is.
    pub lag: Duration,
    /// How late it may be.
    pub max_lag: Duration,
    /// Changes not booked yet.
    pub backlog: u64,
    /// What is above the limits.
    pub excess: Usage,
    /// Slices that came to an end.
    pub slices: u64,
    /// Slices in which the store returned an error.
    pub store_failures: u64,
    /// Slices in which the store panicked.
    pub panics: u64,
    /// Slices that did not come to an end in time.
    pub timeouts: u64,
    /// Changes booked that clients had told of.
    pub records: u64,
    /// Entries that were to be evicted and had been accessed since.
    pub spared: u64,
    /// How long the server was held in all.
    pub held: Duration,
    /// The longest time at once that it was held.
    pub longest: Duration,
    /// How many partitions there are.
    pub partitions: u64,
    /// How many of them this process has the lease of.
    pub leases_held: u64,
    /// How often such a lease was taken.
    pub leases_taken: u64,
    /// How often it was lost or given up.
    pub leases_lost: u64,
    /// How many partitions are being rebuilt.
    pub rebuilding: u64,
    /// The share of the rebuild that is done, from 0 to 1; 1 where none is under way. `None` where nobody can tell.
    pub rebuilt: Option<f64>,
    /// How far the server's clock is ahead of this process's, in microseconds; `None` where there is no server.
    pub clock_offset_us: Option<i64>,
}
