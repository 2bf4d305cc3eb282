//! The conformance suite: what every [`Store`] has to pass, whatever it keeps its entries in.
//!
//! A store's tests implement [`Harness`], and make a test of every check by
//! [`conformance_tests!`](crate::conformance_tests). The suite needs no runtime: its futures are driven by
//! the caller.

#[macro_use]
mod macros;
mod failure;
mod trial;
mod reads_and_writes;
mod conditions;
mod lifetimes;
mod idleness;
mod inspecting;
mod upkeep;
mod removals;
mod keys;
mod limits;
mod room;
mod order;
mod accounts;
mod concurrency;
mod reconfiguring;
mod watching;
mod walking;

use std::future::Future;
use std::time::Duration;

use crate::config::Config;
use crate::store::Store;
pub use failure::{Complaint, Failure};

/// What the suite has to know of a store, and how it gets one.
pub trait Harness {
    /// The store under check.
    type Store: Store;

    /// Long for a few operations, short for a test: lifetimes are a few of it. Where time really
    /// passes, a check fails if the machine does nothing for that long.
    const MOMENT: Duration;

    /// Accesses that lie this far apart are told apart.
    const ACCESS_GRAIN: Duration;

    /// Whether an entry can have a TTL besides the time to idle.
    const TTL_BESIDES_IDLE: bool;

    /// Whether nobody but the suite does upkeep, and the books tell at once what was done.
    const SOLE_UPKEEP: bool = false;

    /// How long to wait for what a store books or collects after the fact.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// With how many partitions to make stores where the order of eviction does not matter. Where it
    /// does, they have one.
    fn partitions(&self) -> u32;

    /// A fresh, empty store that keeps to `config`, with so many partitions. If it needs a manager,
    /// that is at work: what is written from now on is booked as it was written.
    fn open(&self, config: Config, partitions: u32) -> impl Future<Output = Self::Store>;

    /// Lets at least `by` pass on the clock of all its stores.
    fn pass(&self, by: Duration) -> impl Future<Output = ()>;
}

/// The names of all checks, simplest first: the first that fails says most.
pub const CHECKS: &[&str] = conformance_tests!(@each names);

/// Runs all checks, each with stores of its own, up to the first that fails.
pub async fn run(harness: &impl Harness) -> Result<(), Failure> {
    for check in CHECKS {
        run_check(check, harness).await?;
    }
    Ok(())
}

/// Runs the check of this name.
pub async fn run_check(check: &str, harness: &impl Harness) -> Result<(), Failure> {
    let outcome: Result<(), Complaint> = conformance_tests!(@each run check harness);
    outcome.map_err(|complaint| Failure { check: check.to_owned(), complaint })
}
