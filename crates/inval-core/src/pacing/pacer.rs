//! The need of one partition: when its next slice is due, how large it is, whether it is urgent.

use std::time::Duration;

use super::estimates::{Cost, Flow};
use super::need::{Need, entries_of};
use super::{PacingSettings, Plan, from_seconds};
use crate::store::Slice;
use crate::units::{Random, Timestamp};

/// What is left is to be worked off within the target less its age, but not faster than within this part of the target;
/// what is left and not counted within just this, for it may be far more.
const SHORTEST: u32 = 32;
/// While something is left there are at least so many slices until it is late.
const LEAST_SLICES: u32 = 4;
/// A slice may be late by this part of the longest time that it may be planned to wait, before that is urgent.
const LATENESS: u32 = 4;
/// A slice with nothing known to be left may find so many times what is expected.
const SLACK: f64 = 2.0;
/// The normal share of the server has to suffice for so many times what is left.
const MARGIN: f64 = 2.0;
/// Failures that double the time until the next attempt.
const MOST_DOUBLINGS: u32 = 31;

/// The controller of one partition. Tell it what came of each slice, and ask [`plan`](Self::plan) when the next is
/// due; see `docs/pacing.md` for the formulas.
///
/// - While something is left it asks for the rate at which that is gone when the oldest of it is three quarters of
///   `max_lag` old. Where the store does not count what is left, it guesses eight times more with each slice.
/// - While nothing is left it waits until `least_batch` entries are expected, an eighth of `max_lag` at most; where
///   hardly any come, until the store wants to be called, with pauses that double up to `max_interval`.
/// - After an error it waits, longer with each.
#[derive(Clone, Debug)]
pub struct Pacer {
    settings: PacingSettings,
    random: Random,
    /// When it was last told or asked anything. All that follows counts from then, so that a clock that
    /// was set back costs nothing.
    now: Option<Timestamp>,
    due_in: Duration,
    late: Duration,
    /// How late it may be before that is urgent.
    tolerance: Duration,
    since_slice: Duration,
    /// How much longer than planned the last slice took to be started and done.
    overhead: Duration,
    batch: u64,
    is_woken: bool,
    failures: u32,
    need: Need,
    flow: Flow,
    cost: Cost,
}

impl Pacer {
    /// A partition whose first slice is due at once. The settings should be
    /// [valid](PacingSettings::validate); others are kept to as far as that is possible. Equal seeds make equal jitter.
    pub fn new(settings: PacingSettings, seed: u64) -> Self {
        Self {
            settings,
            random: Random::new(seed),
            now: None,
            due_in: Duration::ZERO,
            late: Duration::ZERO,
            tolerance: settings.target() / LATENESS,
            since_slice: settings.max_interval,
            overhead: Duration::ZERO,
            batch: settings.bounded(0.0),
            is_woken: false,
            failures: 0,
            need: Need::default(),
            flow: Flow::default(),
            cost: Cost::default(),
        }
    }

    /// Learns what came of a slice that ended at `now`.
    pub fn slice_done(&mut self, now: Timestamp, slice: &Slice) {
        self.pass(now);
        let since = std::mem::take(&mut self.since_slice);
        (self.overhead, self.failures, self.is_woken) = (self.late, 0, false);
        let before = self.need.counted();
        self.need.learn(slice, since);
        let done = entries_of(slice);
        self.cost.learn(slice.held, done);
        if self.need.uncounted() == 0 {
            let came = done as f64 + self.need.counted() as f64 - before as f64;
            self.flow.learn(came, self.settings.target() / 2);
        } else {
            self.flow.skip();
        }
        let (rate, delay) = if self.left() > 0 { self.drain() } else { self.gather() };
        let delay = if self.need.is_pressing() { Duration::ZERO } else { delay };
        let delay = delay.min(self.settings.max_interval).max(self.settings.min_interval);
        self.batch = self.settings.bounded(rate * self.interval(delay));
        self.set_due(delay);
    }

    /// Learns that a slice failed: the next is due after `retry_interval`, which doubles with each further failure up
    /// to `longest_retry`; of each such time a random part is cut off, up to half of it. Success resets it.
    pub fn slice_failed(&mut self, now: Timestamp) {
        self.pass(now);
        let doublings = self.failures.min(MOST_DOUBLINGS);
        self.failures = self.failures.saturating_add(1);
        let retry = self.settings.retry_interval.saturating_mul(1 << doublings);
        let longest = retry.min(self.settings.longest_retry);
        let jittered = longest.as_secs_f64() * (1.0 - 0.5 * self.random.next_share());
        self.set_due(from_seconds(jittered));
    }

    /// Learns that there is work that cannot wait, such as writers that do: the next slice is urgent, and due as
    /// soon as `min_interval` has passed since the last one. It does not cut short the wait after an error.
    pub fn wake(&mut self, now: Timestamp) {
        self.pass(now);
        self.is_woken = true;
        if self.failures == 0 {
            let soonest = self.settings.min_interval.saturating_sub(self.since_slice);
            self.due_in = self.due_in.min(soonest);
        }
    }

    /// What is to be done next, as of `now`.
    pub fn plan(&mut self, now: Timestamp) -> Plan {
        self.pass(now);
        Plan { delay: self.due_in, batch: self.batch, urgent_in: self.urgent_in() }
    }

    /// How late upkeep is at `now`: how long the oldest entry of which it knows has been expired or above the limits, or
    /// the oldest change told by clients not booked. Where that is not known exactly, it is the most that it may be.
    pub fn lag(&self, now: Timestamp) -> Duration {
        self.need.lag_after(elapsed(self.now, now))
    }

    fn pass(&mut self, now: Timestamp) {
        let elapsed = elapsed(self.now, now);
        self.now = Some(now);
        self.late = self.late.saturating_add(elapsed.saturating_sub(self.due_in));
        self.due_in = self.due_in.saturating_sub(elapsed);
        self.since_slice = self.since_slice.saturating_add(elapsed);
        self.need.pass(elapsed);
        self.flow.pass(elapsed);
    }

    fn set_due(&mut self, delay: Duration) {
        (self.due_in, self.late) = (delay, Duration::ZERO);
        let longest =
            if self.left() > 0 { self.horizon() / LEAST_SLICES } else { self.settings.target() };
        self.tolerance = longest / LATENESS;
    }

    fn left(&self) -> u64 {
        self.need.counted().saturating_add(self.need.uncounted())
    }

    /// Rate and delay while something is left: at this rate it is gone in time, at first in more slices, then in
    /// larger ones.
    fn drain(&self) -> (f64, Duration) {
        let horizon = self.horizon();
        let shortest = self.settings.target() / SHORTEST;
        let rate = self.need.counted() as f64 / horizon.as_secs_f64()
            + self.need.uncounted() as f64 / shortest.as_secs_f64()
            + self.flow.rate();
        let delay = self.least_batch_at(rate).max(self.need.next_in());
        (rate, delay.min(horizon / LEAST_SLICES))
    }

    /// Rate and delay while nothing is left: until a slice is worth its fixed cost. The rate has room for more than is
    /// expected.
    fn gather(&self) -> (f64, Duration) {
        let rate = self.flow.rate();
        let wanted = self.need.next_in().max(self.patience(rate));
        (SLACK * rate, self.least_batch_at(rate).min(wanted))
    }

    /// In what time the least batch comes together at this rate.
    fn least_batch_at(&self, rate: f64) -> Duration {
        from_seconds(self.settings.least_batch as f64 / rate)
    }

    /// How many seconds after the last slice the next will be done, if it is due after `delay`.
    fn interval(&self, delay: Duration) -> f64 {
        delay.saturating_add(self.overhead).as_secs_f64()
    }

    /// How long what is due may wait for more of its kind: hardly at all where hardly any comes meanwhile.
    fn patience(&self, rate: f64) -> Duration {
        let longest = self.settings.patience().as_secs_f64();
        let expected = rate * longest;
        from_seconds(longest * expected / (1.0 + expected))
    }

    /// How long what is left may still take.
    fn horizon(&self) -> Duration {
        let target = self.settings.target();
        target.saturating_sub(self.need.lag()).max(target / SHORTEST)
    }

    fn urgent_in(&self) -> Duration {
        if self.is_woken || self.need.may_be_above_limit() {
            return Duration::ZERO;
        }
        let half = self.settings.target() / 2;
        let by_store = self.need.next_in().saturating_add(half).saturating_sub(self.need.late());
        let by_plan = self.due_in.saturating_add(self.tolerance).saturating_sub(self.late);
        by_store.min(by_plan).min(self.urgent_by_work())
    }

    /// How long until the normal share of the server would not do, be it for what comes all the time or for what is left.
    fn urgent_by_work(&self) -> Duration {
        let cost = self.cost.each() / self.settings.duty_cycle;
        match self.left() {
            _ if cost * self.flow.lasting() >= 1.0 => Duration::ZERO,
            0 => Duration::MAX,
            left => {
                let work = from_seconds(MARGIN * cost * left as f64);
                self.settings.target().saturating_sub(self.need.lag()).saturating_sub(work)
            }
        }
    }
}

/// Zero before the first time, and where the clock was set back.
fn elapsed(from: Option<Timestamp>, to: Timestamp) -> Duration {
    from.map_or(Duration::ZERO, |from| {
        Duration::from_millis(to.as_millis().saturating_sub(from.as_millis()))
    })
}
