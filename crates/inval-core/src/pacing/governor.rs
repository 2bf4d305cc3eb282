//! The protection of one server: when a slice may start, so that upkeep takes no more than its share of it.

use std::time::Duration;

use super::backoff::Backoff;
use super::{PacingSettings, Plan, from_seconds};
use crate::store::Slice;
use crate::units::Timestamp;

/// However long a slice held the server, the next may start after this, in seconds.
const LONGEST_WAIT: f64 = 60.0;
/// Clocks and timers tick in milliseconds.
const TICK: f64 = 0.001;
/// The measured duty cycle forgets by this time constant, in seconds.
const MEMORY: f64 = 5.0;

/// The controller of one server, for all partitions that are on it. Ask it before a slice starts, and tell it
/// afterwards how long the slice held the server.
///
/// If one slice runs at a time, then over any window
/// - all slices together hold the server for at most `urgent_duty_cycle` of the window and one slice more;
/// - those that are not urgent, for at most `duty_cycle` of it and one slice more.
///
/// A window counts a millisecond longer than it is, for clocks tell no less. Time that upkeep does not use is not saved
/// up. The one exception: however long a slice held the server, the next may start a minute after it began.
///
/// While answers take more than twice as long as they do at best, both shares and the size of slices are halved each
/// tenth of a second, down to a tenth of what they should be; then they regain a quarter of that each second.
#[derive(Clone, Debug)]
pub struct Governor {
    settings: PacingSettings,
    /// When it was last told or asked anything. All that follows counts from then.
    now: Timestamp,
    /// Seconds until a slice may start that is not urgent, and until any may; negative since it might have.
    normal_in: f64,
    any_in: f64,
    backoff: Backoff,
    /// Seconds that the server was held, fading.
    held: f64,
}

impl Governor {
    /// A server that was left alone so far. The settings should be [valid](PacingSettings::validate).
    pub fn new(settings: PacingSettings) -> Self {
        Self {
            settings,
            now: Timestamp::default(),
            normal_in: -LONGEST_WAIT,
            any_in: -LONGEST_WAIT,
            backoff: Backoff::new(),
            held: 0.0,
        }
    }

    /// How long until a slice by this plan may start; zero if it may now. A plan becomes urgent as it waits, which
    /// is reckoned with. Says nothing of when the plan is due.
    pub fn wait(&mut self, now: Timestamp, plan: &Plan) -> Duration {
        self.pass(now);
        let normal = from_seconds(self.normal_in.max(self.any_in));
        normal.min(from_seconds(self.any_in).max(plan.urgent_in))
    }

    /// How many entries a slice by this plan may book or remove: fewer than planned where the server's answers are slow,
    /// so that clients have their turn sooner, but not fewer than `least_batch`.
    pub fn batch(&self, plan: &Plan) -> u64 {
        self.settings.bounded(plan.batch as f64 * self.backoff.share())
    }

    /// Learns of a slice that ran from `began` to `now`, and of the plan by which it was started. One that failed need
    /// not be told.
    pub fn charge(&mut self, began: Timestamp, now: Timestamp, plan: &Plan, slice: &Slice) {
        self.pass(now);
        let ran = elapsed(began, now);
        if let Some(latency) = slice.latency {
            self.backoff.learn(latency);
        }
        let held = slice.held.as_secs_f64();
        let share = self.backoff.share();
        self.held += held;
        self.any_in = after(self.any_in + ran, held, self.settings.urgent_duty_cycle * share) - ran;
        if !plan.is_urgent() {
            self.normal_in =
                after(self.normal_in + ran, held, self.settings.duty_cycle * share) - ran;
        }
    }

    /// The share of its time that upkeep held the server, over about the last five seconds.
    pub fn duty_cycle(&self, now: Timestamp) -> f64 {
        self.held * fading(elapsed(self.now, now)) / MEMORY
    }

    /// The share of the duty cycles that is granted, 0.1 to 1: below 1 where the server's answers are slow.
    pub fn granted(&self) -> f64 {
        self.backoff.share()
    }

    fn pass(&mut self, now: Timestamp) {
        let elapsed = elapsed(self.now, now);
        self.now = now;
        self.normal_in -= elapsed;
        self.any_in -= elapsed;
        self.held *= fading(elapsed);
        self.backoff.pass(from_seconds(elapsed));
    }
}

/// The token bucket, which holds no more than a timer rings late: how long to wait from the beginning of one slice to
/// that of the next, if that one was to wait for `wait_in` and held the server for `held`.
fn after(wait_in: f64, held: f64, share: f64) -> f64 {
    (wait_in.max(-TICK) + held / share).min(LONGEST_WAIT)
}

fn fading(seconds: f64) -> f64 {
    (-seconds / MEMORY).exp()
}

/// Seconds; 0 where the clock was set back.
fn elapsed(from: Timestamp, to: Timestamp) -> f64 {
    to.as_millis().saturating_sub(from.as_millis()) as f64 / 1000.0
}
