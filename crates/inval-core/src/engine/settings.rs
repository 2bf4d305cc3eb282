//! How an engine works: lease, intervals, batches.

use std::time::Duration;

/// How a manager goes about its work. The defaults suit a server in the same network.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EngineSettings {
    /// How long the lease lasts without renewal: a manager that died is replaced after it.
    pub lease: Duration,
    /// How often the journal is read while there is something in it, and how often when there is not.
    pub drain_interval: Duration,
    /// The longest time between two reads of the journal.
    pub idle_interval: Duration,
    /// How long to wait before a request that failed is made again.
    pub retry_interval: Duration,
    /// How long a script may hold the server.
    pub script_budget: Duration,
    /// The most records read from the journal at once.
    pub drain_batch: u32,
    /// How long to wait between two pages of the scrub, which compares the books with the server; up to 64 times as long
    /// while the server's pages hold nothing of the partition.
    pub scrub_interval: Duration,
    /// About how many names the server goes through for a page of a scan.
    pub scan_count: u32,
    /// The share of each limit, from 0 to below 1, that is kept free for writes not yet booked.
    pub headroom: f64,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            drain_interval: Duration::from_millis(5),
            idle_interval: Duration::from_millis(200),
            retry_interval: Duration::from_millis(50),
            script_budget: Duration::from_micros(500),
            drain_batch: 512,
            scrub_interval: Duration::from_secs(1),
            scan_count: 256,
            headroom: 0.0,
        }
    }
}
