//! Where the servers are, as one line of text says it.

mod parse;

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use thiserror::Error;

use super::credentials::Login;

/// Where the servers are, parsed from text:
///
/// | text | servers |
/// | --- | --- |
/// | `redis://[[user]:password@]host[:port][/db]` | one server |
/// | `redis+unix:///path[?db=…&user=…&pass=…]`, `unix:///path` | one server, by a socket file |
/// | `redis+cluster://[…@]host[:port][,host[:port]…]` | a Cluster, by some of its nodes |
/// | `redis+sentinel://[…@]host[:port][,host[:port]…]/master[/db]` | the primary that sentinels know |
///
/// `rediss` stands for TLS, `valkey` and `valkeys` for the same as `redis` and `rediss`. In user,
/// password, path and master any byte may be written as `%` and two hexadecimal digits, and those
/// that mean something in such a line must be: `@ : / ? # % ,`. `Debug` and `Display` show neither
/// user nor password.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    pub(super) servers: Servers,
    pub(super) is_encrypted: bool,
    pub(super) db: u32,
    pub(super) login: Option<Login>,
}

/// The kinds of targets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Servers {
    One(HostPort),
    Unix(PathBuf),
    Cluster(Vec<HostPort>),
    Sentinel { sentinels: Vec<HostPort>, master: Box<str> },
}

/// A TCP address, its host by name or number.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct HostPort {
    pub(super) host: Box<str>,
    pub(super) port: u16,
}

/// What is wrong with a target's text. Repeats nothing of it, for it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TargetError {
    /// The text does not begin with a known scheme.
    #[error(
        "the target must begin with redis://, rediss://, unix://, redis+cluster:// or \
         redis+sentinel://, such as redis://127.0.0.1:6379"
    )]
    Scheme,
    /// No host is named.
    #[error("the target names no host; write one after ://, such as redis://127.0.0.1")]
    NoHost,
    /// Something that is no host stands in its place.
    #[error("the target's host is neither a name nor an address; IPv6 goes into [ ]")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the target's port must be a number from 1 to 65535")]
    Port,
    /// Several hosts for one server.
    #[error("the target names several hosts; use redis+cluster:// or redis+sentinel://")]
    SeveralHosts,
    /// The database is not a number.
    #[error("the target's database must be a number, such as the 0 of redis://127.0.0.1/0")]
    Database,
    /// A database in a Cluster.
    #[error("a Cluster has no databases; leave out what follows the last host")]
    DatabaseInCluster,
    /// A target for sentinels without the name of a master.
    #[error("the target names no master; write it after the hosts: redis+sentinel://host/master")]
    NoMaster,
    /// The path to a socket is missing or relative.
    #[error("the target needs the absolute path of a socket, such as unix:///run/redis.sock")]
    Path,
    /// One part before the `@`, where two belong.
    #[error("write user:password@ or :password@ before the host")]
    UserOrPassword,
    /// An `@` after the host: a character of the password that had to be encoded.
    #[error(
        "the target has an @ after the host; in user and password, write @ : / ? # % , as %40 %3A \
         %2F %3F %23 %25 %2C"
    )]
    Unencoded,
    /// A `%` without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the target has a % that does not begin a byte such as %40, or is not UTF-8")]
    Encoding,
    /// A query or fragment that means nothing here.
    #[error("the target has an unknown option; only unix:// takes any: ?db=, &user= and &pass=")]
    Option,
}

impl Target {
    /// Whether the text named a user or a password.
    pub fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// The same without user and password.
    #[must_use]
    pub fn without_login(&self) -> Self {
        Self { login: None, ..self.clone() }
    }

    /// One server of a Cluster, to be reached as this is.
    #[must_use]
    pub fn of_node(&self, host: &str, port: u16) -> Self {
        Self { servers: Servers::One(HostPort::new(host, port)), ..self.clone() }
    }

    /// Whether it leads to a Cluster.
    pub fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }

    /// Whether it leads to servers that sentinels watch.
    pub fn is_behind_sentinel(&self) -> bool {
        matches!(self.servers, Servers::Sentinel { .. })
    }

    /// Whether what is sent there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Whether nothing that is sent there leaves this host, by the addresses in the text: a socket file, or loopback.
    pub fn is_local(&self) -> bool {
        let is_loopback = |HostPort { host, .. }: &HostPort| {
            let address = host.parse::<IpAddr>();
            address.map_or(&**host == "localhost", |address| address.is_loopback())
        };
        match &self.servers {
            Servers::Unix(_) => true,
            Servers::One(host) => is_loopback(host),
            Servers::Cluster(hosts) | Servers::Sentinel { sentinels: hosts, .. } => {
                hosts.iter().all(is_loopback)
            }
        }
    }

    /// The number of the database.
    pub fn db(&self) -> u32 {
        self.db
    }
}

impl HostPort {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self { host: host.into(), port }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.parse::<Ipv6Addr>() {
            Ok(address) => write!(f, "[{address}]:{}", self.port),
            Err(_) => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_encrypted { "rediss" } else { "redis" };
        let list = |hosts: &[HostPort]| {
            hosts.iter().map(HostPort::to_string).collect::<Vec<_>>().join(",")
        };
        match &self.servers {
            Servers::One(host) => write!(f, "{scheme}://{host}")?,
            Servers::Unix(path) => write!(f, "unix://{}", path.display())?,
            Servers::Cluster(nodes) => return write!(f, "{scheme}+cluster://{}", list(nodes)),
            Servers::Sentinel { sentinels, master } => {
                write!(f, "{scheme}+sentinel://{}/{master}", list(sentinels))?;
            }
        }
        match &self.servers {
            Servers::Unix(_) if self.db != 0 => write!(f, "?db={}", self.db),
            _ if self.db != 0 => write!(f, "/{}", self.db),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}
