//! Request traces and synthetic workloads, replayed through inval's policies.
//!
//! Which strategy misses least, and at which capacity, depends on the requests. This crate reads
//! them from a [`trace`] or makes them by a [`workload`]'s rule, and [`Replay`] feeds them to any
//! number of caches in one pass.
//!
//! ```
//! use inval_core::{Config, Strategy};
//! use inval_replay::{Format, Reader, Replay};
//!
//! let trace = "time_s,key,size_bytes\n0,1,100\n0.5,2,100\n1,1,100\n";
//! let cache = |strategy| Config::builder().strategy(strategy).max_entries(100).build();
//! let mut replay = Replay::new("example", [cache(Strategy::Lru)?, cache(Strategy::Sieve)?], 1);
//! replay.run(Reader::new(Format::Csv, trace.as_bytes()))?;
//!
//! for outcome in replay.finish() {
//!     assert_eq!((outcome.hits, outcome.misses), (1, 2));
//!     println!("{}: {:.4}", outcome.strategy, outcome.miss_ratio);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! From there: [`Reader::open`] for files of four formats, plain or compressed; [`Workload`] for
//! requests made by rule; [`Capacity`] for limits such as `10%` of the keys; [`plot`] for a drawing
//! of miss ratio over capacity; [`replay_store`] for a replay against any [`inval_core::Store`], such
//! as one on a server.

mod request;
pub mod trace;
pub mod workload;

mod capacity;
pub mod quantity;

mod outcome;
pub mod plot;
mod replay;
mod store;

pub use capacity::{Capacity, CapacityError, count_unique_keys};
pub use outcome::{OnServer, Outcome};
pub use quantity::ByteSize;
pub use replay::Replay;
pub use request::Request;
pub use store::{StoreReplayError, Tally, replay_store};
pub use trace::{Format, Reader, TraceError};
pub use workload::{Workload, WorkloadError};

/// The examples of the README, which run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
