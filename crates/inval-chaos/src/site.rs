//! Where it happens: a server, a master with sentinels, or a Cluster, each server behind a door.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use inval_core::Namespace;
use inval_core::keyspace::Keyspace;
use inval_redis::{Client, ConnectOptions, Credentials};
use inval_test_servers::{Cluster, Fault, Options, Reply, Sentinel, Server, Who};

/// The password of all users.
pub(crate) const PASSWORD: &str = "chaos-password";
/// Users of the servers, so that a door can tell who is who: everybody whom a fault may hit alone.
pub(crate) const USERS: [&str; 7] =
    ["client0", "client1", "client2", "client3", "manager0", "manager1", "checker"];

/// How long clients wait for a reply.
pub(crate) const RESPONSE_TIMEOUT: Duration = Duration::from_millis(400);

/// How servers stand together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topology {
    /// One server.
    Single,
    /// A master with a replica, watched by three sentinels.
    Sentinel,
    /// Three masters, each with a replica.
    Cluster,
}

impl Topology {
    pub(crate) const ALL: [Self; 3] = [Self::Single, Self::Sentinel, Self::Cluster];

    fn name(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Sentinel => "sentinel",
            Self::Cluster => "cluster",
        }
    }

    /// Into how many partitions namespaces are split there.
    pub(crate) fn partitions(self) -> u32 {
        match self {
            Self::Single | Self::Sentinel => 1,
            Self::Cluster => 6,
        }
    }
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Topology {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|topology| topology.name() == text);
        found.context("there is no such site; give single, sentinel or cluster")
    }
}

/// What is particular to the servers of a scenario.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    /// All that is written is on disk before it is acknowledged.
    pub(crate) is_durable: bool,
    /// The clocks of servers and daemons can be set.
    pub(crate) has_clocks: bool,
    /// No server has a replica that could take its place.
    pub(crate) is_without_replicas: bool,
}

/// Running servers.
pub(crate) struct Site {
    pub(crate) topology: Topology,
    servers: Servers,
}

enum Servers {
    Single(Server),
    Sentinel(Sentinel),
    Cluster(Cluster),
}

impl Site {
    /// Starts servers; returns when they work.
    pub(crate) fn start(topology: Topology, needs: Needs) -> Result<Self> {
        let mut options = Options::redis().behind_a_door();
        for user in USERS {
            options = options.user(&format!("{user} on >{PASSWORD} ~* &* +@all"));
        }
        if needs.is_durable {
            options = options.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        if needs.has_clocks {
            options = options.with_clock();
        }
        let replicas = usize::from(!needs.is_without_replicas);
        let servers = match topology {
            Topology::Single => Servers::Single(Server::start(options)?),
            Topology::Sentinel => Servers::Sentinel(Sentinel::start_with(&options, 1, 3)?),
            Topology::Cluster => Servers::Cluster(Cluster::start_with(&options, 3, replicas)?),
        };
        Ok(Self { topology, servers })
    }

    /// Where clients connect.
    pub(crate) fn target(&self) -> String {
        let list = |servers: &[Server]| {
            let addresses: Vec<_> =
                servers.iter().map(|server| server.address().to_string()).collect();
            addresses.join(",")
        };
        match &self.servers {
            Servers::Single(server) => server.url(),
            Servers::Sentinel(sentinel) => {
                format!(
                    "redis+sentinel://{}/{}",
                    list(sentinel.sentinels()),
                    sentinel.master_name()
                )
            }
            Servers::Cluster(cluster) => format!("redis+cluster://{}", list(cluster.nodes())),
        }
    }

    /// A client of its own for a user. It fails early, so that its calls come often.
    pub(crate) async fn client(&self, user: &str) -> Result<Client> {
        let credentials =
            Credentials::Given { user: Some(user.to_owned()), password: PASSWORD.to_owned() };
        let options = ConnectOptions { credentials, ..Self::patience() };
        Client::connect(&self.target().parse()?, options)
            .await
            .with_context(|| format!("{user} cannot connect"))
    }

    fn patience() -> ConnectOptions {
        ConnectOptions {
            connect_timeout: Duration::from_millis(500),
            response_timeout: RESPONSE_TIMEOUT,
            overall_timeout: Duration::from_secs(1),
            ..ConnectOptions::default()
        }
    }

    /// All servers that hold data or could.
    pub(crate) fn nodes(&self) -> &[Server] {
        match &self.servers {
            Servers::Single(server) => std::slice::from_ref(server),
            Servers::Sentinel(sentinel) => sentinel.nodes(),
            Servers::Cluster(cluster) => cluster.nodes(),
        }
    }

    /// The servers that say of themselves that they take writes; those that are down are left out.
    pub(crate) fn masters(&self) -> Vec<&Server> {
        let is_master = |server: &&Server| {
            server
                .info("replication")
                .is_ok_and(|info| info.get("role").is_some_and(|role| role == "master"))
        };
        self.nodes().iter().filter(is_master).collect()
    }

    /// The server that holds a partition of a namespace now.
    pub(crate) fn master_of(&self, namespace: &Namespace, partition: u32) -> Result<&Server> {
        match &self.servers {
            Servers::Single(server) => Ok(server),
            Servers::Sentinel(sentinel) => Ok(sentinel.master()?),
            Servers::Cluster(cluster) => {
                Ok(cluster.node(cluster.owner(self.slot_of(namespace, partition)?)?))
            }
        }
    }

    /// The Cluster slot of a partition.
    pub(crate) fn slot_of(&self, namespace: &Namespace, partition: u32) -> Result<u16> {
        let names = Keyspace::new(namespace, partition);
        for node in self.nodes() {
            if let Ok(reply) = node.command(&["CLUSTER", "KEYSLOT", names.journal()]) {
                return Ok(u16::try_from(reply.int().context("a slot is a number")?)?);
            }
        }
        bail!("no node of the Cluster answers")
    }

    pub(crate) fn cluster(&self) -> Result<&Cluster> {
        match &self.servers {
            Servers::Cluster(cluster) => Ok(cluster),
            _ => bail!("this is no Cluster"),
        }
    }

    pub(crate) fn sentinel(&self) -> Result<&Sentinel> {
        match &self.servers {
            Servers::Sentinel(sentinel) => Ok(sentinel),
            _ => bail!("there are no sentinels"),
        }
    }

    /// The same command for every server that takes writes; none may refuse it.
    pub(crate) fn command_all(&self, command: &[&str]) -> Result<()> {
        for server in self.masters() {
            let reply = server.command(command)?;
            if let Reply::Error(error) = reply {
                bail!("{} was refused: {error}", command[0]);
            }
        }
        Ok(())
    }

    /// Inflicts a fault on a user's connections to all servers.
    pub(crate) fn inflict(&self, user: &str, fault: Fault) {
        for door in self.nodes().iter().filter_map(Server::door) {
            door.inflict(Who::User(user.to_owned()), fault);
        }
    }

    /// Ends the faults of a user's connections.
    pub(crate) fn lift(&self, user: &str) {
        for door in self.nodes().iter().filter_map(Server::door) {
            door.lift(&Who::User(user.to_owned()));
        }
    }

    /// Ends the faults of all connections.
    pub(crate) fn lift_all(&self) {
        self.nodes().iter().filter_map(Server::door).for_each(|door| door.lift_all());
    }

    /// How often doors have done something to what passes.
    pub(crate) fn inflicted(&self) -> u64 {
        self.nodes().iter().filter_map(Server::door).map(|door| door.inflicted()).sum()
    }
}
