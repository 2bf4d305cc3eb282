//! Clients that use two namespaces all the while and remember what they were told.

mod hot;
mod roomy;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use inval_core::engine::EngineSettings;
use inval_core::{Key, Namespace};
use inval_redis::{Cache, Error};
use tokio::task::JoinHandle;

use crate::history::{Act, Chronicle, Event, Outcome, Value};
use crate::site::Site;

/// The namespace whose limits are never reached: whatever was written there must be readable until it expires or is deleted.
pub(crate) const ROOMY: &str = "roomy";
/// The namespace that is full from the start: what is read all the while must stay.
pub(crate) const TIGHT: &str = "tight";
/// A namespace for many entries that expire at once, which no client uses.
pub(crate) const CROWD: &str = "crowd";
/// How many entries fit into the tight one.
pub(crate) const TIGHT_ENTRIES: u64 = 1800;

/// Keys of the roomy namespace; in the other, keys from [`FIRST_COLD`] on are written once each.
pub(crate) const ROOMY_KEYS: u32 = 200;
/// Keys of the tight namespace that are read all the while.
pub(crate) const HOT_KEYS: u32 = 40;
const FIRST_COLD: u32 = 1000;

/// The least that a value takes, so that logs can be searched for values.
const VALUE_LEN: usize = 40;
/// What every key begins with, so that logs can be searched for keys.
pub(crate) const KEY_MARK: &str = "secretkey";
/// What every value ends with.
pub(crate) const VALUE_MARK: &str = "......";

/// How many clients use the roomy namespace; one more reads and one writes in the other.
const ROOMY_CLIENTS: u32 = 3;
const HOT_CLIENT: u32 = ROOMY_CLIENTS;
const COLD_CLIENT: u32 = ROOMY_CLIENTS + 1;
/// Whoever else does something to entries: it is told of by the one who did it.
pub(crate) const STRANGER: u32 = 99;
const CLIENTS: usize = 5;

/// How hard clients work, and at what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// How long a client of the roomy namespace waits between two calls.
    pub(crate) pause: Duration,
    /// Entries that expire are few and under keys of their own, whose expiry nobody can rely on: for clocks that jump.
    pub(crate) clocks_jump: bool,
    /// Of how many keys one is remembered; 1 for all.
    pub(crate) one_in: u32,
}

impl Pace {
    /// A call of each client every few milliseconds, all remembered.
    pub(crate) const fn steady() -> Self {
        Self { pause: Duration::from_millis(2), clocks_jump: false, one_in: 1 }
    }
}

/// What the clients of one run share.
pub(crate) struct Shared {
    pub(crate) chronicle: Chronicle,
    pub(crate) pace: Pace,
    is_over: AtomicBool,
    /// When each client asked for what last succeeded, in microseconds.
    served: [AtomicU64; CLIENTS],
    calls: AtomicU64,
    failed: AtomicU64,
}

/// Running clients.
pub(crate) struct Load {
    pub(crate) shared: Arc<Shared>,
    roomy: Vec<JoinHandle<Vec<Event>>>,
    tight: Vec<JoinHandle<Vec<Event>>>,
}

/// What clients remember.
#[derive(Default)]
pub(crate) struct Histories {
    pub(crate) roomy: Vec<Event>,
    pub(crate) tight: Vec<Event>,
}

impl Load {
    /// Has clients begin, in namespaces that a daemon has opened. The tight one is full when this returns.
    pub(crate) async fn begin(site: &Site, pace: Pace, seed: u64) -> Result<Self> {
        let shared = Arc::new(Shared {
            chronicle: Chronicle::begin(),
            pace,
            is_over: AtomicBool::new(false),
            served: Default::default(),
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let caller = async |number: u32, user: &str, namespace: &str| -> Result<Caller> {
            let cache = attach(site, user, namespace).await?;
            let rng = fastrand::Rng::with_seed(seed ^ u64::from(number));
            Ok(Caller::new(number, cache, rng, Arc::clone(&shared)))
        };
        let (mut roomy, mut tight) = (Vec::new(), Vec::new());
        for number in 0..ROOMY_CLIENTS {
            let user = format!("client{}", number.min(2));
            roomy.push(tokio::spawn(roomy::work(caller(number, &user, ROOMY).await?)));
        }
        let cold = hot::fill(caller(COLD_CLIENT, "client1", TIGHT).await?).await?;
        let hot = caller(HOT_CLIENT, "client3", TIGHT).await?;
        tight.push(tokio::spawn(hot::read_hot(hot)));
        tight.push(tokio::spawn(hot::write_cold(cold)));
        Ok(Self { shared, roomy, tight })
    }

    /// Whether each client succeeded with something that it asked for after `moment`.
    pub(crate) fn is_served_since(&self, moment: Duration) -> bool {
        let moment = moment.as_micros() as u64;
        self.shared.served.iter().all(|served| served.load(Ordering::Relaxed) > moment)
    }

    /// Calls so far, and how many of them failed.
    pub(crate) fn calls(&self) -> (u64, u64) {
        (self.shared.calls.load(Ordering::Relaxed), self.shared.failed.load(Ordering::Relaxed))
    }

    /// Ends the clients and returns what they remember.
    pub(crate) async fn end(self) -> Result<Histories> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let mut histories = Histories::default();
        for task in self.roomy {
            histories.roomy.extend(task.await.context("a client broke")?);
        }
        for task in self.tight {
            histories.tight.extend(task.await.context("a client broke")?);
        }
        Ok(histories)
    }
}

/// A namespace as a user sees it.
pub(crate) async fn attach(site: &Site, user: &str, namespace: &str) -> Result<Cache> {
    let client = site.client(user).await?;
    let namespace: Namespace = namespace.parse()?;
    Ok(Cache::attach(client, namespace, EngineSettings::default()).await?)
}

/// Reads every key of the roomy namespace once, as a client of its own.
pub(crate) async fn read_all(site: &Site, shared: &Arc<Shared>) -> Result<Vec<Event>> {
    let cache = attach(site, "checker", ROOMY).await?;
    let mut caller = Caller::new(STRANGER + 1, cache, fastrand::Rng::new(), Arc::clone(shared));
    for key in 0..ROOMY_KEYS {
        caller.get(key).await;
    }
    Ok(caller.events)
}

/// The bytes of a key.
pub(crate) fn key_of(number: u32) -> Key {
    let bytes = format!("{KEY_MARK}{number}");
    Key::new(bytes.as_bytes()).unwrap_or_else(|_| unreachable!("it is neither empty nor long"))
}

/// The bytes of a value.
pub(crate) fn bytes_of(value: Value, key: u32) -> Bytes {
    value.encode(key, VALUE_LEN).into()
}

/// One client with what it remembers.
pub(crate) struct Caller {
    number: u32,
    cache: Cache,
    rng: fastrand::Rng,
    shared: Arc<Shared>,
    events: Vec<Event>,
}

impl Caller {
    fn new(number: u32, cache: Cache, rng: fastrand::Rng, shared: Arc<Shared>) -> Self {
        Self { number, cache, rng, shared, events: Vec::new() }
    }

    fn now(&self) -> Duration {
        self.shared.chronicle.now()
    }

    fn is_over(&self) -> bool {
        self.shared.is_over.load(Ordering::Relaxed)
    }

    /// Notes what came of a call on some keys, each with what it did there.
    fn note(
        &mut self,
        asked: Duration,
        succeeded: bool,
        acts: impl IntoIterator<Item = (u32, Act)>,
    ) {
        let answered = self.now();
        self.shared.calls.fetch_add(1, Ordering::Relaxed);
        if succeeded {
            if let Some(served) = self.shared.served.get(self.number as usize) {
                served.fetch_max(asked.as_micros() as u64, Ordering::Relaxed);
            }
        } else {
            self.shared.failed.fetch_add(1, Ordering::Relaxed);
        }
        let (client, one_in) = (self.number, self.shared.pace.one_in);
        for (key, act) in acts {
            if key % one_in == 0 || matches!(act, Act::Clear(_)) {
                self.events.push(Event { client, key, asked, answered, act });
            }
        }
    }
}

/// What came of a change of one entry.
fn outcome<T>(result: &Result<T, Error>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(error) if error.is_outcome_unknown() => Outcome::Unknown,
        Err(_) => Outcome::Refused,
    }
}

/// What came of a change of many entries: one that failed may have been made in part.
fn outcome_of_many<T>(result: &Result<T, Error>) -> Outcome {
    if result.is_ok() { Outcome::Done } else { Outcome::Unknown }
}
