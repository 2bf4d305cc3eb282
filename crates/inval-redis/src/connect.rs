//! Connections to Redis and Valkey: where the servers are, how to get in, and calls that know what
//! happened to them.

mod target;
mod options;
mod credentials;
mod secret;
mod client;
mod activity;
mod journey;
mod call;
mod scan;
mod retry;

mod cluster;
mod node;
mod dial;
mod sentinel;
mod login;
mod endpoint;
mod tls;
mod link;
mod reply;

pub use activity::{Activity, Connections};
pub use call::Repeat;
pub use client::Client;
pub use credentials::Credentials;
pub use options::{ClientCertificate, ConnectOptions};
pub use scan::{Cursor, Page};
pub use target::{Target, TargetError};
