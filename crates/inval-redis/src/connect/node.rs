//! The connections to one server: a few, shared by all calls, each replaced when it breaks.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use bb8::{ErrorSink, Pool, PooledConnection, RunError};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

use super::dial::{Dialler, Dialling, Whither};
use super::link::Link;
use crate::error::Error;

/// One server. A call takes the next lane in turn; a lane keeps its connection checked out of the
/// pool for as long as it works, so that a call costs neither a lock nor a check-out.
pub(super) struct Node {
    pool: Pool<Dialler>,
    lanes: Box<[Lane]>,
    next: AtomicUsize,
    failures: watch::Sender<Option<Error>>,
}

#[derive(Default)]
struct Lane {
    held: ArcSwapOption<PooledConnection<'static, Dialler>>,
    /// Held by whoever replaces the connection. When and why that last failed.
    refill: Mutex<Option<(Instant, Error)>>,
}

/// The pool keeps to itself why a connection could not be made, but for those who listen here.
#[derive(Clone, Debug)]
struct Failures(watch::Sender<Option<Error>>);

impl ErrorSink<Error> for Failures {
    fn sink(&self, error: Error) {
        self.0.send_replace(Some(error));
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<Error>> {
        Box::new(self.clone())
    }
}

impl Node {
    /// Connects when the first call comes.
    pub(super) fn new(dialling: Arc<Dialling>, whither: Whither) -> Self {
        let (connections, timeout) =
            (dialling.options.connections, dialling.options.connect_timeout);
        let failures = watch::Sender::new(None);
        let pool = Pool::builder()
            .max_size(connections)
            .min_idle(None)
            .max_lifetime(None)
            .idle_timeout(None)
            .test_on_check_out(false)
            .retry_connection(false)
            // The dialler keeps the time; this is for waiting on connections of other lanes.
            .connection_timeout(timeout * 2)
            .error_sink(Box::new(Failures(failures.clone())))
            .build_unchecked(Dialler { dialling, whither });
        let lanes = (0..connections).map(|_| Lane::default()).collect();
        Self { pool, lanes, next: AtomicUsize::new(0), failures }
    }

    /// A connection that works as far as is known. Makes one if need be; an error means that
    /// nothing was sent.
    pub(super) async fn link(&self) -> Result<Link, Error> {
        self.link_in(self.next_lane()).await
    }

    /// The lane whose turn it is.
    pub(super) fn next_lane(&self) -> usize {
        self.next.fetch_add(1, Ordering::Relaxed) % self.lanes.len().max(1)
    }

    /// A lane's connection, if it has one that works as far as is known.
    pub(super) fn working_link(&self, lane: usize) -> Option<Link> {
        self.lanes.get(lane)?.link()
    }

    /// Like [`link`](Self::link), in a given lane.
    pub(super) async fn link_in(&self, lane: usize) -> Result<Link, Error> {
        let lane = self.lanes.get(lane).ok_or(Error::Unreachable(io::ErrorKind::Other))?;
        match lane.link() {
            Some(link) => Ok(link),
            None => self.refill(lane).await,
        }
    }

    async fn refill(&self, lane: &Lane) -> Result<Link, Error> {
        let asked_at = Instant::now();
        let mut failed = lane.refill.lock().await;
        if let Some(link) = lane.link() {
            return Ok(link);
        }
        // Those who waited while another failed have waited long enough.
        if let Some((at, error)) = *failed
            && at >= asked_at
        {
            return Err(error);
        }
        // Dropped, the old connection goes back to the pool, which finds it broken and closes it.
        lane.held.store(None);
        match self.check_out().await {
            Ok(held) => {
                let link = held.clone();
                lane.held.store(Some(Arc::new(held)));
                *failed = None;
                Ok(link)
            }
            Err(error) => {
                *failed = Some((Instant::now(), error));
                Err(error)
            }
        }
    }

    async fn check_out(&self) -> Result<PooledConnection<'static, Dialler>, Error> {
        let mut failures = self.failures.subscribe();
        loop {
            let held = tokio::select! {
                biased;
                held = self.pool.get_owned() => held.map_err(error_of_pool)?,
                _ = failures.changed() => {
                    let why = *failures.borrow();
                    return Err(why.unwrap_or(Error::Unreachable(io::ErrorKind::Other)));
                }
            };
            // One that was made for somebody who did not wait may have ended since.
            if !held.is_broken() {
                return Ok(held);
            }
        }
    }
}

fn error_of_pool(error: RunError<Error>) -> Error {
    match error {
        RunError::User(error) => error,
        RunError::TimedOut => Error::Unreachable(io::ErrorKind::TimedOut),
    }
}

impl Lane {
    fn link(&self) -> Option<Link> {
        let held = self.held.load();
        held.as_deref().map(|held| &**held).filter(|link| !link.is_broken()).cloned()
    }
}
