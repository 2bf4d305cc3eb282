//! The Redis and Valkey store of inval: named caches with limits and strategies of their own.
//!
//! A read is one native command, a write one transaction that leaves a record in a journal. Whoever
//! calls [`Store::maintain`](inval_core::Store::maintain) is a manager: it takes the lease of a
//! partition, reads its journal, keeps the books, and evicts what the strategy says and nobody has
//! read since, checked on the server in one script.
//!
//! ```
//! use std::time::Duration;
//! use inval_core::{Budget, Config, Key, PutOptions, Store};
//! use inval_redis::{Cache, CacheOptions, Client, ConnectOptions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = inval_test_servers::Server::redis()?;
//! # let url = server.url();
//! let client = Client::connect(&url.parse()?, ConnectOptions::default()).await?;
//! let config = Config::builder().max_entries(2).build()?;
//! let cache = Cache::open(client, "users".parse()?, config, CacheOptions::default()).await?;
//!
//! for name in ["alice", "bob", "carol"] {
//!     let _stored = cache.put(&Key::new(name.as_bytes())?, "value".into(), PutOptions::default()).await?;
//! }
//! while cache.usage().await?.entries != 2 {
//!     let slice = cache.maintain(0, Budget::within(Duration::from_millis(10))).await?;
//!     tokio::time::sleep(slice.next).await;
//! }
//! assert!(cache.get(&Key::new(b"carol")?).await?.is_some());
//! # Ok(())
//! # }
//! ```
//!
//! Where to go next: [`Cache`] for the operations (they are those of [`inval_core::Store`]),
//! [`Target`] for the forms of addresses, [`ConnectOptions`] for credentials and times,
//! [`CacheOptions`] for partitions and the manager, [`Error`] for what can go wrong.

mod error;
mod connect;

mod secrets;
mod agreement;
mod wire;
mod reads;
mod pages;
mod pressure;
mod turns;
mod pass;
mod keeper;
mod follow;
mod cache;
mod accounts;
mod store;
mod namespaces;

pub mod acl;

pub use agreement::{Disagreement, OpenError, Setting};
pub use cache::{Cache, CacheOptions};
pub use connect::{
    Activity, Client, ClientCertificate, ConnectOptions, Connections, Credentials, Cursor, Page,
    Repeat, Target, TargetError,
};
pub use error::{
    AuthenticationError, Code, CredentialsError, Error, Estrangement, Interruption, TlsError,
};
pub use follow::Rotation;
pub use inval_core::digest::{KeySecret, KeySecretError};
pub use namespaces::namespaces;
pub use secrets::{KeySecrets, SecretError, SecretSource};

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
