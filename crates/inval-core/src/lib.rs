//! The pure heart of inval: policies, ledger, timing wheel and statistics, with no I/O and no clock.
//!
//! A [`Ledger`] keeps the books of one partition of a cache: which entries exist, what they weigh,
//! when they expire and in which order they go. Everything it needs is passed in (`now`, hashes,
//! limits), everything it removes is handed back, so a store decides where values drop and which
//! clock counts. `inval-memory` puts a lock around it; a remote store can drive the same ledger.
//!
//! ```
//! use inval_core::{Arrival, Config, Insertion, Ledger, RemovalCause, Strategy, Timestamp, Weight};
//!
//! let config = Config::builder().strategy(Strategy::Lru).max_entries(2).build()?;
//! let mut ledger = Ledger::new(&config);
//! let now = Timestamp::from_millis(0);
//! let mut removed = Vec::new();
//! for (hash, key) in [(17, "a"), (18, "b"), (19, "c")] {
//!     let arrival = Arrival { hash, key, value: 1, weight: Weight::new(8), ttl: None };
//!     assert_eq!(ledger.insert(arrival, now, &mut removed), Ok(Insertion::Inserted));
//! }
//! assert_eq!(removed.len(), 1);
//! assert_eq!((removed[0].key, removed[0].cause), ("a", RemovalCause::Evicted));
//! assert_eq!(ledger.get(19, "c", now), Some(&1));
//! ledger.validate()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to go next: [`Config`] says what can be asked for, [`Strategy`] which entry goes first,
//! [`Stats`] what is counted, [`Wheel`] how expiry is found. [`Store`] is the contract of all stores,
//! [`pacing`] says when their upkeep is due, [`access`] who may do what with them, [`analysis`] what many
//! entries add up to; the feature `testing` brings the suite of checks that each has to pass.

mod units;
mod config;
mod strategy;
mod stats;
mod ledger;
mod books;
mod policy;
mod list;
mod slab;
mod index;
mod deadlines;
mod wheel;
mod clock;

pub mod engine;
pub mod keyspace;
pub mod record;
#[cfg(feature = "digest")]
pub mod digest;
pub mod pacing;
pub mod analysis;
mod store;
pub mod access;
#[cfg(feature = "testing")]
pub mod testing;

pub use clock::{ServerClock, TimeReading, TimeSample, TimeVerdict};
pub use config::{ChangeError, Config, ConfigBuilder, ConfigError, MAX_LIFETIME};
pub use ledger::{
    Arrival, Inconsistency, Insertion, Ledger, Refusal, Rejected, Rejection, Removed,
};
pub use stats::{Histogram, RemovalCause, Stats, Usage};
pub use store::{
    Budget, Cursor, EntryInfo, Lifetime, Page, Put, PutCondition, PutOptions, ReconfigureError,
    Removal, RemovalListener, Slice, Standing, Store, Weighing,
};
pub use strategy::{Strategy, UnknownStrategy};
pub use units::{Key, KeyError, Namespace, NamespaceError, Timestamp, Weight};
pub use wheel::Wheel;

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
