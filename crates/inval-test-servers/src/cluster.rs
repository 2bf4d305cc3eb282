//! A cluster: masters that share the slots, their replicas, and slots that move.

use std::time::Duration;

use thiserror::Error;

use crate::deadline::Deadline;
use crate::error::StartError;
use crate::options::Options;
use crate::resp::{CommandError, Reply};
use crate::server::Server;
use crate::settings::{ADMIN, ADMIN_PASSWORD, Role};

const SLOTS: usize = 16_384;

/// Nodes hear of each other by gossip; a fresh master refuses writes for two seconds besides.
const FORMING: Duration = Duration::from_secs(30);

/// How many keys move at a time, and how long that may take.
const MIGRATION_BATCH: &str = "100";
const MIGRATION_TIMEOUT_MS: &str = "5000";

/// A running cluster: first the masters, then the replicas, each `masters` after its master.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Server>,
    ids: Vec<String>,
    masters: usize,
}

/// Why a cluster did not form or a slot did not move.
#[derive(Debug, Error)]
pub enum ClusterError {
    /// A node did not start.
    #[error("a node of the cluster did not start")]
    Start(#[from] StartError),
    /// A node did not answer.
    #[error("a node of the cluster did not answer")]
    Command(#[from] CommandError),
    /// A node refused a command.
    #[error("a node of the cluster refused {command}: {refusal:?}")]
    Refused {
        /// The command without its arguments.
        command: &'static str,
        /// What the node said.
        refusal: Reply,
    },
    /// The nodes did not agree in time, or none of them knows the answer.
    #[error("the nodes of the cluster do not agree")]
    Disagreement,
}

impl ClusterError {
    /// True if trying again may succeed, in which case a cluster is started anew.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Start(error) => error.is_retryable(),
            Self::Command(error) => error.is_retryable(),
            Self::Disagreement => true,
            Self::Refused { .. } => false,
        }
    }
}

impl Cluster {
    /// Starts Redis nodes and returns when every one says that the cluster is ready.
    ///
    /// Each of the masters has that many replicas and an equal share of the slots, in order.
    pub fn start(masters: usize, replicas: usize) -> Result<Self, ClusterError> {
        Self::start_with(&Options::redis(), masters, replicas)
    }

    /// Like [`start`](Self::start); all nodes have the same options. Behind doors, the slots' owners
    /// are known by the doors' ports, and keys that move go past them.
    pub fn start_with(
        options: &Options,
        masters: usize,
        replicas: usize,
    ) -> Result<Self, ClusterError> {
        let nodes = (0..masters * (1 + replicas))
            .map(|_| Server::start_as(Role::ClusterNode, options))
            .collect::<Result<Vec<_>, _>>()?;
        let ids = nodes.iter().map(own_id).collect::<Result<Vec<_>, _>>()?;
        let cluster = Self { nodes, ids, masters };
        cluster.assign_slots()?;
        cluster.introduce()?;
        cluster.attach_replicas()?;
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Where clients connect: the URL of each node.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Server::url).collect()
    }

    /// All nodes, the masters first.
    pub fn nodes(&self) -> &[Server] {
        &self.nodes
    }

    /// One node; the masters have the first numbers.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn node(&self, node: usize) -> &Server {
        &self.nodes[node]
    }

    /// The name under which the nodes of the cluster know one of them.
    ///
    /// # Panics
    ///
    /// If there is no such node.
    pub fn id(&self, node: usize) -> &str {
        &self.ids[node]
    }

    /// Kills a node; when this returns, its port refuses connections.
    pub fn kill(&self, node: usize) -> std::io::Result<()> {
        self.node(node).kill()
    }

    /// The node that owns a slot now, in the eyes of the first node that answers.
    pub fn owner(&self, slot: u16) -> Result<usize, ClusterError> {
        let mut answers = self.nodes.iter().map(|node| node.command(&["CLUSTER", "SLOTS"]));
        let ranges = match answers.find(Result::is_ok) {
            Some(ranges) => ranges?,
            None => return Err(ClusterError::Disagreement),
        };
        let owner = ranges.items().iter().find_map(|range| owner_of_range(range, slot));
        let owner = owner.ok_or(ClusterError::Disagreement)?;
        self.ids.iter().position(|id| id == owner).ok_or(ClusterError::Disagreement)
    }

    /// Moves a slot with its keys from one master to another; all masters know when this returns.
    ///
    /// It is refused once a replica has taken the place of one of the first masters.
    pub fn migrate_slot(&self, slot: u16, from: usize, to: usize) -> Result<(), ClusterError> {
        self.open_slot(slot, from, to)?;
        self.move_keys(slot, from, to)?;
        self.settle_slot(slot, to)
    }

    /// Begins to move a slot: from now on `from` answers ASK for keys that it has no longer.
    pub fn open_slot(&self, slot: u16, from: usize, to: usize) -> Result<(), ClusterError> {
        self.set_slot(to, slot, &["IMPORTING", &self.ids[from]])?;
        self.set_slot(from, slot, &["MIGRATING", &self.ids[to]])
    }

    /// Moves the keys of a slot that is open; those written later stay where they are.
    pub fn move_keys(&self, slot: u16, from: usize, to: usize) -> Result<(), ClusterError> {
        let (slot, port) = (slot.to_string(), self.node(to).own_port().to_string());
        let mut connection = self.node(from).connect()?;
        loop {
            let keys = connection.command(&["CLUSTER", "GETKEYSINSLOT", &slot, MIGRATION_BATCH])?;
            let keys = keys.items().iter().filter_map(|key| match key {
                Reply::Bulk(key) => Some(key.as_slice()),
                _ => None,
            });
            let mut migrate: Vec<&[u8]> = ["MIGRATE", "127.0.0.1", &port, "", "0"]
                .into_iter()
                .chain([MIGRATION_TIMEOUT_MS, "AUTH2", ADMIN, ADMIN_PASSWORD, "KEYS"])
                .map(str::as_bytes)
                .collect();
            let without_keys = migrate.len();
            migrate.extend(keys);
            if migrate.len() == without_keys {
                return Ok(());
            }
            accepted("MIGRATE", connection.command(&migrate)?)?;
        }
    }

    /// Ends the move of a slot: `to` owns it, and all masters know when this returns.
    pub fn settle_slot(&self, slot: u16, to: usize) -> Result<(), ClusterError> {
        // The new owner first: were it the last, both would redirect to each other for a while.
        let others = (0..self.masters).filter(|&node| node != to);
        [to].into_iter()
            .chain(others)
            .try_for_each(|node| self.set_slot(node, slot, &["NODE", &self.ids[to]]))
    }

    fn set_slot(&self, node: usize, slot: u16, state: &[&str]) -> Result<(), ClusterError> {
        let slot = slot.to_string();
        let command = [&["CLUSTER", "SETSLOT", &slot], state].concat();
        accepted("CLUSTER SETSLOT", self.node(node).command(&command)?)
    }

    /// The first and the last slot of a master.
    fn share(&self, master: usize) -> (usize, usize) {
        (master * SLOTS / self.masters, (master + 1) * SLOTS / self.masters - 1)
    }

    /// Epochs are given out by hand: equal ones would have to be settled by the nodes first.
    fn assign_slots(&self) -> Result<(), ClusterError> {
        for (number, node) in self.nodes.iter().enumerate() {
            let epoch = (number + 1).to_string();
            let reply = node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])?;
            accepted("CLUSTER SET-CONFIG-EPOCH", reply)?;
        }
        for (master, node) in self.nodes[..self.masters].iter().enumerate() {
            let (first, last) = self.share(master);
            let (first, last) = (first.to_string(), last.to_string());
            let reply = node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])?;
            accepted("CLUSTER ADDSLOTSRANGE", reply)?;
        }
        Ok(())
    }

    /// Each node meets each other, which is faster than to leave it to gossip.
    fn introduce(&self) -> Result<(), ClusterError> {
        for (number, node) in self.nodes.iter().enumerate() {
            let mut connection = node.connect()?;
            for other in &self.nodes[number + 1..] {
                let (port, bus) = (other.port().to_string(), other.bus_port().to_string());
                let reply = connection.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
                accepted("CLUSTER MEET", reply)?;
            }
        }
        self.wait(|node| self.knows_all(node))
    }

    fn attach_replicas(&self) -> Result<(), ClusterError> {
        for (number, replica) in self.nodes.iter().enumerate().skip(self.masters) {
            let master = (number - self.masters) % self.masters;
            let reply = replica.command(&["CLUSTER", "REPLICATE", &self.ids[master]])?;
            accepted("CLUSTER REPLICATE", reply)?;
        }
        Ok(())
    }

    fn wait_until_ready(&self) -> Result<(), ClusterError> {
        let replicas = self.nodes.len() - self.masters;
        self.wait(|node| {
            Ok(self.knows_all(node)?
                && lines_with(&node_table(node)?, "slave") == replicas
                && says_ok(node)?
                && node.is_in_step()?)
        })
    }

    /// Whether the node's table has every node, shaken hands with and alive.
    fn knows_all(&self, node: &Server) -> Result<bool, CommandError> {
        let table = node_table(node)?;
        let trouble = ["handshake", "fail", "disconnected"];
        let sound = trouble.iter().all(|trouble| !table.contains(trouble));
        Ok(sound && self.ids.iter().all(|id| table.contains(id.as_str())))
    }

    fn wait(
        &self,
        holds: impl Fn(&Server) -> Result<bool, CommandError>,
    ) -> Result<(), ClusterError> {
        let deadline = Deadline::after(FORMING);
        for node in &self.nodes {
            deadline
                .poll(|| holds(node).map(|holds| holds.then_some(())).transpose())
                .ok_or(ClusterError::Disagreement)??;
        }
        Ok(())
    }
}

fn own_id(node: &Server) -> Result<String, CommandError> {
    let reply = node.command(&["CLUSTER", "MYID"])?;
    reply.text().map(str::to_owned).ok_or(CommandError::Malformed)
}

/// One line for each node this node knows.
fn node_table(node: &Server) -> Result<String, CommandError> {
    let reply = node.command(&["CLUSTER", "NODES"])?;
    reply.text().map(str::to_owned).ok_or(CommandError::Malformed)
}

/// The id of the node that owns a range of slots, if the range holds this one.
fn owner_of_range(range: &Reply, slot: u16) -> Option<&str> {
    let [first, last, owner, ..] = range.items() else { return None };
    let range = first.int()?..=last.int()?;
    range.contains(&i64::from(slot)).then_some(owner.items().get(2)?.text()?)
}

fn lines_with(table: &str, word: &str) -> usize {
    table.lines().filter(|line| line.contains(word)).count()
}

fn says_ok(node: &Server) -> Result<bool, CommandError> {
    let reply = node.command(&["CLUSTER", "INFO"])?;
    Ok(reply.text().is_some_and(|info| info.contains("cluster_state:ok")))
}

fn accepted(command: &'static str, reply: Reply) -> Result<(), ClusterError> {
    match reply {
        Reply::Error(_) => Err(ClusterError::Refused { command, refusal: reply }),
        _ => Ok(()),
    }
}
