//! What a user calls: commands, pipelines, scripts and scans.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, Script, Value};

use super::activity::{Activity, Tally};
use super::call::{Repeat, Request};
use super::cluster::{Cluster, slot};
use super::dial::{Dialling, Whither};
use super::endpoint::Endpoint;
use super::journey::{Journey, Topology};
use super::link::Answer;
use super::node::Node;
use super::options::ConnectOptions;
use super::reply::{error_of, first_error};
use super::retry::Limits;
use super::scan::{self, Cursor, Page};
use super::sentinel::Sentinels;
use super::target::{Servers, Target};
use crate::error::Error;
use crate::pass::Passes;
use crate::turns::Turns;
use crate::wire;

/// A connection to a server, or to all servers of a Cluster. Cheap to clone; all clones share the
/// same few connections, over which any number of calls can be under way.
///
/// Every call ends within `overall_timeout`. What a server refuses for a passing reason (loading,
/// busy, failing over, moving slots) is sent again until then. A call's keys must be in one slot.
/// Dropping a call's future is harmless, but what was sent is carried out all the same.
///
/// As connections are shared, commands that block or that change a connection's state (`BLPOP`,
/// `SUBSCRIBE`, `SELECT`, a `MULTI` of one's own) do not belong here.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    scripts: Arc<[Script]>,
}

struct Shared {
    topology: Topology,
    limits: Limits,
    /// Connections to each server.
    connections: u32,
    tally: Arc<Tally>,
    target: String,
    turns: Turns,
    passes: Passes,
}

impl Client {
    /// Connects and logs in. Fails at once, without retries, if that does not succeed.
    pub async fn connect(target: &Target, options: ConnectOptions) -> Result<Self, Error> {
        let dialling = Arc::new(Dialling::new(target, options)?);
        let limits = Limits::of(&dialling.options);
        let (connections, tally) = (dialling.options.connections, Arc::clone(&dialling.tally));
        let topology = connect(target.servers.clone(), dialling).await?;
        let target = target.to_string();
        let (turns, passes) = (Turns::default(), Passes::default());
        let shared = Shared { topology, limits, connections, tally, target, turns, passes };
        Ok(Self { shared: Arc::new(shared), scripts: Arc::new([]) })
    }

    /// The same connections, for calls that run `scripts`. A server that does not know one, having
    /// been restarted, is given all of them, and the call is sent again.
    pub fn with_scripts(&self, scripts: impl Into<Arc<[Script]>>) -> Self {
        Self { shared: Arc::clone(&self.shared), scripts: scripts.into() }
    }

    /// Who makes books over these connections.
    pub(crate) fn turns(&self) -> &Turns {
        &self.shared.turns
    }

    /// The scans that are shared over these connections.
    pub(crate) fn passes(&self) -> &Passes {
        &self.shared.passes
    }

    /// Whether it is one server, if another one may take its place, that has all keys.
    pub(crate) fn is_of_one_server(&self) -> bool {
        matches!(self.shared.topology, Topology::One { .. })
    }

    /// What has come of its calls and connections so far.
    pub fn activity(&self) -> Activity {
        let Shared { topology, connections, tally, .. } = &*self.shared;
        let servers = match topology {
            Topology::One { .. } => 1,
            Topology::Cluster(cluster) => cluster.size() as u64,
        };
        tally.read(servers * u64::from(*connections))
    }

    /// Sends one command. An error reply is an error.
    pub async fn command(&self, command: &Cmd, repeat: Repeat) -> Result<Value, Error> {
        match self.send(Request::Command(command), repeat, Cursor::START).await?.0 {
            Answer::Reply(Value::ServerError(error)) | Answer::Refused(error) => {
                Err(error_of(&error))
            }
            Answer::Reply(reply) => Ok(reply),
            Answer::Replies(_) => Err(Error::UnexpectedReply),
        }
    }

    /// Sends several commands at once, in a transaction if the pipeline is atomic. The replies to
    /// all of them, whether marked as ignored or not, or the first error. Without a transaction,
    /// commands before and behind one that failed have been carried out.
    pub async fn pipeline(&self, commands: &Pipeline, repeat: Repeat) -> Result<Vec<Value>, Error> {
        let replies = self.pipeline_replies(commands, repeat).await?;
        first_error(&replies).map_or(Ok(()), |error| Err(error_of(error)))?;
        Ok(replies)
    }

    /// Like [`pipeline`](Self::pipeline), but each command has its own reply or error.
    pub async fn pipeline_each(
        &self,
        commands: &Pipeline,
        repeat: Repeat,
    ) -> Result<Vec<Result<Value, Error>>, Error> {
        let replies = self.pipeline_replies(commands, repeat).await?;
        let each = replies.into_iter().map(|reply| match reply {
            Value::ServerError(error) => Err(error_of(&error)),
            reply => Ok(reply),
        });
        Ok(each.collect())
    }

    /// One page of a scan over the names that match `pattern`, of all keys on the server that has
    /// `key`. `count` is about how many keys the server looks at. Where keys move to another server
    /// between pages, the next one is [`Error::ScanInterrupted`].
    pub async fn scan(
        &self,
        key: &[u8],
        cursor: Cursor,
        pattern: &[u8],
        count: u32,
    ) -> Result<Page, Error> {
        let commands = scan::request(key, cursor, pattern, count);
        let (replies, instance) = self.continue_scan(&commands, cursor).await?;
        scan::page(replies.into_iter().nth(1).unwrap_or_default(), instance)
    }

    /// The same, and how long it held the server at the most.
    pub(crate) async fn timed_scan(
        &self,
        key: &[u8],
        cursor: Cursor,
        pattern: &[u8],
        count: u32,
    ) -> Result<(Page, Duration), Error> {
        let commands = scan::timed_request(key, cursor, pattern, count);
        let (replies, instance) = self.continue_scan(&commands, cursor).await?;
        let Ok([_, begun, page, ended]) = <[Value; 4]>::try_from(replies) else {
            return Err(Error::UnexpectedReply);
        };
        Ok((scan::page(page, instance)?, wire::between(begun, ended)?))
    }

    /// The replies of the server process that gave the cursor out, and which one it is.
    async fn continue_scan(
        &self,
        commands: &Pipeline,
        cursor: Cursor,
    ) -> Result<(Vec<Value>, u64), Error> {
        let request = Request::Pipeline(commands);
        let (answer, instance) = self.send(request, Repeat::Safe, cursor).await?;
        let replies = replies_of(answer)?;
        first_error(&replies).map_or(Ok(()), |error| Err(error_of(error)))?;
        Ok((replies, instance))
    }

    /// A name for each server that has keys, which that server has.
    pub(crate) fn routes(&self) -> Vec<Vec<u8>> {
        match &self.shared.topology {
            Topology::One { .. } => vec![slot::name(0)],
            Topology::Cluster(cluster) => cluster.routes(),
        }
    }

    async fn pipeline_replies(
        &self,
        commands: &Pipeline,
        repeat: Repeat,
    ) -> Result<Vec<Value>, Error> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let request = Request::Pipeline(commands);
        let replies = replies_of(self.send(request, repeat, Cursor::START).await?.0)?;
        if replies.len() == commands.len() { Ok(replies) } else { Err(Error::UnexpectedReply) }
    }

    /// The answer, and which server process gave it. A cursor other than the first has to be of that process.
    async fn send(
        &self,
        request: Request<'_>,
        repeat: Repeat,
        cursor: Cursor,
    ) -> Result<(Answer, u64), Error> {
        let Shared { topology, limits, tally, .. } = &*self.shared;
        tally.called();
        let mut journey = Journey::new(topology, &self.scripts, request, repeat, *limits);
        journey.continue_at(cursor);
        let outcome = journey.finish().await;
        tally.retried(journey.retries());
        let error = match &outcome {
            Ok((answer, _)) => answer.error().map(error_of),
            Err(error) => Some(*error),
        };
        error.into_iter().for_each(|error| tally.failed(error));
        outcome
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.shared.target)
    }
}

async fn connect(servers: Servers, dialling: Arc<Dialling>) -> Result<Topology, Error> {
    let follows_failover = matches!(servers, Servers::Sentinel { .. });
    let whither = match servers {
        Servers::Cluster(seeds) => {
            return Ok(Topology::Cluster(Cluster::connect(dialling, seeds).await?));
        }
        Servers::One(address) => Whither::Endpoint(Endpoint::Tcp(address)),
        Servers::Unix(path) => Whither::Endpoint(Endpoint::Unix(path)),
        Servers::Sentinel { sentinels, master } => {
            Whither::Primary(Sentinels { sentinels, master: master.into() })
        }
    };
    let node = Arc::new(Node::new(dialling, whither));
    node.link().await?;
    Ok(Topology::One { node, follows_failover })
}

fn replies_of(answer: Answer) -> Result<Vec<Value>, Error> {
    match answer {
        Answer::Replies(replies) => Ok(replies),
        Answer::Refused(error) => Err(error_of(&error)),
        Answer::Reply(_) => Err(Error::UnexpectedReply),
    }
}
