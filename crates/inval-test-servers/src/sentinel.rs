//! A master with replicas, watched by sentinels that replace it when it is gone.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::deadline::Deadline;
use crate::error::StartError;
use crate::options::{Endpoint, Options};
use crate::resp::{CommandError, Reply};
use crate::server::Server;
use crate::settings::{MASTER_NAME, Role, Watch};

/// Sentinels greet each other every two seconds.
const MEETING: Duration = Duration::from_secs(30);

/// A second until the master counts as down, the vote, the promotion, the replicas' turn.
const FAILOVER: Duration = Duration::from_secs(30);

/// A running master with its replicas and sentinels.
#[derive(Debug)]
pub struct Sentinel {
    nodes: Vec<Server>,
    sentinels: Vec<Server>,
}

/// Why a master is not watched or not replaced.
#[derive(Debug, Error)]
pub enum SentinelError {
    /// A server or a sentinel did not start.
    #[error("a server or a sentinel did not start")]
    Start(#[from] StartError),
    /// A server or a sentinel did not answer.
    #[error("a server or a sentinel did not answer")]
    Command(#[from] CommandError),
    /// The master could not be killed.
    #[error("the master cannot be killed")]
    Kill(#[source] io::Error),
    /// The sentinels did not find each other and the replicas in time.
    #[error("the sentinels do not find each other and the replicas")]
    Strangers,
    /// The sentinels name a master that is none of the servers.
    #[error("the sentinels name an unknown master")]
    UnknownMaster,
    /// No replica was promoted in time.
    #[error("no replica has become the master")]
    NoFailover,
}

impl SentinelError {
    /// True if trying again may succeed, in which case everything is started anew.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Start(error) => error.is_retryable(),
            Self::Command(error) => error.is_retryable(),
            Self::Strangers | Self::NoFailover => true,
            Self::Kill(_) | Self::UnknownMaster => false,
        }
    }
}

impl Sentinel {
    /// Starts a Redis master with its replicas, watched by that many sentinels: one or an odd number.
    ///
    /// Returns when the replicas have the master's data and every sentinel knows all the others.
    pub fn start(replicas: usize, sentinels: usize) -> Result<Self, SentinelError> {
        Self::start_with(&Options::redis(), replicas, sentinels)
    }

    /// Like [`start`](Self::start); master and replicas have these options, the sentinels flavour and
    /// endpoint of them. No sentinel reaches a Unix socket, so that is taken for a plain port. With doors,
    /// sentinels watch and name the servers' doors and have doors for clients, but meet past these.
    pub fn start_with(
        options: &Options,
        replicas: usize,
        sentinels: usize,
    ) -> Result<Self, SentinelError> {
        let mut options = options.clone();
        if options.endpoint == Endpoint::Unix {
            options.endpoint = Endpoint::Tcp;
        }
        let start = |role, number| -> Result<Vec<Server>, StartError> {
            (0..number).map(|_| Server::start_as(role, &options)).collect()
        };
        let mut nodes = start(Role::Single, 1)?;
        let master = nodes[0].port();
        nodes.extend(start(Role::ReplicaOf(master), replicas)?);
        // A sentinel asks the master for its replicas at once, and then only every ten seconds.
        for replica in &nodes[1..] {
            within_patience(|| replica.is_in_step())?;
        }

        let watch = Watch { master, quorum: sentinels / 2 + 1 };
        let sentinels = start(Role::Sentinel(watch), sentinels)?;
        for sentinel in &sentinels {
            within_patience(|| is_acquainted(sentinel, replicas, sentinels.len() - 1))?;
        }
        Ok(Self { nodes, sentinels })
    }

    /// Where clients ask for the master: the URL of each sentinel.
    pub fn sentinel_urls(&self) -> Vec<String> {
        self.sentinels.iter().map(Server::url).collect()
    }

    /// The name to ask for.
    pub fn master_name(&self) -> &'static str {
        MASTER_NAME
    }

    /// The first master, then the replicas.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// The sentinels.
    pub fn sentinels(&self) -> &[Server] {
        &self.sentinels
    }

    /// The server that the first sentinel holds for the master now.
    pub fn master(&self) -> Result<&Server, SentinelError> {
        self.master_by(&self.sentinels[0])
    }

    /// Kills the master and returns it, down; the sentinels notice after a second.
    pub fn kill_master(&self) -> Result<&Server, SentinelError> {
        let master = self.master()?;
        master.kill().map_err(SentinelError::Kill)?;
        Ok(master)
    }

    /// Waits until another server than `previous` is the master, by its own word and by that of every
    /// sentinel, and returns it.
    pub fn wait_for_failover(&self, previous: &Server) -> Result<&Server, SentinelError> {
        let deadline = Deadline::after(FAILOVER);
        // A server that changes its role closes its connections: an error means to ask again.
        let replaced = || self.successor(previous).ok().flatten();
        deadline.poll(replaced).ok_or(SentinelError::NoFailover)
    }

    /// The master if it is not `previous` and all agree on it.
    fn successor(&self, previous: &Server) -> Result<Option<&Server>, SentinelError> {
        let master = self.master()?;
        if master.port() == previous.port() || !is_master(master)? {
            return Ok(None);
        }
        for sentinel in &self.sentinels {
            if self.master_by(sentinel)?.port() != master.port() {
                return Ok(None);
            }
        }
        Ok(Some(master))
    }

    fn master_by(&self, sentinel: &Server) -> Result<&Server, SentinelError> {
        let reply = sentinel.command(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME])?;
        let port = reply.items().get(1).and_then(Reply::text).and_then(|port| port.parse().ok());
        let named = |node: &&Server| Some(node.port()) == port;
        self.nodes.iter().find(named).ok_or(SentinelError::UnknownMaster)
    }
}

fn is_master(server: &Server) -> Result<bool, CommandError> {
    Ok(server.info("replication")?.get("role").is_some_and(|role| role == "master"))
}

/// Whether a sentinel is connected to the master, its replicas and the other sentinels.
fn is_acquainted(sentinel: &Server, replicas: usize, others: usize) -> Result<bool, CommandError> {
    let replicas = vec!["slave"; replicas];
    let others = vec!["sentinel"; others];
    Ok(flags(sentinel, "MASTERS")? == ["master"]
        && flags(sentinel, "REPLICAS")? == replicas
        && flags(sentinel, "SENTINELS")? == others)
}

/// The state of each server of a kind as the sentinel sees it: only its kind if all is well.
fn flags(sentinel: &Server, kind: &str) -> Result<Vec<String>, CommandError> {
    let reply = match kind {
        "MASTERS" => sentinel.command(&["SENTINEL", kind]),
        _ => sentinel.command(&["SENTINEL", kind, MASTER_NAME]),
    }?;
    let flags_of = |server: &Reply| {
        let fields: Vec<&str> = server.items().iter().filter_map(Reply::text).collect();
        let flags = fields.chunks_exact(2).find(|field| field[0] == "flags")?;
        Some(flags[1].to_owned())
    };
    Ok(reply.items().iter().filter_map(flags_of).collect())
}

fn within_patience(
    mut holds: impl FnMut() -> Result<bool, CommandError>,
) -> Result<(), SentinelError> {
    let probe = || holds().map(|holds| holds.then_some(())).transpose();
    let outcome = Deadline::after(MEETING).poll(probe);
    Ok(outcome.ok_or(SentinelError::Strangers)??)
}
