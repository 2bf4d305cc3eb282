//! Keeping to the configuration that a namespace has on its server, and changing it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use inval_core::keyspace::Keyspace;
use inval_core::{ChangeError, Config, Namespace, ReconfigureError};
use redis::{Value, cmd};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::agreement::Agreement;
use crate::cache::Cache;
use crate::connect::{Client, Repeat};
use crate::error::{Error, Estrangement};
use crate::secrets::{Digesters, Keying};
use crate::wire;

/// How often a client looks at the configuration on the server, at the most.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a look may take, and after how long it is tried again where the server cannot be asked.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_secs(5);

/// What a client keeps to.
pub(crate) struct Terms {
    pub(crate) agreement: Agreement,
    /// What falls to each partition.
    pub(crate) parts: Box<[Config]>,
    /// What stands on the server for a key.
    pub(crate) keying: Keying,
    /// The text on the server that says so.
    text: Vec<u8>,
}

impl Terms {
    /// What `text` on the server says; `None` if a partition would have no room.
    pub(crate) fn new(agreement: Agreement, text: Vec<u8>, held: &Digesters) -> Option<Self> {
        let keying = Keying::of(&agreement.secrets, held);
        Some(Self { parts: agreement.parts()?, keying, agreement, text })
    }
}

/// What a client keeps to, and when to look whether it still should.
pub(crate) struct Follower {
    terms: ArcSwap<Terms>,
    origin: Instant,
    /// When the configuration has to be looked at before anything is evicted, in milliseconds since `origin`.
    due: AtomicU64,
    /// When to have it looked at in passing.
    next_try: AtomicU64,
    turn: Mutex<Turn>,
}

/// A step from one key secret to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rotation {
    /// All clients have both secrets: from now on entries are written by the current one, and what was written by the
    /// old one is still found.
    Begin,
    /// What was written by the old one is given up: clients can do without it from now on.
    End,
}

/// Held by whoever looks at the configuration or changes it.
#[derive(Default)]
struct Turn {
    /// Whether the namespace is being deleted, so that its configuration must not be brought back.
    has_ended: bool,
    /// Why this client cannot go on with what was last seen.
    estrangement: Option<Estrangement>,
}

impl Follower {
    pub(crate) fn new(terms: Terms) -> Self {
        let next = INTERVAL.as_millis() as u64;
        Self {
            terms: ArcSwap::from_pointee(terms),
            origin: Instant::now(),
            due: AtomicU64::new(next),
            next_try: AtomicU64::new(next),
            turn: Mutex::default(),
        }
    }

    pub(crate) fn terms(&self) -> Guard<Arc<Terms>> {
        self.terms.load()
    }

    /// Has the configuration left alone from now on.
    pub(crate) async fn end(&self) {
        self.turn.lock().await.has_ended = true;
    }

    /// Whether it is this caller's to have the configuration looked at; it is somebody's once in a while.
    fn is_ones_turn(&self) -> bool {
        let (now, next) = (self.now_ms(), self.next_try.load(Ordering::Relaxed));
        let after = now + INTERVAL.as_millis() as u64;
        let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
        now >= next && self.next_try.compare_exchange(next, after, success, failure).is_ok()
    }

    fn is_due(&self) -> bool {
        self.now_ms() >= self.due.load(Ordering::Relaxed)
    }

    fn look_after(&self, pause: Duration) {
        self.due.store(self.now_ms() + pause.as_millis() as u64, Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        self.origin.elapsed().as_millis() as u64
    }
}

impl Cache {
    /// Looks whether the configuration on the server is another one, unless that was just done, and keeps to
    /// it then. While this client cannot go on with it, it is looked at with every call. Where it cannot be
    /// looked at, all is as it was: in a Cluster the node that has it may be down, and upkeep goes on.
    pub(crate) async fn follow(&self) -> Result<(), Error> {
        let follower = self.follower();
        if !follower.is_due() {
            return Ok(());
        }
        let mut turn = follower.turn.lock().await;
        // Somebody else may have looked meanwhile.
        if turn.has_ended || !follower.is_due() {
            return Ok(());
        }
        let ours = follower.terms().text.clone();
        let look = read_or_create(self.client(), self.namespace(), &ours);
        let (estrangement, pause) = match timeout(PATIENCE, look).await {
            Ok(Ok(text)) => (self.keep_to(text).err(), INTERVAL),
            Ok(Err(Error::WrongType)) => (Some(Estrangement::Unreadable), INTERVAL),
            Ok(Err(error)) if !error.is_retryable() => return Err(error),
            Ok(Err(_)) | Err(_) => (turn.estrangement, PAUSE),
        };
        turn.estrangement = estrangement;
        match estrangement {
            Some(estrangement) => Err(estrangement.into()),
            None => {
                follower.look_after(pause);
                Ok(())
            }
        }
    }

    /// Does the same in passing: it costs the caller nothing, and a failure is left to whoever maintains.
    pub(crate) fn follow_soon(&self) {
        if self.follower().is_ones_turn() {
            let cache = self.clone();
            tokio::spawn(async move {
                let _ = cache.follow().await;
            });
        }
    }

    /// Changes the configuration on the server, then keeps to it.
    pub(crate) async fn change(&self, config: &Config) -> Result<(), ReconfigureError<Error>> {
        let follower = self.follower();
        let mut turn = follower.turn.lock().await;
        let terms = follower.terms.load_full();
        let ours = &terms.agreement;
        ours.config.change(config, ours.partitions)?;
        if config.time_to_idle().is_some() && config.ttl().is_some() {
            return Err(ChangeError::TtlBesidesIdle.into());
        }
        let text = ours.with(ours.config.changed_to(config)?).text();
        let outcome = self.replace(&terms.text, text).await;
        if matches!(outcome, Ok(()) | Err(Error::ChangedMeanwhile)) {
            turn.estrangement = None;
            follower.look_after(INTERVAL);
        }
        outcome.map_err(ReconfigureError::Store)
    }

    /// Goes a step on the way from the old key secret to the current one, both of which this client must have.
    pub(crate) async fn rotate(&self, step: Rotation) -> Result<(), Error> {
        let follower = self.follower();
        let _turn = follower.turn.lock().await;
        let terms = follower.terms.load_full();
        let ours = &terms.agreement;
        let [current, old] = &**self.digesters() else { return Err(Error::KeySecret) };
        let (current, old) = (current.fingerprint(), old.fingerprint());
        let next = match (&*ours.secrets, step) {
            ([one], Rotation::Begin) if *one == old => vec![current, old],
            ([first, second], Rotation::End) if (*first, *second) == (current, old) => {
                vec![current]
            }
            ([first, ..], _) if *first == current => return Ok(()),
            _ => return Err(Error::KeySecret),
        };
        self.replace(&terms.text, ours.with_secrets(next).text()).await
    }

    /// Writes another configuration over the one that is known.
    async fn replace(&self, known: &[u8], next: String) -> Result<(), Error> {
        let name = Keyspace::config(self.namespace());
        let call = wire::reconfigure(&name, known, &next);
        // Written again it might undo what somebody else has changed since.
        let there = match self.client().command(&call, Repeat::Never).await? {
            Value::Int(1) => None,
            Value::BulkString(there) => Some(there),
            _ => return Err(Error::UnexpectedReply),
        };
        let is_changed = there.is_none();
        self.keep_to(there.unwrap_or(next.into_bytes()))?;
        if is_changed { Ok(()) } else { Err(Error::ChangedMeanwhile) }
    }

    /// Keeps to what is on the server now. Managers hear of it with their next slice.
    fn keep_to(&self, text: Vec<u8>) -> Result<(), Estrangement> {
        let follower = self.follower();
        let ours = follower.terms();
        if ours.text == text {
            return Ok(());
        }
        let agreement = ours.agreement.followed_to(&text)?;
        let terms = Terms::new(agreement, text, self.digesters());
        let terms = terms.ok_or(Estrangement::Unreadable)?;
        for (partition, part) in self.partitions().iter().zip(&terms.parts) {
            partition.pressure.keep_to(part);
        }
        follower.terms.store(Arc::new(terms));
        Ok(())
    }
}

/// The configuration on the server, which is `ours` if there was none.
pub(crate) async fn read_or_create(
    client: &Client,
    namespace: &Namespace,
    ours: &[u8],
) -> Result<Vec<u8>, Error> {
    if let Some(text) = read(client, namespace).await? {
        return Ok(text);
    }
    let mut create = cmd("SET");
    create.arg(Keyspace::config(namespace)).arg(ours).arg("NX");
    client.command(&create, Repeat::Safe).await?;
    read(client, namespace).await?.ok_or(Error::UnexpectedReply)
}

/// The configuration on the server, if there is one.
pub(crate) async fn read(client: &Client, namespace: &Namespace) -> Result<Option<Vec<u8>>, Error> {
    let mut get = cmd("GET");
    get.arg(Keyspace::config(namespace));
    match client.command(&get, Repeat::Safe).await? {
        Value::BulkString(text) => Ok(Some(text)),
        Value::Nil => Ok(None),
        _ => Err(Error::UnexpectedReply),
    }
}
