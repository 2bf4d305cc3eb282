//! The engine of a partition on a remote store: it keeps the books and decides; somebody else does the I/O.
//!
//! Ask [`Engine::poll`] what to send, send it, give the answer to [`Engine::handle`], and be back at
//! [`Engine::next_timeout`]. There is never more than one request under way. Calling any of them too
//! early, or too often, is harmless.

mod protocol;
mod settings;
mod accounts;
mod batch;
mod pace;
mod compose;
mod settle;
mod journal;
mod findings;
mod marks;
mod doubts;
mod apply;
mod rebuild;
mod scrub;
mod lateness;
mod removals;
mod inventory;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::clock::ServerClock;
use crate::config::{ChangeError, Config};
use crate::ledger::{Inconsistency, Ledger, Removed};
use crate::stats::{Stats, Usage};
pub use crate::store::Standing;
use crate::units::{Timestamp, Weight};
pub use accounts::Accounts;
use accounts::Carried;
use batch::Batch;
use doubts::Doubts;
use findings::Finding;
pub use inventory::BookedEntry;
use journal::Journal;
use lateness::Excess;
pub use protocol::{
    Candidate, Look, Reply, Request, RoundTrip, Step, StepOutcome, StepReply, Verdict,
};
use rebuild::Rebuild;
use scrub::Scrub;
pub use settings::EngineSettings;

/// The scrub, and what is due, wait while as many keys wait to be looked at.
const MOST_LOOKS: usize = 256;

/// The share of a rebuild that is done at the most while it goes on.
const MOST_REBUILT: f64 = 0.99;

/// The engine of one partition. Deterministic: the same calls give the same decisions.
pub struct Engine {
    config: Config,
    settings: EngineSettings,
    hasher: FixedState,
    /// Each value is the entry's mark: what [`Candidate::known`] is made of.
    ledger: Ledger<Box<[u8]>, u32>,
    /// How often the books were given up.
    books: u64,
    clock: ServerClock,
    phase: Phase,
    lease: Lease,
    journal: Journal,
    pending: Option<Pending>,
    /// Keys that wait to be looked at, and why.
    looks: VecDeque<(Box<[u8]>, Reason)>,
    /// What was found on the server, in order, until the journal has told all that was known then.
    findings: VecDeque<Finding>,
    /// What we have unlinked, and where the journal ended then, until it has been read up to there.
    unlinked: HashMap<Box<[u8]>, u64, FixedState>,
    scrub: Scrub,
    batch: Batch,
    /// The same for keys that are only counted: those that have expired are deleted on the way.
    counts: Batch,
    carried: Carried,
    /// What is known of the accounts on the server.
    written: Vec<Option<u64>>,
    /// Local time now.
    now: Timestamp,
    /// When the next step is due, on the local clock.
    due: Timestamp,
    interval: Duration,
    is_leaving: bool,
    /// Whether the server tells LFU counters instead of idle times.
    has_lfu: bool,
    doubts: Doubts,
    /// The number of the last step known to be done.
    steps: u64,
    /// How long entries had not been accessed when they were evicted, in milliseconds: a moving mean.
    idle_at_eviction: u64,
    excess: Option<Excess>,
    /// What left the books, while somebody wants to know.
    removals: Option<Vec<Removed<Box<[u8]>, u32>>>,
    work: Work,
}

/// What an engine has done since it was last asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Work {
    /// Requests answered.
    pub requests: u64,
    /// Records worked off.
    pub records: u64,
    /// Entries evicted.
    pub evicted: u64,
    /// Entries found to have expired.
    pub expired: u64,
    /// Victims that had been accessed since, and stayed.
    pub spared: u64,
    /// How long scripts and counts held the server, in microseconds.
    pub held_us: u64,
    /// The longest of the scripts.
    pub longest_us: u64,
    /// How long ago the time of that entry passed which waited longest to be looked after, or for how long
    /// something above the limits has been there, if that is more; in milliseconds.
    pub overdue_ms: u64,
}

#[derive(Debug)]
enum Phase {
    Vacant,
    Rebuilding(Rebuild),
    Steady,
}

/// The lease as far as is known.
#[derive(Debug, Default)]
struct Lease {
    token: u64,
    /// When it has to be renewed, on the local clock.
    renew_at: Timestamp,
    /// Whether the books were true when it was last held.
    was_steady: bool,
    /// Whether it is still held, and only the books have to be made anew.
    is_kept: bool,
}

/// Why a key is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reason {
    /// A record said so.
    Told,
    /// Its time has passed.
    Due,
    /// The books are being rebuilt.
    Rebuild,
    /// The scrub came by.
    Scrub,
}

/// A request under way, with what is needed to understand the answer.
struct Pending {
    request: Request,
    held: Vec<crate::ledger::Held>,
    reasons: Vec<Reason>,
    groups: Vec<Group>,
    /// The accounts as they are on the server when it is done; empty if it writes none.
    accounts: Vec<Option<u64>>,
    /// Whether it has been sent before with unknown fate.
    is_repeated: bool,
}

/// Why a group of keys is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Group {
    /// They should be gone.
    Due,
    /// They should be there.
    Scrub,
}

impl Engine {
    /// An engine for one partition that keeps to the limits and the strategy of `config`.
    pub fn new(config: &Config, settings: EngineSettings) -> Self {
        let config = config.of_books(settings.headroom);
        Self {
            ledger: Ledger::new(&config),
            books: 0,
            hasher: FixedState::with_seed(config.seed()),
            settings,
            clock: ServerClock::new(),
            phase: Phase::Vacant,
            lease: Lease::default(),
            journal: Journal::default(),
            pending: None,
            looks: VecDeque::new(),
            findings: VecDeque::new(),
            unlinked: HashMap::with_hasher(FixedState::with_seed(config.seed())),
            scrub: Scrub::default(),
            batch: Batch::new(settings.script_budget),
            counts: Batch::new(settings.script_budget),
            carried: Carried::default(),
            written: Vec::new(),
            now: Timestamp::default(),
            due: Timestamp::default(),
            interval: settings.drain_interval,
            is_leaving: false,
            has_lfu: false,
            doubts: Doubts::new(config.seed()),
            steps: 0,
            idle_at_eviction: 0,
            excess: None,
            removals: None,
            work: Work::default(),
            config,
        }
    }

    /// Keeps to the limits of `config` from now on, whose strategy must be the one there is. What is above a
    /// lowered limit goes step by step.
    pub fn reconfigure(&mut self, config: &Config) -> Result<(), ChangeError> {
        let config = self.config.changed_to(&config.of_books(self.settings.headroom))?;
        self.ledger.reconfigure(&config)?;
        self.config = config;
        self.note_excess();
        self.wake();
        Ok(())
    }

    /// What to send now, if anything. The same request is returned until it is answered by
    /// [`handle`](Self::handle). A `now` before an earlier one counts as that one.
    pub fn poll(&mut self, now: Timestamp) -> Option<&Request> {
        self.now = self.now.max(now);
        if self.now < self.due {
            return None;
        }
        if self.pending.is_none() {
            self.pending = self.next_request();
        }
        self.pending.as_ref().map(|pending| &pending.request)
    }

    /// When to call [`poll`](Self::poll) again, on the caller's clock; `None` once the engine has left.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let has_left = self.is_leaving && matches!(self.phase, Phase::Vacant);
        (!has_left).then_some(self.due)
    }

    /// Takes the answer to the request that [`poll`](Self::poll) returned last.
    pub fn handle(&mut self, reply: Reply, trip: RoundTrip) {
        self.now = self.now.max(trip.received);
        let Some(mut pending) = self.pending.take() else { return };
        self.work.requests += 1;
        match (&pending.request, reply) {
            (Request::Acquire { .. }, Reply::Granted { token, accounts }) => {
                self.take_over(token, &accounts, trip);
            }
            (Request::Acquire { .. }, Reply::Taken { remaining }) => self.wait_for_lease(remaining),
            (Request::Step(step), Reply::Stepped(reply)) if reply.fits(step) => {
                self.settle(pending, reply, trip);
            }
            (Request::Scan { .. }, Reply::Scanned { cursor, keys }) => self.scanned(cursor, keys),
            _ => {
                pending.is_repeated = true;
                self.pending = Some(pending);
                self.due = self.now.saturating_add(self.settings.retry_interval);
                return;
            }
        }
        self.plan();
    }

    /// Asks for a step soon: somebody knows that there is work.
    pub fn wake(&mut self) {
        self.interval = self.settings.drain_interval;
        if matches!(self.phase, Phase::Steady) && self.pending.is_none() {
            self.due = self.due.min(self.now);
        }
    }

    /// Gives up the lease with the next step, after which there is nothing more to do.
    pub fn leave(&mut self) {
        self.is_leaving = true;
        if self.pending.is_none() {
            self.due = self.now;
        }
    }

    /// How far it has got.
    pub fn standing(&self) -> Standing {
        match self.phase {
            Phase::Vacant => Standing::Vacant,
            Phase::Rebuilding(_) => Standing::Rebuilding,
            Phase::Steady => Standing::Steady,
        }
    }

    /// About what share of a rebuild is done, from 0 to 1: of the entries that there were by the accounts, how many
    /// are on the books. `None` but while rebuilding, and where the accounts knew of none.
    pub fn rebuilt(&self) -> Option<f64> {
        let known = Some(self.carried.stats().usage.entries).filter(|known| *known > 0)?;
        let share = self.ledger.usage().entries as f64 / known as f64;
        // What there is beyond what was known has still to be looked at.
        matches!(self.phase, Phase::Rebuilding(_)).then(|| share.min(MOST_REBUILT))
    }

    /// Records known to wait in the journal.
    pub fn backlog(&self) -> u64 {
        self.journal.backlog
    }

    /// Everything counted so far, by earlier managers as well. While books are rebuilt it stands still.
    pub fn stats(&self) -> Stats {
        match self.phase {
            Phase::Rebuilding(_) => self.carried.stats().clone(),
            Phase::Vacant | Phase::Steady => self.carried.total(&self.ledger.stats()),
        }
    }

    /// What is on the books, and how much of it is above the limits.
    pub fn usage(&self) -> (Usage, Usage) {
        (self.ledger.usage(), self.ledger.excess())
    }

    /// What the entry under `key` is charged and, where it is known, how long before `now` on the caller's clock it
    /// was written. `None` if it is not on the books, or these are not true.
    pub fn booked(&self, key: &[u8], now: Timestamp) -> Option<(Weight, Option<Duration>)> {
        if !self.is_steady() {
            return None;
        }
        let server_now = self.clock.now(self.now.max(now)).unwrap_or_default();
        let id = self.ledger.locate(self.hash(key), key)?;
        Some((Weight::new(self.ledger.weight(id)), self.ledger.age(id, server_now)))
    }

    /// The estimate of the server's clock.
    pub fn clock(&self) -> &ServerClock {
        &self.clock
    }

    /// What was done since this was last asked.
    pub fn take_work(&mut self) -> Work {
        self.note_overdue();
        std::mem::take(&mut self.work)
    }

    /// Recounts the books; for tests and diagnosis.
    pub fn validate(&self) -> Result<(), Inconsistency> {
        self.ledger.validate_books()
    }

    /// The keys on the books with their weights, in no order; for tests and diagnosis.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], u32)> {
        let (ids, _) = self.ledger.ids_from(0, u32::MAX);
        ids.into_iter().map(|id| (&**self.ledger.key(id), self.ledger.weight(id)))
    }

    fn next_request(&mut self) -> Option<Pending> {
        if self.is_leaving && matches!(self.phase, Phase::Vacant) {
            return None;
        }
        let request = match &mut self.phase {
            Phase::Vacant => {
                Request::Acquire { lease: self.settings.lease, above: self.lease.token }
            }
            // Pages may be empty for long, and only steps renew the lease.
            _ if self.is_leaving || self.now >= self.lease.renew_at => return Some(self.compose()),
            Phase::Rebuilding(rebuild) => match rebuild.next_page() {
                Some(cursor) if self.looks.is_empty() => self.page(cursor),
                _ => return Some(self.compose()),
            },
            Phase::Steady => match self.scrub.next_page(self.now) {
                Some(cursor) if self.looks.len() < MOST_LOOKS => self.page(cursor),
                _ => return Some(self.compose()),
            },
        };
        Some(Pending::of(request))
    }

    fn is_steady(&self) -> bool {
        matches!(self.phase, Phase::Steady)
    }

    fn page(&self, cursor: u64) -> Request {
        Request::Scan { cursor, count: self.settings.scan_count }
    }

    fn wait_for_lease(&mut self, remaining: Duration) {
        let longest = self.settings.lease / 2;
        self.due = self.now.saturating_add(remaining.min(longest).max(Duration::from_millis(1)));
    }

    /// Takes over, or goes on where nobody was in between.
    fn take_over(&mut self, token: u64, fields: &[(String, u64)], trip: RoundTrip) {
        let accounts = Accounts::from_fields(fields.iter().map(|(f, v)| (f.as_str(), *v)));
        let generation = accounts.stats.dropped_journals;
        let is_next = self.lease.token.checked_add(1) == Some(token);
        let was_alone = is_next && self.lease.was_steady && accounts.steps == self.steps;
        let keeps_count = std::mem::take(&mut self.lease.is_kept) && is_next;
        (self.lease.token, self.steps) = (token, accounts.steps);
        self.written = accounts::known(&accounts);
        self.renewed(trip);
        if was_alone && self.journal.accepts(generation, accounts.drained) {
            self.phase = Phase::Steady;
            return;
        }
        if !keeps_count {
            self.carried = Carried::from_accounts(&accounts);
            // One that was killed or lost its lease may have known more of accesses than the server tells.
            let is_in_order = token <= 1 || accounts.left.checked_add(1) == Some(token);
            if !is_in_order {
                self.doubts.mistrust_rebuild();
            }
        }
        self.carried.note_generation(generation);
        self.rebuild(generation, accounts.drained);
    }

    fn renewed(&mut self, trip: RoundTrip) {
        self.lease.renew_at = trip.sent.saturating_add(self.settings.lease / 3);
    }

    /// Goes back to asking for the lease. `are_books_true` says whether they are worth keeping.
    fn lose_lease(&mut self, are_books_true: bool) {
        self.excess = None;
        self.lease.was_steady = are_books_true && matches!(self.phase, Phase::Steady);
        if !self.lease.was_steady {
            self.forget_books();
        }
        self.phase = Phase::Vacant;
        self.due = self.now;
    }

    /// The journal or the accounts are not what we thought: the books have to be made anew from what
    /// the server says now, but what was counted counts.
    fn start_over(&mut self) {
        if matches!(self.phase, Phase::Steady) {
            self.carried.go_on_from(&self.ledger.stats());
        }
        self.lose_lease(false);
        self.lease.is_kept = true;
    }

    fn hash(&self, key: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.hasher.build_hasher();
        hasher.write(key);
        hasher.finish()
    }

    /// The server's time by the best estimate.
    fn server_now(&self) -> Timestamp {
        self.clock.now(self.now).unwrap_or_default()
    }
}

impl Pending {
    fn of(request: Request) -> Self {
        Self {
            request,
            held: Vec::new(),
            reasons: Vec::new(),
            groups: Vec::new(),
            accounts: Vec::new(),
            is_repeated: false,
        }
    }
}

/// Without keys, which may be personal.
impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("standing", &self.standing())
            .field("usage", &self.ledger.usage())
            .field("backlog", &self.journal.backlog)
            .finish_non_exhaustive()
    }
}
