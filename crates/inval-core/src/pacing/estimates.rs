//! What is learnt from slices: how fast work comes, and what an entry costs.

use std::time::Duration;

/// How much of what was known before is kept with each slice.
const KEPT: f64 = 0.5;
/// Clocks tick in milliseconds: what came within less is counted with what comes next.
const LEAST_SPAN: Duration = Duration::from_millis(1);

/// Less than an entry an hour is none.
const LEAST_RATE: f64 = 1.0 / 3_600.0;

/// How many entries there are to be worked off each second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    rate: f64,
    lasting: f64,
    came: f64,
    span: Duration,
}

impl Flow {
    /// Lets time pass.
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.span = self.span.saturating_add(elapsed);
    }

    /// Learns that so many entries came since the last slice; of time that does not pass it learns nothing. What came
    /// longer ago than `memory` hardly counts for what lasts.
    pub(super) fn learn(&mut self, came: f64, memory: Duration) {
        self.came += came.max(0.0);
        if self.span >= LEAST_SPAN {
            let sample = self.came / self.span.as_secs_f64();
            let rate = if self.rate > 0.0 { sample + KEPT * (self.rate - sample) } else { sample };
            let (span, memory) = (self.span.as_secs_f64(), memory.as_secs_f64());
            let lasting = self.lasting + (sample - self.lasting) * span / (span + memory);
            let of = |rate| if rate >= LEAST_RATE { rate } else { 0.0 };
            (self.rate, self.lasting) = (of(rate), of(lasting));
            self.skip();
        }
    }

    /// Passes over a slice that does not tell how much came.
    pub(super) fn skip(&mut self) {
        (self.came, self.span) = (0.0, Duration::ZERO);
    }

    /// Entries a second, as the mean of what was learnt last, each time counting as much as all before: follows at once,
    /// and halves each time that nothing came.
    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Entries a second, as the mean over time: does not mind a short burst.
    pub(super) fn lasting(&self) -> f64 {
        self.lasting
    }
}

/// How long an entry holds the server, its part of the fixed cost included: the mean over the entries of the last
/// few slices.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    seconds: f64,
    entries: f64,
}

impl Cost {
    /// Learns what a slice of `entries` cost; nothing from one without any.
    pub(super) fn learn(&mut self, held: Duration, entries: u64) {
        if entries > 0 {
            self.seconds = KEPT * self.seconds + held.as_secs_f64();
            self.entries = KEPT * self.entries + entries as f64;
        }
    }

    /// Seconds; zero as long as nothing is known.
    pub(super) fn each(&self) -> f64 {
        if self.entries > 0.0 { self.seconds / self.entries } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMORY: Duration = Duration::from_millis(300);

    #[test]
    fn the_rate_follows_what_comes_and_halves_when_nothing_does() {
        let mut flow = Flow::default();
        let mut check = |ms, came, want: f64| {
            flow.pass(Duration::from_millis(ms));
            flow.learn(came, MEMORY);
            assert!((flow.rate() - want).abs() < 1e-6, "{}, not {want}", flow.rate());
        };
        check(0, 50.0, 0.0);
        check(100, 50.0, 1_000.0);
        check(10, 10.0, 1_000.0);
        check(10, 20.0, 1_500.0);
        check(500, 0.0, 750.0);
        check(0, 0.0, 750.0);
        check(1, -5.0, 375.0);
    }

    #[test]
    fn what_lasts_does_not_mind_a_burst() {
        let mut flow = Flow::default();
        let mut learn = |ms, came| {
            flow.pass(Duration::from_millis(ms));
            flow.learn(came, MEMORY);
            flow.lasting()
        };
        assert!(learn(3, 300.0) < 1_000.0);
        (0..2_000).for_each(|_| _ = learn(3, 30.0));
        let lasting = learn(3, 30.0);
        assert!((lasting - 10_000.0).abs() < 1.0, "{lasting}");
    }

    #[test]
    fn one_entry_alone_tells_little_of_the_cost_of_many() {
        let mut cost = Cost::default();
        assert_eq!(cost.each(), 0.0);
        (0..9).for_each(|_| cost.learn(Duration::from_micros(16), 1));
        assert!((cost.each() - 16e-6).abs() < 1e-9);
        cost.learn(Duration::from_micros(115), 100);
        cost.learn(Duration::MAX, 0);
        assert!(cost.each() < 1.5e-6, "{}", cost.each());
    }
}
