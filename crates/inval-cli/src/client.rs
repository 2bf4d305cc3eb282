//! The operator's commands: what each does at a daemon or straight at a store, and what it prints.

mod entries;
mod namespaces;
mod explain;
mod stats;
mod watch;
mod analyze;
mod upkeep;

mod endpoint;
mod http;
mod token;
mod direct;
mod waiting;
mod values;
mod statistics;
mod explanation;
mod report;
mod findings;
mod keys;
pub(crate) mod print;
mod error;

pub(crate) use analyze::analyze;
pub(crate) use endpoint::Endpoint;
pub(crate) use entries::{get, put, rm, ttl};
pub(crate) use error::ClientError;
pub(crate) use explain::explain;
pub(crate) use explanation::Explanation;
pub(crate) use http::{DaemonUrl, DaemonUrlError};
pub(crate) use keys::json_bytes;
pub(crate) use namespaces::ns;
pub(crate) use report::Report;
pub(crate) use statistics::{Amount, Limits, Quantiles, Rates, State, Statistics};
pub(crate) use stats::stats;
pub(crate) use upkeep::run_now;
pub(crate) use values::{Change, Changes, Span, millis};
pub(crate) use watch::{Point, Reading, Ticks, follow};
