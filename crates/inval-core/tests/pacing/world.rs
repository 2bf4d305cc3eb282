//! The simulated world: partitions that share a server, and a scheduler that does what the controllers say.

use std::time::Duration;

use inval_core::Timestamp;
use inval_core::pacing::{Governor, Pacer, PacingSettings, Plan};

use super::arrivals::MILLI;
use super::partition::Partition;
use super::server::Server;

/// Time is in nanoseconds; the controllers and the scheduler's timers know milliseconds only.
pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) server: Server,
    pub(crate) governor: Governor,
    pub(crate) parts: Vec<(Pacer, Partition)>,
    /// When each partition is due, in milliseconds.
    due: Vec<u64>,
    pub(crate) slices: Vec<Ran>,
}

/// A slice that was run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ran {
    pub(crate) part: usize,
    /// In nanoseconds.
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) held: u64,
    pub(crate) done: u64,
    pub(crate) failed: bool,
    /// By which it was started, and what was planned after it.
    pub(crate) plan: Plan,
    pub(crate) then: Plan,
}

impl World {
    pub(crate) fn new(settings: PacingSettings, server: Server, parts: Vec<Partition>) -> Self {
        let pacers = (0..).map(|seed| Pacer::new(settings, seed));
        let due = vec![0; parts.len()];
        let parts = pacers.zip(parts).collect();
        let governor = Governor::new(settings);
        Self { now: 0, server, governor, parts, due, slices: Vec::new() }
    }

    fn ms(&self) -> Timestamp {
        Timestamp::from_millis(self.now / MILLI)
    }

    /// Runs slices until the millisecond `ms`: of the partitions that may start the one that is due earliest.
    pub(crate) fn run(&mut self, ms: u64) {
        while self.now < ms * MILLI {
            let now = self.ms();
            let mut first: Option<(u64, usize, Plan)> = None;
            let mut wait = Duration::MAX;
            for (at, (pacer, _)) in self.parts.iter_mut().enumerate() {
                let plan = pacer.plan(now);
                let own = plan.delay.max(self.governor.wait(now, &plan));
                wait = wait.min(own);
                let due = self.due[at];
                if own.is_zero() && first.is_none_or(|(earliest, ..)| due < earliest) {
                    first = Some((due, at, plan));
                }
            }
            match first {
                Some((_, part, plan)) => self.slice(part, plan),
                None => {
                    // A timer rings with the tick after its time.
                    let ticks = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX).div_ceil(MILLI);
                    self.now = (now.as_millis().saturating_add(ticks)).min(ms) * MILLI;
                }
            }
        }
    }

    /// Tells a partition that its writers wait.
    pub(crate) fn wake(&mut self, part: usize) {
        let now = self.ms();
        self.parts[part].0.wake(now);
        self.due[part] = now.as_millis();
    }

    fn slice(&mut self, part: usize, plan: Plan) {
        let begin = self.now;
        let batch = self.governor.batch(&plan);
        let (pacer, partition) = &mut self.parts[part];
        let (end, outcome) = partition.maintain(&mut self.server, begin, batch);
        self.now = end;
        let now = Timestamp::from_millis(end / MILLI);
        let mut ran = Ran { part, begin, end, held: 0, done: 0, failed: true, plan, then: plan };
        match outcome {
            Ok(slice) => {
                ran.held = slice.held.as_nanos() as u64;
                ran.done = slice.expired + slice.records + slice.evicted;
                ran.failed = false;
                let began = Timestamp::from_millis(begin / MILLI);
                self.governor.charge(began, now, &plan, &slice);
                pacer.slice_done(now, &slice);
            }
            Err(()) => pacer.slice_failed(now),
        }
        ran.then = pacer.plan(now);
        let delay = u64::try_from(ran.then.delay.as_nanos()).unwrap_or(u64::MAX);
        self.due[part] = end.saturating_add(delay).div_ceil(MILLI);
        self.slices.push(ran);
    }

    /// How many entries wait, and how long the first has waited.
    pub(crate) fn waiting(&self) -> (u64, u64) {
        let each = self.parts.iter().map(|(_, partition)| partition.waiting(self.now));
        each.fold((0, 0), |(sum, oldest), (count, age)| (sum + count, oldest.max(age)))
    }

    /// The longest that any entry had to wait, in nanoseconds, those that still do included.
    pub(crate) fn worst_lag(&self) -> u64 {
        let worst = self.parts.iter().map(|(_, partition)| partition.worst_lag).max();
        worst.unwrap_or(0).max(self.waiting().1)
    }
}
