//! How much of its caps a server can bear, as the latency of its answers tells.

use std::time::Duration;

/// The baseline is the least latency seen. It rises by this share each second, so that it finds a server that has
/// become slower for good: three times as slow within a minute.
const RISE: f64 = 0.02;
/// The longest time that counts between two answers.
const LONGEST_GAP: Duration = Duration::from_secs(10);
/// The latency now is the least of so many answers: a single one that is late says nothing of the server.
const RECENT: usize = 4;
/// It may be so many times the baseline,
const TOLERANCE: f64 = 2.0;
/// and this much more, in seconds: the noise of networks and of clients that have little time for their answers.
const NOISE: f64 = 1e-3;
/// The share is halved at most once in this time, which lets the last time show its effect.
const HOLD: Duration = Duration::from_millis(100);
/// What the share regains each second without reason to back off.
const RECOVERY: f64 = 0.25;
/// The least share, so that upkeep never stands still.
const FLOOR: f64 = 0.1;

/// Additive increase, multiplicative decrease (Chiu and Jain, 1989) of a share of the caps, by how far latency is
/// above its own minimum, as transports that yield to others do (LEDBAT, RFC 6817).
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    share: f64,
    /// Seconds; 0 before the first answer.
    baseline: f64,
    recent: [f64; RECENT],
    since_answer: Duration,
    since_halved: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        let since_halved = Duration::MAX;
        let recent = [0.0; RECENT];
        Self { share: 1.0, baseline: 0.0, recent, since_answer: Duration::ZERO, since_halved }
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.since_answer = self.since_answer.saturating_add(elapsed);
        self.since_halved = self.since_halved.saturating_add(elapsed);
    }

    /// Learns how long requests waited on average for what the server did not do for them.
    pub(super) fn learn(&mut self, latency: Duration) {
        let gap = std::mem::take(&mut self.since_answer).min(LONGEST_GAP).as_secs_f64();
        let (latency, risen) = (latency.as_secs_f64(), self.baseline * (1.0 + RISE * gap));
        let baseline = if risen > 0.0 { latency.min(risen) } else { latency };
        self.baseline = baseline;
        self.recent.rotate_left(1);
        self.recent[RECENT - 1] = latency;
        let now = self.recent.into_iter().fold(latency, f64::min);
        if now <= TOLERANCE * baseline + NOISE {
            self.share = (self.share + RECOVERY * gap).min(1.0);
        } else if self.since_halved >= HOLD {
            self.share = (self.share / 2.0).max(FLOOR);
            self.since_halved = Duration::ZERO;
        }
    }

    /// The share of the caps that the server can bear, 0.1 to 1.
    pub(super) fn share(&self) -> f64 {
        self.share
    }
}
