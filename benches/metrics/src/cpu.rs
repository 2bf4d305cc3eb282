//! What a thread has used of the processor, so that others at work on the machine hardly show.

use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long this thread has run on a processor; where the system does not tell, how long the program runs.
pub(crate) fn spent() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ns = told.and_then(|told| told.split_whitespace().next()?.parse().ok());
    ns.map_or_else(|| START.elapsed(), Duration::from_nanos)
}
