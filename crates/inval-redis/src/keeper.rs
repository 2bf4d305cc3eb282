//! The manager of one partition: does the I/O of its engine.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use inval_core::engine::{BookedEntry, Engine, EngineSettings, Reply, Request, RoundTrip, Work};
use inval_core::keyspace::Keyspace;
use inval_core::{
    Budget, ChangeError, Config, Key, Removal, RemovalListener, Slice, Standing, Timestamp, Weight,
};

use crate::connect::{Client, Cursor, Repeat};
use crate::error::Error;
use crate::pass::{Fetched, Member};
use crate::wire;

/// When to ask again whose turn it is to make its books.
const TURN_POLL: Duration = Duration::from_millis(500);

/// An engine, and the way to its server.
pub(crate) struct Keeper {
    engine: Engine,
    /// What the engine keeps to.
    limits: Config,
    holder: String,
    origin: Instant,
    scan: Scan,
    is_sent: bool,
    /// What was done since a slice was last told of.
    done: Done,
}

impl Keeper {
    pub(crate) fn new(limits: &Config, settings: EngineSettings) -> Self {
        Self {
            engine: Engine::new(limits, settings),
            limits: *limits,
            holder: unique_name(),
            origin: Instant::now(),
            scan: Scan::default(),
            is_sent: false,
            done: Done::default(),
        }
    }

    /// Keeps to these limits from now on, if it has not kept to them before.
    pub(crate) fn keep_to(&mut self, limits: &Config) -> Result<(), ChangeError> {
        if self.limits != *limits {
            self.engine.reconfigure(limits)?;
            self.limits = *limits;
        }
        Ok(())
    }

    /// Collects from now on what leaves the books, for [`tell_removals`](Self::tell_removals).
    pub(crate) fn collect_removals(&mut self) {
        self.engine.collect_removals();
    }

    /// Tells `listener` what has left the books since this was last called.
    pub(crate) fn tell_removals(&mut self, listener: &RemovalListener) {
        for removed in self.engine.take_removals() {
            let (weight, cause) = (removed.weight, removed.cause);
            listener(&Removal { key: &removed.key, weight, cause });
        }
    }

    /// Records known to wait in the journal.
    pub(crate) fn backlog(&self) -> u64 {
        self.engine.backlog()
    }

    /// What an entry is charged and, where it is known, how long ago it was written; `None` if it is not on the
    /// books, or this keeper does not have them.
    pub(crate) fn booked(&self, key: &Key) -> Option<(Weight, Option<Duration>)> {
        self.engine.booked(key.as_bytes(), self.now())
    }

    /// The number of the books; another one when they were made anew.
    pub(crate) fn books(&self) -> u64 {
        self.engine.books()
    }

    /// A page of the books, and the place of the next; `None` while they are not true. See [`Engine::inventory`].
    pub(crate) fn inventory(
        &self,
        from: u32,
        most: u32,
    ) -> Option<(Vec<BookedEntry>, Option<u32>)> {
        self.engine.inventory(from, most, self.now())
    }

    /// Works until there is nothing to do now, or `budget` is used up. After an error the engine goes
    /// on where it was with the next call.
    pub(crate) async fn work(
        &mut self,
        client: &Client,
        names: &Keyspace,
        budget: Budget,
    ) -> Result<Slice, Error> {
        // A call that was dropped half-way left a request whose fate is unknown.
        if std::mem::take(&mut self.is_sent) {
            self.answer(Reply::Failed, self.now());
        }
        if budget.is_urgent {
            self.engine.wake();
        }
        // Whoever takes the lease makes the books. One that leaves does neither.
        let before = self.engine.standing();
        let is_to_begin = before == Standing::Vacant && self.engine.next_timeout().is_some();
        if is_to_begin && !client.turns().take(&self.holder) {
            return Ok(Slice { next: TURN_POLL, ..self.slice() });
        }
        let slice = self.work_on(client, names, budget).await;
        match self.engine.standing() {
            Standing::Rebuilding => _ = client.turns().take(&self.holder),
            // One whose books were true before had none.
            _ if before == Standing::Steady => {}
            Standing::Vacant | Standing::Steady => client.turns().give_back(&self.holder),
        }
        slice
    }

    async fn work_on(
        &mut self,
        client: &Client,
        names: &Keyspace,
        budget: Budget,
    ) -> Result<Slice, Error> {
        let (began, before) = (Instant::now(), self.done.entries());
        loop {
            let sent = self.now();
            let is_rebuilding = self.engine.standing() == Standing::Rebuilding;
            let Some(request) = self.engine.poll(sent) else { break };
            self.is_sent = true;
            let scan = &mut self.scan;
            let mut line = Line { client, names, holder: &self.holder, is_rebuilding, scan };
            let asked = Instant::now();
            let reply = line.perform(request).await;
            self.is_sent = false;
            match reply {
                Ok(reply) => {
                    let took = asked.elapsed();
                    self.answer(reply, sent);
                    self.done.add_trip(self.engine.take_work(), took);
                }
                Err(error) => {
                    self.answer(Reply::Failed, sent);
                    return Err(error);
                }
            }
            let is_used_up = self.done.entries() - before >= budget.entries;
            if is_used_up || began.elapsed() >= budget.time {
                break;
            }
        }
        Ok(self.slice())
    }

    /// Gives the lease up and reports as [`work`](Self::work) does.
    pub(crate) async fn leave(
        &mut self,
        client: &Client,
        names: &Keyspace,
    ) -> Result<Slice, Error> {
        self.engine.leave();
        self.work(client, names, Budget::within(Duration::from_secs(1))).await
    }

    fn answer(&mut self, reply: Reply, sent: Timestamp) {
        let received = self.now();
        self.engine.handle(reply, RoundTrip { sent, received });
    }

    fn slice(&mut self) -> Slice {
        self.done.add(self.engine.take_work());
        let done = std::mem::take(&mut self.done);
        let next = self.engine.next_timeout().map_or(Duration::MAX, |at| {
            Duration::from_millis(at.as_millis().saturating_sub(self.now().as_millis()))
        });
        Slice {
            standing: self.engine.standing(),
            backlog: self.engine.backlog(),
            excess: self.engine.usage().1,
            latency: done.waited.checked_div(done.trips),
            clock_offset_us: self.clock_offset_us(),
            rebuilt: self.engine.rebuilt(),
            next,
            ..done.slice
        }
    }

    /// How far the server's clock is ahead of the wall clock here. Of the server's the engine knows how far it is
    /// ahead of what has passed since `origin`; when that was is asked anew, should somebody have set the clock.
    fn clock_offset_us(&self) -> Option<i64> {
        let passed = self.origin.elapsed();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let origin_us = i64::try_from(now.checked_sub(passed)?.as_micros()).ok()?;
        self.engine.clock().offset_us()?.checked_sub(origin_us)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.origin.elapsed().as_millis() as u64)
    }
}

/// What a slice will tell of.
#[derive(Default)]
struct Done {
    slice: Slice,
    /// Requests that were answered, and how long they waited in all for what the server did not do for them.
    trips: u32,
    waited: Duration,
}

impl Done {
    fn add(&mut self, work: Work) {
        let slice = &mut self.slice;
        slice.records += work.records;
        slice.evicted += work.evicted;
        slice.expired += work.expired;
        slice.spared += work.spared;
        slice.held += Duration::from_micros(work.held_us);
        slice.longest = slice.longest.max(Duration::from_micros(work.longest_us));
        slice.overdue = slice.overdue.max(Duration::from_millis(work.overdue_ms));
    }

    /// Adds what came of a request that was answered after `took`.
    fn add_trip(&mut self, work: Work, took: Duration) {
        self.trips += 1;
        self.waited += took.saturating_sub(Duration::from_micros(work.held_us));
        self.add(work);
    }

    /// Changes booked and entries removed.
    fn entries(&self) -> u64 {
        let Slice { records, evicted, expired, .. } = self.slice;
        records + evicted + expired
    }
}

/// 128 random bits: no other process has the same name.
fn unique_name() -> String {
    let random = || RandomState::new().hash_one(std::process::id());
    format!("{:016x}{:016x}", random(), random())
}

/// How a keeper reaches its server.
struct Line<'a> {
    client: &'a Client,
    names: &'a Keyspace,
    holder: &'a str,
    is_rebuilding: bool,
    scan: &'a mut Scan,
}

/// Where the scan under way goes on.
enum Scan {
    /// At a page of its own.
    Own(Cursor),
    /// Together with others.
    Shared(Arc<Member>),
}

impl Default for Scan {
    fn default() -> Self {
        Self::Own(Cursor::START)
    }
}

impl Line<'_> {
    async fn perform(&mut self, request: &Request) -> Result<Reply, Error> {
        let Self { client, names, holder, .. } = *self;
        match request {
            Request::Acquire { lease, above } => {
                let call = wire::acquire(names, holder, *lease, *above);
                wire::acquired(client.pipeline(&call, Repeat::Safe).await?)
            }
            Request::Step(step) => {
                let call = wire::step(names, holder, step);
                let replies = client.pipeline(&call, Repeat::Safe).await?;
                wire::stepped(step, replies).map(Reply::Stepped)
            }
            Request::Scan { cursor, count } => {
                if *cursor == 0 {
                    *self.scan = self.begin_scan().await;
                }
                self.scan(*count).await
            }
        }
    }

    /// In a Cluster each slot may move by itself while the scan of a server goes on, so each scans for itself there.
    async fn begin_scan(&self) -> Scan {
        let client = self.client;
        if self.is_rebuilding && client.is_of_one_server() && client.turns().are_many() {
            Scan::Shared(client.passes().join(self.names).await)
        } else {
            Scan::default()
        }
    }

    /// Where the keys have moved to another server meanwhile, the scan begins again there: what
    /// comes twice does no harm.
    async fn scan(&mut self, count: u32) -> Result<Reply, Error> {
        let names = self.names;
        let key = names.accounts().as_bytes();
        let (found, is_last) = match self.scan {
            Scan::Own(cursor) => {
                let from = std::mem::replace(cursor, Cursor::START);
                let pattern = [names.entries().as_bytes(), b"*"].concat();
                let page = self.client.scan(key, from, &pattern, count).await?;
                *cursor = page.next.unwrap_or(Cursor::START);
                (page.names, page.next.is_none())
            }
            Scan::Shared(member) => {
                match self.client.passes().fetch(member, self.client, key, count).await? {
                    Fetched::More(found) => (found, false),
                    Fetched::Last(found) => (found, true),
                    Fetched::TooMany => {
                        *self.scan = Scan::default();
                        (Vec::new(), false)
                    }
                }
            }
        };
        let keys = found.iter().filter_map(|name| names.key_of(name)).map(Box::from);
        Ok(Reply::Scanned { cursor: u64::from(!is_last), keys: keys.collect() })
    }
}
