//! Redis and Valkey servers for tests: started on free ports, gone when dropped.
//!
//! A [`Server`] is one process with a port and a directory of its own. It answers when `start` returns;
//! dropping it kills the process and deletes the directory. On Linux no process is left behind even
//! when the tests are killed. [`Cluster`] and [`Sentinel`] are made of servers; a [`Process`] is any other
//! program that a test starts, and a [`Door`] stands before a port and does harm to connections.
//! Servers and other processes can have a [`Clock`] that the test sets.
//!
//! ```
//! use inval_test_servers::{Options, Reply, Server};
//!
//! let server = Server::start(Options::redis().args(["--maxmemory-policy", "allkeys-lfu"]))?;
//! assert!(server.url().starts_with("redis://127.0.0.1:"));
//!
//! assert!(server.command(&["SET", "key", "value"])?.is_ok());
//! assert_eq!(server.command(&["GET", "key"])?, Reply::Bulk(b"value".to_vec()));
//!
//! server.restart()?;
//! assert_eq!(server.command(&["GET", "key"])?, Reply::Nil);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Commands sent this way come from an administrator, over the server's Unix socket. They work over
//! TLS and past every ACL, so a test can prepare and inspect a server however clients may reach it.
//!
//! The programs are `redis-server` and `valkey-server` in `PATH`, unless the variables
//! `INVAL_REDIS_SERVER` and `INVAL_VALKEY_SERVER` name others. Without Redis, starting is an error that
//! says how to get it; Valkey is optional, so [`Server::valkey`] is `None` where it is missing.

mod server;
mod options;
mod cluster;
mod sentinel;
mod process;
mod door;
mod clock;
mod error;
mod resp;

mod settings;
mod binary;
mod spawn;
mod ports;
mod tls;
mod log;
mod deadline;

pub use clock::{Clock, ClockError};
pub use cluster::{Cluster, ClusterError};
pub use door::{Door, Fault, Who};
pub use error::StartError;
pub use log::LogTail;
pub use options::{Endpoint, Flavour, Options};
pub use process::Process;
pub use resp::{CommandError, Connection, Reply};
pub use sentinel::{Sentinel, SentinelError};
pub use server::Server;
pub use settings::ADMIN;

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
