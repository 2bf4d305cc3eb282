//! The metrics of inval: see what the cache does, without asking it.
//!
//! Everything that is published is counted already, by ledgers, managers and clients; nothing is added to a
//! read or a write. [`Readings`] are plain structs that hold those counters at one moment. The [`catalogue()`] is
//! the one table of all metrics, and [`walk()`] tells every sample of readings by it, to whoever wants them:
//! a [`Publisher`] passes them on to the recorder of your program through the facade [`metrics`], and `render`
//! (with the feature `prometheus`) writes them as the text that Prometheus reads.
//!
//! ```
//! use std::sync::Arc;
//! use inval_core::{Config, Stats};
//! use inval_metrics::{NamespaceReading, Publisher, Readings, Value, walk};
//!
//! let reading = NamespaceReading {
//!     namespace: "sessions".parse()?,
//!     store: "memory",
//!     config: Config::builder().max_entries(10_000).build()?,
//!     stats: Some(Arc::new(Stats { hits: 3, ..Stats::default() })),
//!     upkeep: None,
//! };
//! let readings = Readings { namespaces: vec![reading], ..Readings::default() };
//!
//! let mut publisher = Publisher::new(); // one for the program, called every few seconds
//! publisher.publish(&readings);
//!
//! walk(&readings, |sample| {
//!     if sample.metric.name == "inval_hits_total" {
//!         assert_eq!(sample.labels, ["sessions"]);
//!         assert!(matches!(sample.value, Value::Whole(3)));
//!     }
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to go next: `docs/metrics.md` lists all metrics and says how to watch a daemon; `monitoring/` has a
//! dashboard and alerts; [`Publisher`] says what a recorder can and cannot do.

mod reading;
mod catalogue;
mod walk;
mod publisher;
mod difference;
#[cfg(feature = "prometheus")]
mod prometheus;

pub use catalogue::{Kind, Metric, Scale, catalogue};
pub use metrics::Unit;
#[cfg(feature = "prometheus")]
pub use prometheus::{CONTENT_TYPE, render};
pub use publisher::Publisher;
pub use reading::{
    ManagerReading, NamespaceReading, OperationReading, ProcessReading, Readings, ServerReading,
    UpkeepReading,
};
pub use walk::{Sample, Value, walk};

/// Compiles and runs the examples of the README and of the page of all metrics.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/metrics.md")]
#[doc = include_str!("../README.md")]
struct ReadMe;
