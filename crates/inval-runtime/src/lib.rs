//! The manager of inval: background upkeep of any number of caches, prompt, gentle and fair.
//!
//! A [`Manager`] runs inside the tokio runtime that it is started in. It maintains every partition of
//! every [`Store`](inval_core::Store) it is given, one bounded slice at a time: what has expired or is
//! above a limit is off the books within [`max_lag`](inval_core::pacing::PacingSettings::max_lag), as far
//! as the share of the server's time that upkeep may take allows. Whoever waits longest gets the next
//! slice, so none starves; every second one goes to whoever has urgent work. A slice that fails or panics slows down its own partition and no other.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use inval_core::Config;
//! use inval_memory::Cache;
//! use inval_runtime::Manager;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = Manager::builder().start()?;
//! let config = Config::builder().max_entries(1_000).ttl(Duration::from_secs(600)).build()?;
//! let sessions = Arc::new(Cache::of_bytes(config).build());
//! manager.add("sessions".parse()?, Arc::clone(&sessions)).await?;
//!
//! // Limits change while the cache is in use.
//! let larger = Config::builder().max_entries(5_000).build()?;
//! manager.reconfigure("sessions", &larger).await?;
//!
//! let report = manager.shutdown(Duration::from_secs(5)).await;
//! assert!(report.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! Where to go next: [`Builder`] for what can be set, [`Manager`] for what can be asked, [`Event`] for
//! what can be listened to, [`analyse`] for what a namespace is like, [`inval_core::pacing`] for how the next slice is timed.

mod manager;
mod builder;
mod events;
mod health;
mod explain;
mod analysis;
mod error;

mod namespaces;
mod recorder;
mod recent;
mod schedule;
mod run;
mod worker;

pub use analysis::{
    AnalyseError, Analysed, AnalysisOptions, AnalysisOptionsError, AnalysisState, Progress,
    RunningAnalysis, analyse,
};
pub use builder::Builder;
pub use error::{
    AddError, ReconfigureError, RemoveError, RequestError, StartAnalysisError, StartError,
};
pub use events::{Cause, Event, Missed, Removal, Subscription};
pub use explain::{Explanation, PastRemoval, Remembered};
pub use health::{Failure, Load, NamespaceHealth, PartitionHealth, ShutdownReport, Totals};
pub use manager::Manager;
pub use run::RunNow;

/// Compiles and runs the examples of the READMEs, that of the whole project among them.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
#[doc = include_str!("../README.md")]
struct ReadMe;
