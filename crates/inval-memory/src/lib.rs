//! The embedded store of inval: a concurrent in-process cache that keeps its limits.
//!
//! A [`Cache`] is split into shards, each a [`Ledger`](inval_core::Ledger) behind its own lock. Limits
//! in entries and bytes, TTL, time-to-idle and the strategy come from a [`Config`]; a write makes the
//! room it needs on the spot. There is no background thread: call [`Cache::maintain`] where expired
//! entries must go although nobody writes. Values are dropped, and listeners called, outside all locks.
//!
//! ```
//! use std::time::Duration;
//! use inval_memory::{Cache, Config, Strategy};
//!
//! let config = Config::builder()
//!     .strategy(Strategy::S3Fifo)
//!     .max_entries(10_000)
//!     .ttl(Duration::from_secs(600))
//!     .build()?;
//! let cache: Cache<String, String> = Cache::new(config);
//!
//! cache.insert("user:1".into(), "Ada".into());
//! assert_eq!(cache.get("user:1").as_deref(), Some("Ada"));
//!
//! // However many callers wait, the value is loaded once.
//! let name = cache.get_or_insert_with("user:2", || "Grace".to_owned());
//! assert_eq!(name, "Grace");
//! assert_eq!(cache.stats().hits, 1);
//! # Ok::<(), inval_memory::ConfigError>(())
//! ```
//!
//! [`Cache::of_bytes`] makes a cache that is a [`Store`], the contract it shares with remote stores.
//!
//! `V: Clone` is called, and `K: Eq` too, while a shard is locked: keep both cheap, with an `Arc` or
//! `Bytes` around what is large.

mod builder;
mod cache;
mod clock;
mod conditional;
mod flight;
mod iter;
mod load;
mod shard;
mod store;
mod sync;

pub use builder::Builder;
pub use cache::{Cache, InsertOptions};
pub use clock::{Clock, ManualClock, MonotonicClock};
pub use conditional::Refused;
pub use inval_core::{
    Budget, ChangeError, Config, ConfigBuilder, ConfigError, Cursor, EntryInfo, Histogram,
    Inconsistency, Insertion, Key, KeyError, Lifetime, MAX_LIFETIME, Page, Put, PutCondition,
    PutOptions, ReconfigureError, Refusal, Rejected, Rejection, Removal, RemovalCause,
    RemovalListener, Removed, Slice, Stats, Store, Strategy, Timestamp, UnknownStrategy, Usage,
    Weighing, Weight,
};
pub use iter::Iter;

/// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
