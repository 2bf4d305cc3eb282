//! Back-pressure: how long writers wait when the journal grows faster than it is read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use inval_core::Config;

/// The longest wait that a long journal costs a write of up to so many records; more cost more.
const LONGEST: Duration = Duration::from_millis(20);
const RECORDS: usize = 16;
/// The most entries that one transaction writes, which bounds how long it holds the server.
const MOST_AT_ONCE: u64 = 256;

/// What a client knows of the backlog of a partition.
pub(crate) struct Pressure {
    backlog: AtomicU64,
    cap: u64,
    /// The backlog from which on writes must wait until it is shorter, if there is a headroom to be kept.
    ceiling: Option<u64>,
}

/// What a writer has to do about the backlog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Relief {
    /// Nothing.
    None,
    /// Wait for as long.
    Wait(Duration),
    /// Drop the journal: it is beyond its cap.
    Drop,
}

impl Pressure {
    pub(crate) fn new(cap: u64, limits: &Config, headroom: f64) -> Self {
        let room = |limit: u64| ((limit as f64 * headroom / 2.0) as u64).max(1);
        let ceiling = limits.max_entries().filter(|_| headroom > 0.0).map(room);
        Self { backlog: AtomicU64::new(0), cap, ceiling }
    }

    /// How many entries one transaction may write. With a headroom so few that those of a few clients
    /// that write at the same time fit into what the ceiling leaves of it.
    pub(crate) fn most_at_once(&self) -> usize {
        let most = self.ceiling.map_or(MOST_AT_ONCE, |ceiling| ceiling / 8);
        most.clamp(1, MOST_AT_ONCE) as usize
    }

    /// Notes how long the journal is with `records` just added, and says what to do about it. From half
    /// of its cap on writes take the longer the closer it is to its cap, so that they cannot outrun
    /// the manager by being many at a time.
    pub(crate) fn note(&self, backlog: u64, records: usize) -> Relief {
        self.backlog.store(backlog, Ordering::Relaxed);
        let half = self.cap / 2;
        if backlog > self.cap {
            return Relief::Drop;
        }
        match backlog.checked_sub(half) {
            None | Some(0) => Relief::None,
            Some(above) => {
                let longest = LONGEST.mul_f64((records as f64 / RECORDS as f64).max(1.0));
                Relief::Wait(longest.mul_f64(above as f64 / (self.cap - half) as f64))
            }
        }
    }

    /// Whether a write has to wait until the journal is shorter, so that the limit is never exceeded.
    pub(crate) fn is_at_ceiling(&self) -> bool {
        self.ceiling.is_some_and(|ceiling| self.backlog.load(Ordering::Relaxed) >= ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressure(headroom: f64) -> Pressure {
        let limits = Config::builder().max_entries(1000).build().unwrap();
        Pressure::new(100, &limits, headroom)
    }

    #[test]
    fn writes_slow_down_from_half_of_the_cap_on() {
        let check = |backlog, records, want| {
            assert_eq!(pressure(0.0).note(backlog, records), want, "{backlog}");
        };
        check(0, 1, Relief::None);
        check(50, 100, Relief::None);
        check(75, 1, Relief::Wait(LONGEST / 2));
        check(75, 16, Relief::Wait(LONGEST / 2));
        check(75, 32, Relief::Wait(LONGEST));
        check(100, 1, Relief::Wait(LONGEST));
        check(101, 1, Relief::Drop);
    }

    #[test]
    fn with_a_headroom_less_is_written_at_once() {
        let check = |headroom, want| assert_eq!(pressure(headroom).most_at_once(), want);
        check(0.0, 256);
        check(0.4, 25);
        check(0.01, 1);
    }

    #[test]
    fn only_a_headroom_makes_writes_wait() {
        let check = |headroom, backlog, want| {
            let pressure = pressure(headroom);
            pressure.note(backlog, 1);
            assert_eq!(pressure.is_at_ceiling(), want, "{headroom} {backlog}");
        };
        check(0.0, 100, false);
        check(0.1, 49, false);
        check(0.1, 50, true);
    }
}
