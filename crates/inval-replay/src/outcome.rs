//! What came of replaying a trace through one cache.

use inval_core::Strategy;
use serde::{Serialize, Serializer};

/// The measures of one cache after a replay. Its serialised form has exactly these fields, those of
/// [`OnServer`] among them where there was a server.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcome {
    /// The name of the trace.
    pub trace: String,
    /// The strategy of the cache, by its name.
    #[serde(serialize_with = "by_name")]
    pub strategy: Strategy,
    /// Requests made.
    pub requests: u64,
    /// Requests whose key was there and had not expired.
    pub hits: u64,
    /// The other requests; each inserted its key.
    pub misses: u64,
    /// Misses by requests, from 0 to 1; 0 if there were no requests.
    pub miss_ratio: f64,
    /// Bytes missed by bytes requested, from 0 to 1, over the requests whose size is known; `None` if
    /// that is none, or all of them asked for 0 bytes.
    pub byte_miss_ratio: Option<f64>,
    /// The limit in entries, if there was one.
    pub max_entries: Option<u64>,
    /// The limit in bytes, if there was one.
    pub max_bytes: Option<u64>,
    /// Entries removed to keep a limit.
    pub evicted: u64,
    /// Entries removed because their time had passed.
    pub expired: u64,
    /// Seconds this cache took for all requests. Reading the trace is included only where it goes on
    /// at the same time, against a store.
    pub elapsed_s: f64,
    /// What is known only of a cache on a server.
    #[serde(flatten)]
    pub on_server: Option<OnServer>,
}

/// What a cache on a server did there. `None` is what could not be measured.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct OnServer {
    /// The most entries there were at a time beyond the limit in entries.
    pub overshoot_max_entries: Option<u64>,
    /// Microseconds that the server worked for a read, on the mean.
    pub server_us_per_get: Option<f64>,
    /// Microseconds that the server worked for a write, on the mean, with all that follows from it.
    pub server_us_per_put: Option<f64>,
}

fn by_name<S: Serializer>(strategy: &Strategy, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(strategy.name())
}
