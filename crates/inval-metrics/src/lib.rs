//! The metrics of inval.

#[cfg(feature = "prometheus")]
mod prometheus;
mod publisher;
mod reading;
mod catalogue;
mod walk;
mod difference;

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
