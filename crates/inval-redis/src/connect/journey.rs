//! One call on its way: to the server that has the keys, again where that is safe, and to where the
//! keys have moved.

use std::io;
use std::sync::Arc;

use redis::{Pipeline, Script, ServerError, Value};
use tokio::time::timeout_at;

use super::call::{Progress, Repeat, Request, passing_refusal};
use super::cluster::Cluster;
use super::cluster::asking::{with_asking, without_asking};
use super::cluster::slot::Slot;
use super::link::{Answer, Link};
use super::node::Node;
use super::reply::{Redirect, Silence, error_of, redirect_of};
use super::retry::{Effort, Limits};
use super::scan::Cursor;
use crate::error::{Error, Interruption};

/// The servers of a client.
pub(super) enum Topology {
    /// One server, and whether another may take its place.
    One {
        node: Arc<Node>,
        follows_failover: bool,
    },
    Cluster(Arc<Cluster>),
}

/// One call on its way.
pub(super) struct Journey<'a> {
    topology: &'a Topology,
    scripts: &'a [Script],
    request: Request<'a>,
    repeat: Repeat,
    slot: Option<Slot>,
    cursor: Cursor,
    effort: Effort,
    /// Where the next try alone goes, in spite of the topology.
    detour: Option<Arc<Node>>,
    tries: u64,
    /// Some of the overall time is gone, so that it has to be watched.
    is_late: bool,
    has_loaded_scripts: bool,
    has_met_replica: bool,
}

/// What to do about a refusal.
enum Next {
    TryAgain,
    /// The refusal stands as the answer.
    Accept,
}

impl<'a> Journey<'a> {
    pub(super) fn new(
        topology: &'a Topology,
        scripts: &'a [Script],
        request: Request<'a>,
        repeat: Repeat,
        limits: Limits,
    ) -> Self {
        let slot = match topology {
            Topology::One { .. } => None,
            Topology::Cluster(_) => request.slot(),
        };
        Self {
            topology,
            scripts,
            request,
            repeat,
            slot,
            cursor: Cursor::START,
            effort: Effort::new(limits),
            detour: None,
            tries: 0,
            is_late: false,
            has_loaded_scripts: false,
            has_met_replica: false,
        }
    }

    /// Has the call fail with `ScanInterrupted` where `cursor` means nothing.
    pub(super) fn continue_at(&mut self, cursor: Cursor) {
        self.cursor = cursor;
    }

    /// How often it was tried beyond the first time.
    pub(super) fn retries(&self) -> u64 {
        self.tries.saturating_sub(1)
    }

    /// The answer, and which server process gave it.
    pub(super) async fn finish(&mut self) -> Result<(Answer, u64), Error> {
        loop {
            self.tries += 1;
            let detour = self.detour.take();
            let is_detour = detour.is_some();
            let node = match detour.map_or_else(|| self.node(), Ok) {
                Ok(node) => node,
                Err(error) => {
                    self.pause_and_look_around(error).await?;
                    continue;
                }
            };
            let link = match self.link(&node).await {
                Ok(link) => link,
                Err(error) => {
                    self.after_no_connection(error).await?;
                    continue;
                }
            };
            if !self.cursor.is_of(link.instance()) {
                return Err(Error::ScanInterrupted);
            }
            match self.send(&link, is_detour).await {
                Err(silence) => self.after_silence(silence).await?,
                Ok(answer) => match self.refusal(&answer) {
                    None => return Ok((answer, link.instance())),
                    Some(refusal) => match self.after_refusal(&refusal, &node, &link).await? {
                        Next::TryAgain => {}
                        Next::Accept => return Ok((answer, link.instance())),
                    },
                },
            }
        }
    }

    fn node(&self) -> Result<Arc<Node>, Error> {
        match self.topology {
            Topology::One { node, .. } => Ok(Arc::clone(node)),
            Topology::Cluster(cluster) => cluster.node(self.slot),
        }
    }

    /// A connection, at once if there is one that works.
    async fn link(&mut self, node: &Node) -> Result<Link, Error> {
        let lane = node.next_lane();
        if let Some(link) = node.working_link(lane) {
            return Ok(link);
        }
        self.is_late = true;
        timeout_at(self.effort.deadline(), node.link_in(lane))
            .await
            .unwrap_or(Err(Error::Unreachable(io::ErrorKind::TimedOut)))
    }

    async fn send(&self, link: &Link, is_detour: bool) -> Result<Answer, Silence> {
        // The response timeout is enough for a first try that began at once.
        if !self.is_late {
            return link.send(self.request).await;
        }
        let sent = timeout_at(self.effort.deadline(), async {
            if is_detour { self.ask(link).await } else { link.send(self.request).await }
        });
        sent.await.unwrap_or_else(|_| {
            link.give_up();
            Err(Silence::Interrupted(Interruption::Timeout))
        })
    }

    async fn ask(&self, link: &Link) -> Result<Answer, Silence> {
        match link.send(Request::Pipeline(&with_asking(self.request))).await? {
            Answer::Replies(replies) => {
                without_asking(self.request, replies).ok_or(Silence::Garbage)
            }
            _ => Err(Silence::Garbage),
        }
    }

    /// The refusal in an answer after which the call may be sent again.
    fn refusal(&self, answer: &Answer) -> Option<ServerError> {
        let (refusal, progress) = match answer {
            Answer::Reply(Value::ServerError(error)) | Answer::Refused(error) => {
                error_of(error).is_transient().then_some((error, Progress::Nothing))?
            }
            Answer::Reply(_) => return None,
            Answer::Replies(replies) => passing_refusal(replies)?,
        };
        let may_repeat = progress == Progress::Nothing || self.repeat == Repeat::Safe;
        may_repeat.then(|| refusal.clone())
    }

    async fn after_no_connection(&mut self, error: Error) -> Result<(), Error> {
        use Error::*;
        let may_pass = matches!(error, Unreachable(_) | Unresolved | TooManyClients)
            || error == ConnectionLost
            || error.is_transient();
        if may_pass { self.pause_and_look_around(error).await } else { Err(error) }
    }

    async fn after_silence(&mut self, silence: Silence) -> Result<(), Error> {
        match silence {
            Silence::Garbage => Err(Error::Protocol),
            Silence::Interrupted(how) if self.repeat == Repeat::Never => {
                Err(Error::OutcomeUnknown(how))
            }
            Silence::Interrupted(how) => {
                self.effort.lost(how);
                self.pause_and_look_around(Error::OutcomeUnknown(how)).await
            }
        }
    }

    async fn after_refusal(
        &mut self,
        refusal: &ServerError,
        node: &Arc<Node>,
        link: &Link,
    ) -> Result<Next, Error> {
        self.is_late = true;
        match error_of(refusal) {
            Error::NoScript => return self.load_scripts(link).await,
            Error::Redirected => {
                return match (self.topology, redirect_of(refusal)) {
                    (Topology::Cluster(cluster), Some(redirect)) => {
                        self.follow(cluster, &redirect, node).await
                    }
                    _ => Ok(Next::Accept),
                };
            }
            Error::ReadOnly => {
                // Another connection may lead to the new primary.
                link.give_up();
                let is_alone =
                    matches!(self.topology, Topology::One { follows_failover: false, .. });
                if is_alone && std::mem::replace(&mut self.has_met_replica, true) {
                    return Ok(Next::Accept);
                }
                self.pause_and_look_around(Error::ReadOnly).await?;
            }
            error @ (Error::ClusterDown | Error::MasterDown) => {
                self.pause_and_look_around(error).await?;
            }
            error => self.effort.pause(error).await?,
        }
        Ok(Next::TryAgain)
    }

    async fn follow(
        &mut self,
        cluster: &Arc<Cluster>,
        redirect: &Redirect,
        from: &Arc<Node>,
    ) -> Result<Next, Error> {
        if self.slot != Some(redirect.slot) {
            return Err(Error::CrossSlot);
        }
        let node = cluster.follow(redirect, from);
        if redirect.is_once {
            self.detour = Some(node);
        } else {
            self.effort.redirect().await?;
        }
        Ok(Next::TryAgain)
    }

    async fn load_scripts(&mut self, link: &Link) -> Result<Next, Error> {
        if self.scripts.is_empty() || std::mem::replace(&mut self.has_loaded_scripts, true) {
            return Ok(Next::Accept);
        }
        let mut load = Pipeline::new();
        for script in self.scripts {
            load.load_script(script);
        }
        match timeout_at(self.effort.deadline(), link.send(Request::Pipeline(&load))).await {
            Ok(Ok(_)) => Ok(Next::TryAgain),
            // Nothing of the call has been carried out, whatever became of the scripts.
            Ok(Err(_)) | Err(_) => {
                self.has_loaded_scripts = false;
                self.pause_and_look_around(Error::NoScript).await?;
                Ok(Next::TryAgain)
            }
        }
    }

    /// Pauses, and meanwhile has the topology looked at.
    async fn pause_and_look_around(&mut self, reason: Error) -> Result<(), Error> {
        self.is_late = true;
        if let Topology::Cluster(cluster) = self.topology {
            cluster.refresh_soon();
        }
        self.effort.pause(reason).await
    }
}
