//! The pacing controller in a simulated world of one server, its clients and the partitions that share it: what it promises holds,
//! whatever comes.
// Under Miri these worlds would take hours.
#![cfg(all(test, not(miri)))]

#[path = "support/cases.rs"]
mod cases;

mod pacing {
    pub(crate) mod arrivals;
    pub(crate) mod envelope;
    pub(crate) mod partition;
    pub(crate) mod server;
    pub(crate) mod world;

    mod plans;
    mod promises;
    mod steadiness;
    mod guard;
    mod errors;
    mod properties;
}
