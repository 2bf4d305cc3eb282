//! The nodes of a Cluster, and which of them has a key.

pub(super) mod slot;
mod topology;
pub(super) mod asking;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use redis::cmd;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use self::slot::Slot;
use self::topology::{Member, Range, Topology, ranges};
use super::call::Request;
use super::dial::{Dialling, Whither};
use super::endpoint::Endpoint;
use super::link::Answer;
use super::node::Node;
use super::reply::{Redirect, error_of};
use super::target::HostPort;
use crate::error::Error;

/// The least time between two looks at the topology.
const REFRESH_PAUSE: Duration = Duration::from_millis(100);
/// How many nodes are asked at once. One may be down or out of date; the choice is random.
const ASKED_AT_ONCE: usize = 3;

/// A Cluster. Each node has connections of its own, so that one which is down holds up none of the
/// calls to others.
pub(super) struct Cluster {
    dialling: Arc<Dialling>,
    seeds: Vec<HostPort>,
    topology: ArcSwap<Topology>,
    is_refreshing: AtomicBool,
}

impl Cluster {
    /// Learns the topology from the first of `seeds` that tells it.
    pub(super) async fn connect(
        dialling: Arc<Dialling>,
        seeds: Vec<HostPort>,
    ) -> Result<Arc<Self>, Error> {
        let topology = ArcSwap::from_pointee(Topology::empty());
        let is_refreshing = AtomicBool::new(false);
        let cluster = Arc::new(Self { dialling, seeds, topology, is_refreshing });
        cluster.refresh().await?;
        Ok(cluster)
    }

    /// The node that has `slot`; any if there is none.
    pub(super) fn node(&self, slot: Option<Slot>) -> Result<Arc<Node>, Error> {
        let topology = self.topology.load();
        let member = match slot {
            Some(slot) => topology.owner(slot),
            None => fastrand::choice(topology.members()),
        };
        member.map(|member| Arc::clone(&member.node)).ok_or(Error::ClusterDown)
    }

    /// How many nodes are known.
    pub(super) fn size(&self) -> usize {
        self.topology.load().members().len()
    }

    /// A name for each node that has slots, which is in one of them.
    pub(super) fn routes(&self) -> Vec<Vec<u8>> {
        self.topology.load().routes()
    }

    /// The node that `from` sent us to. If for good, the slot is looked for there from now on.
    pub(super) fn follow(self: &Arc<Self>, redirect: &Redirect, from: &Arc<Node>) -> Arc<Node> {
        let topology = self.topology.load();
        let mut address = redirect.address.clone();
        if address.host.is_empty()
            && let Some(from) = topology.address_of(from)
        {
            address.host = from.host.clone();
        }
        let node = topology.node_at(&address).unwrap_or_else(|| self.node_for(&address));
        let slot = (!redirect.is_once).then_some(redirect.slot);
        let is_news = slot.is_some() || topology.node_at(&address).is_none();
        if is_news {
            self.topology.rcu(|topology| Arc::new(topology.with_member(&address, &node, slot)));
            self.refresh_soon();
        }
        node
    }

    /// Looks at the topology again, in the background, unless that was just done.
    pub(super) fn refresh_soon(self: &Arc<Self>) {
        if self.is_refreshing.swap(true, Ordering::Relaxed) {
            return;
        }
        let refreshing = Refreshing(Arc::clone(self));
        tokio::spawn(async move {
            // A failure changes nothing: the calls that need the answer will have it looked for again.
            let _ = refreshing.0.refresh().await;
            sleep(REFRESH_PAUSE).await;
        });
    }

    async fn refresh(&self) -> Result<(), Error> {
        let mut worst = Error::ClusterDown;
        for some in self.witnesses().chunks(ASKED_AT_ONCE) {
            match self.ask(some).await {
                Ok(ranges) => {
                    let known = self.topology.load();
                    let topology = Topology::of(&ranges, &known, |address| self.node_for(address));
                    self.topology.store(Arc::new(topology));
                    return Ok(());
                }
                Err(error) => worst = error,
            }
        }
        Err(worst)
    }

    /// All nodes that may know the topology: in random order those that are part of it, and then the
    /// seeds, which may go by other names and would have to be connected to.
    fn witnesses(&self) -> Vec<Member> {
        let mut witnesses = self.topology.load().members().to_vec();
        fastrand::shuffle(&mut witnesses);
        for seed in &self.seeds {
            if !witnesses.iter().any(|witness| witness.address == *seed) {
                witnesses.push(Member { address: seed.clone(), node: self.node_for(seed) });
            }
        }
        witnesses
    }

    async fn ask(&self, witnesses: &[Member]) -> Result<Vec<Range>, Error> {
        let options = &self.dialling.options;
        let limit = options.connect_timeout + options.response_timeout;
        let mut questions = JoinSet::new();
        for witness in witnesses.iter().cloned() {
            questions.spawn(async move { timeout(limit, ask(witness)).await });
        }
        let mut worst = Error::Timeout;
        while let Some(answer) = questions.join_next().await {
            match answer {
                Ok(Ok(Ok(ranges))) => return Ok(ranges),
                Ok(Ok(Err(error))) => worst = error,
                Ok(Err(_)) | Err(_) => {}
            }
        }
        Err(worst)
    }

    fn node_for(&self, address: &HostPort) -> Arc<Node> {
        let whither = Whither::Endpoint(Endpoint::Tcp(address.clone()));
        Arc::new(Node::new(Arc::clone(&self.dialling), whither))
    }
}

/// Lets the next look at the topology begin once it is dropped, whatever became of this one.
struct Refreshing(Arc<Cluster>);

impl Drop for Refreshing {
    fn drop(&mut self) {
        self.0.is_refreshing.store(false, Ordering::Relaxed);
    }
}

async fn ask(witness: Member) -> Result<Vec<Range>, Error> {
    let mut question = cmd("CLUSTER");
    question.arg("SLOTS");
    let link = witness.node.link().await?;
    match link.send(Request::Command(&question)).await {
        Ok(Answer::Reply(redis::Value::ServerError(error))) => Err(error_of(&error)),
        Ok(Answer::Reply(reply)) => match ranges(&reply, &witness.address) {
            Some(ranges) if !ranges.is_empty() => Ok(ranges),
            Some(_) => Err(Error::ClusterDown),
            None => Err(Error::UnexpectedReply),
        },
        Ok(_) => Err(Error::UnexpectedReply),
        Err(_) => Err(Error::ConnectionLost),
    }
}
