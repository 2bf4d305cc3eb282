//! Which partition gets the next slice, and when. Pure: no I/O, no clock, no tasks.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use inval_core::pacing::{Governor, Pacer, PacingSettings, Plan};
use inval_core::{Budget, Histogram, Slice, Standing, Timestamp, Usage};

use crate::events::Cause;
use crate::health::{Failure, Load, PartitionHealth, Totals};

/// A partition of a namespace: the number that the manager gave to the namespace, and the partition's own.
pub(crate) type SlotId = (u64, u32);

type Queue = BTreeSet<(Timestamp, SlotId)>;

/// What to do now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// Start a slice, and tell of its end by [`Schedule::done`].
    Start(SlotId, Budget),
    /// Ask again at this time, or when something has changed.
    At(Timestamp),
    /// Ask again when something has changed.
    Idle,
}

/// What became of a partition with a slice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Change {
    /// It failed and had not failed before.
    pub(crate) has_begun_to_fail: bool,
    /// It works again.
    pub(crate) has_recovered: bool,
    /// It has got further, or lost what it had.
    pub(crate) standing: Option<Standing>,
}

/// All partitions, each with its pacer, and the governor of the server they share. Of those that may start, the
/// one goes first that has been due for longest, so that none starves; but every second slice goes to one that is known
/// to have urgent work, so that this does not wait for all who only come to see whether they have some.
pub(crate) struct Schedule {
    governor: Governor,
    slice_time: Duration,
    /// How long slices held the server, in microseconds, and how many entries they were about.
    held: Histogram,
    entries: Histogram,
    slots: BTreeMap<SlotId, Slot>,
    /// Those that wait, by when they are due: urgent ones apart, for they may start where others may not yet, and of these
    /// those with work.
    pressed: Queue,
    urgent: Queue,
    calm: Queue,
    /// The calm ones again, by when they become urgent.
    turning: Queue,
    /// Whether the last slice went to one with urgent work.
    was_pressed: bool,
}

struct Slot {
    pacer: Pacer,
    /// When the slice under way was started, and by what plan.
    began: Timestamp,
    plan: Plan,
    due: Timestamp,
    urgent_at: Timestamp,
    is_running: bool,
    is_paused: bool,
    /// Whether somebody has asked for a slice.
    is_woken: bool,
    /// Whether somebody waits until there is nothing left to do.
    is_forced: bool,
    last: Slice,
    failure: Option<FailedSince>,
    totals: Totals,
}

struct FailedSince {
    cause: Cause,
    since: Timestamp,
    attempts: u64,
}

impl Schedule {
    pub(crate) fn new(pacing: &PacingSettings, slice_time: Duration) -> Self {
        Self {
            governor: Governor::new(*pacing),
            slice_time,
            held: Histogram::default(),
            entries: Histogram::default(),
            slots: BTreeMap::new(),
            pressed: Queue::new(),
            urgent: Queue::new(),
            calm: Queue::new(),
            turning: Queue::new(),
            was_pressed: false,
        }
    }

    /// Takes a partition in, due at once.
    pub(crate) fn add(&mut self, id: SlotId, pacing: &PacingSettings, now: Timestamp) {
        self.slots.insert(id, Slot::new(id, pacing, now));
        self.change(id, now, |slot| slot.ask_pacer(now));
    }

    /// Forgets all partitions of a namespace. What is told of them later is ignored.
    pub(crate) fn remove(&mut self, namespace: u64) {
        for id in self.ids(namespace) {
            self.dequeue(id);
            self.slots.remove(&id);
        }
    }

    /// Starts no more slices of a namespace, unless somebody asks for them.
    pub(crate) fn pause(&mut self, namespace: u64, now: Timestamp) {
        self.ids(namespace)
            .into_iter()
            .for_each(|id| self.change(id, now, |slot| slot.is_paused = true));
    }

    /// Goes on with a namespace at once.
    pub(crate) fn resume(&mut self, namespace: u64, now: Timestamp) {
        for id in self.ids(namespace) {
            self.change(id, now, |slot| {
                slot.is_paused = false;
                slot.wake(now);
            });
        }
    }

    /// Makes a partition due at once: there is work, or soon will be.
    pub(crate) fn wake(&mut self, id: SlotId, now: Timestamp) {
        self.change(id, now, |slot| slot.wake(now));
    }

    /// Makes a partition due whenever the store has something to tell, until [`relax`](Self::relax).
    pub(crate) fn force(&mut self, id: SlotId, now: Timestamp) {
        self.change(id, now, |slot| {
            slot.is_forced = true;
            slot.wake(now);
        });
    }

    /// Goes back to what the pacer says.
    pub(crate) fn relax(&mut self, id: SlotId, now: Timestamp) {
        self.change(id, now, |slot| slot.is_forced = false);
    }

    /// What to do now. Each [`Next::Start`] must be followed by a [`done`](Self::done).
    pub(crate) fn next(&mut self, now: Timestamp) -> Next {
        while let Some(&(at, id)) = self.turning.first()
            && at <= now
        {
            self.change(id, now, |_| {});
        }
        let queues = [&self.pressed, &self.urgent, &self.calm];
        let starts = queues.into_iter().zip([Duration::ZERO, Duration::ZERO, Duration::MAX]);
        let mut starts = starts.map(|(queue, urgent_in)| {
            let &(due, id) = queue.first()?;
            let wait =
                self.governor.wait(now, &Plan { delay: Duration::ZERO, batch: 0, urgent_in });
            Some((due.max(now.saturating_add(wait)), due, id))
        });
        let pressed = starts.next().flatten();
        let first = pressed.filter(|(at, ..)| *at <= now && !self.was_pressed);
        match first.or_else(|| starts.chain([pressed]).flatten().min()) {
            Some((at, _, id)) if at <= now => self.start(id, now),
            Some((at, ..)) => {
                let turns = self.turning.first().map_or(at, |&(turns, _)| turns);
                Next::At(at.min(turns))
            }
            None => Next::Idle,
        }
    }

    /// A slice has ended.
    pub(crate) fn done(
        &mut self,
        id: SlotId,
        result: Result<Slice, Cause>,
        now: Timestamp,
    ) -> Change {
        let Some(slot) = self.slots.get_mut(&id) else { return Change::default() };
        slot.is_running = false;
        let change = match result {
            Ok(slice) => {
                self.governor.charge(slot.began, now, &slot.plan, &slice);
                self.held.record(slice.held.as_micros() as u64);
                self.entries.record(slice.records + slice.evicted + slice.expired);
                slot.succeeded(slice, now)
            }
            Err(cause) => slot.failed(cause, now),
        };
        self.enqueue(id, now);
        change
    }

    /// Whether a slice of this namespace is under way.
    pub(crate) fn is_running(&self, namespace: u64) -> bool {
        self.slots.range(all_of(namespace)).any(|(_, slot)| slot.is_running)
    }

    /// How the partitions of a namespace are getting on, in their order.
    pub(crate) fn health(&self, namespace: u64, now: Timestamp) -> Vec<PartitionHealth> {
        self.slots.range(all_of(namespace)).map(|(_, slot)| slot.health(now)).collect()
    }

    /// What upkeep takes of the server.
    pub(crate) fn load(&self, now: Timestamp) -> Load {
        Load {
            duty_cycle: self.governor.duty_cycle(now),
            granted: self.governor.granted(),
            slice_held: self.held.clone(),
            slice_entries: self.entries.clone(),
        }
    }

    /// What is left to do for a namespace, as far as is known: changes not booked, and what is above the limits.
    pub(crate) fn left(&self, namespace: u64) -> (u64, Usage) {
        let slots = self.slots.range(all_of(namespace));
        slots.fold((0, Usage::default()), |(backlog, mut excess), (_, slot)| {
            excess += slot.last.excess;
            (backlog + slot.last.backlog, excess)
        })
    }

    fn start(&mut self, id: SlotId, now: Timestamp) -> Next {
        self.dequeue(id);
        let Some(slot) = self.slots.get_mut(&id) else { return Next::Idle };
        slot.is_running = true;
        self.was_pressed = slot.has_work();
        (slot.began, slot.plan) = (now, slot.pacer.plan(now));
        let is_urgent = std::mem::take(&mut slot.is_woken) || slot.is_forced;
        if slot.is_forced {
            slot.plan.urgent_in = Duration::ZERO;
        }
        let entries = self.governor.batch(&slot.plan);
        let budget = Budget { time: self.slice_time, entries, is_urgent };
        Next::Start(id, budget)
    }

    fn ids(&self, namespace: u64) -> Vec<SlotId> {
        self.slots.range(all_of(namespace)).map(|(id, _)| *id).collect()
    }

    fn change(&mut self, id: SlotId, now: Timestamp, change: impl FnOnce(&mut Slot)) {
        self.dequeue(id);
        if let Some(slot) = self.slots.get_mut(&id) {
            change(slot);
        }
        self.enqueue(id, now);
    }

    fn enqueue(&mut self, id: SlotId, now: Timestamp) {
        let Some(slot) = self.slots.get(&id).filter(|slot| slot.is_waiting()) else { return };
        if slot.is_forced || slot.urgent_at <= now {
            let queue = if slot.has_work() { &mut self.pressed } else { &mut self.urgent };
            queue.insert((slot.due, id));
        } else {
            self.calm.insert((slot.due, id));
            self.turning.insert((slot.urgent_at, id));
        }
    }

    fn dequeue(&mut self, id: SlotId) {
        let Some(slot) = self.slots.get(&id) else { return };
        self.pressed.remove(&(slot.due, id));
        self.urgent.remove(&(slot.due, id));
        self.calm.remove(&(slot.due, id));
        self.turning.remove(&(slot.urgent_at, id));
    }
}

impl Slot {
    fn new(id: SlotId, pacing: &PacingSettings, now: Timestamp) -> Self {
        let mut pacer = Pacer::new(*pacing, id.0 << 16 | u64::from(id.1));
        Self {
            began: now,
            plan: pacer.plan(now),
            pacer,
            due: now,
            urgent_at: now,
            is_running: false,
            is_paused: false,
            is_woken: false,
            is_forced: false,
            last: Slice { standing: Standing::Vacant, ..Slice::default() },
            failure: None,
            totals: Totals::default(),
        }
    }

    fn is_waiting(&self) -> bool {
        !self.is_running && (!self.is_paused || self.is_forced)
    }

    /// Whether more is known than that it is due.
    fn has_work(&self) -> bool {
        let Slice { standing, backlog, excess, .. } = self.last;
        let is_behind =
            standing == Standing::Rebuilding || backlog > 0 || excess != Usage::default();
        self.is_forced || self.is_woken || is_behind
    }

    fn wake(&mut self, now: Timestamp) {
        self.is_woken = true;
        self.pacer.wake(now);
        self.ask_pacer(now);
    }

    fn ask_pacer(&mut self, now: Timestamp) {
        let Plan { delay, urgent_in, .. } = self.pacer.plan(now);
        // Forced, it goes on as soon as the store has something to tell.
        let delay = if self.is_forced { delay.min(self.last.next) } else { delay };
        self.due = now.saturating_add(delay);
        self.urgent_at = now.saturating_add(urgent_in);
    }

    fn succeeded(&mut self, slice: Slice, now: Timestamp) -> Change {
        let standing = (slice.standing != self.last.standing).then_some(slice.standing);
        let lag = self.pacer.lag(now).max(slice.overdue);
        self.totals.worst_lag = self.totals.worst_lag.max(lag);
        self.totals.add(&slice);
        let [held, holds] = [self.last, slice].map(|slice| slice.standing != Standing::Vacant);
        self.totals.leases_taken += u64::from(holds && !held);
        self.totals.leases_lost += u64::from(held && !holds);
        self.pacer.slice_done(now, &slice);
        self.last = slice;
        self.ask_pacer(now);
        let has_recovered = self.failure.take().is_some();
        Change { has_begun_to_fail: false, has_recovered, standing }
    }

    fn failed(&mut self, cause: Cause, now: Timestamp) -> Change {
        self.totals.add_failure(&cause);
        self.pacer.slice_failed(now);
        self.due = now.saturating_add(self.pacer.plan(now).delay);
        let has_begun_to_fail = self.failure.is_none();
        let (since, attempts) =
            self.failure.as_ref().map_or((now, 0), |failure| (failure.since, failure.attempts));
        self.failure = Some(FailedSince { cause, since, attempts: attempts + 1 });
        Change { has_begun_to_fail, ..Change::default() }
    }

    fn health(&self, now: Timestamp) -> PartitionHealth {
        let failure = self.failure.as_ref().map(|FailedSince { cause, since, attempts }| Failure {
            cause: cause.clone(),
            since: Duration::from_millis(now.as_millis().saturating_sub(since.as_millis())),
            attempts: *attempts,
        });
        PartitionHealth {
            standing: self.last.standing,
            failure,
            lag: self.pacer.lag(now),
            backlog: self.last.backlog,
            excess: self.last.excess,
            rebuilt: self.last.rebuilt,
            clock_offset_us: self.last.clock_offset_us,
            totals: self.totals,
        }
    }
}

/// The slots of a namespace.
fn all_of(namespace: u64) -> RangeInclusive<SlotId> {
    (namespace, 0)..=(namespace, u32::MAX)
}
