//! Back-pressure: how long writers wait when the journal grows faster than it is read, and when a manager is called.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use inval_core::Config;
use tokio::sync::Notify;

/// The longest wait that a long journal costs a write of up to so many records; more cost more.
const LONGEST: Duration = Duration::from_millis(20);
const RECORDS: usize = 16;
/// The most entries that one transaction writes, which bounds how long it holds the server.
const MOST_AT_ONCE: u64 = 256;
/// A journal that is longer than this part of its cap calls for a manager.
const LONG: u64 = 8;
/// What stands for no ceiling.
const NONE: u64 = u64::MAX;

/// What a client knows of the backlog of a partition.
pub(crate) struct Pressure {
    backlog: AtomicU64,
    cap: u64,
    headroom: f64,
    /// The backlog from which on writes must wait until it is shorter, if there is a headroom to be kept.
    ceiling: AtomicU64,
    /// Whether the backlog calls for a manager, and whether none has heard of it yet.
    is_long: AtomicBool,
    is_unheard: AtomicBool,
    /// Wakes whoever waits for such calls of any partition.
    alarm: Arc<Notify>,
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
    pub(crate) fn new(cap: u64, limits: &Config, headroom: f64, alarm: Arc<Notify>) -> Self {
        let pressure = Self {
            backlog: AtomicU64::new(0),
            cap,
            headroom,
            ceiling: AtomicU64::new(NONE),
            is_long: AtomicBool::new(false),
            is_unheard: AtomicBool::new(false),
            alarm,
        };
        pressure.keep_to(limits);
        pressure
    }

    /// Keeps to other limits from now on.
    pub(crate) fn keep_to(&self, limits: &Config) {
        let room = |limit: u64| ((limit as f64 * self.headroom / 2.0) as u64).max(1);
        let ceiling = limits.max_entries().filter(|_| self.headroom > 0.0).map_or(NONE, room);
        self.ceiling.store(ceiling, Ordering::Relaxed);
    }

    /// How many entries one transaction may write. With a headroom so few that those of a few clients
    /// that write at the same time fit into what the ceiling leaves of it.
    pub(crate) fn most_at_once(&self) -> usize {
        let most = self.ceiling.load(Ordering::Relaxed) / 8;
        most.clamp(1, MOST_AT_ONCE) as usize
    }

    /// Notes how long the journal is with `records` just added, and says what to do about it. From half
    /// of its cap on writes take the longer the closer it is to its cap, so that they cannot outrun
    /// the manager by being many at a time.
    pub(crate) fn note(&self, backlog: u64, records: usize) -> Relief {
        self.backlog.store(backlog, Ordering::Relaxed);
        if backlog >= self.long() {
            self.call();
        } else {
            self.end_call();
        }
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
        self.backlog.load(Ordering::Relaxed) >= self.ceiling.load(Ordering::Relaxed)
    }

    /// A manager has brought the backlog down to `backlog`: from there it may become long again.
    pub(crate) fn ease(&self, backlog: u64) {
        if backlog < self.long() {
            self.end_call();
        }
    }

    /// Whether the backlog has become long and nobody has heard of it yet. The caller has.
    pub(crate) fn hear(&self) -> bool {
        self.is_unheard.load(Ordering::Acquire) && self.is_unheard.swap(false, Ordering::AcqRel)
    }

    /// The backlog from which on a manager is called.
    fn long(&self) -> u64 {
        (self.cap / LONG).min(self.ceiling.load(Ordering::Relaxed)).max(1)
    }

    /// Calls for a manager once, until the backlog has been short again.
    fn call(&self) {
        if !self.is_long.load(Ordering::Relaxed) && !self.is_long.swap(true, Ordering::AcqRel) {
            self.is_unheard.store(true, Ordering::Release);
            self.alarm.notify_one();
        }
    }

    fn end_call(&self) {
        if self.is_long.load(Ordering::Relaxed) {
            self.is_long.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressure(headroom: f64) -> Pressure {
        let limits = Config::builder().max_entries(1000).build().unwrap();
        Pressure::new(100, &limits, headroom, Arc::default())
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

    #[test]
    fn the_ceiling_follows_the_limit() {
        let pressure = pressure(0.1);
        pressure.note(50, 1);
        assert!(pressure.is_at_ceiling());
        pressure.keep_to(&Config::builder().max_entries(2_000).build().unwrap());
        assert!(!pressure.is_at_ceiling() && pressure.most_at_once() == 12);
        pressure.keep_to(&Config::builder().max_bytes(9).build().unwrap());
        assert_eq!(pressure.most_at_once(), 256);
    }

    #[test]
    fn a_manager_is_called_once_each_time_the_backlog_becomes_long() {
        let check = |headroom: f64, cap: u64, long: u64| {
            let limits = Config::builder().max_entries(1000).build().unwrap();
            let pressure = Pressure::new(cap, &limits, headroom, Arc::default());
            pressure.note(long - 1, 1);
            assert!(!pressure.hear());
            (long..long + 5).for_each(|backlog| _ = pressure.note(backlog, 1));
            assert!(pressure.hear() && !pressure.hear(), "at {long}");
            pressure.note(long + 9, 1);
            pressure.ease(long);
            assert!(!pressure.hear(), "it was long all the time");
            for become_short in [Pressure::ease, |p: &Pressure, n: u64| _ = p.note(n, 0)] {
                become_short(&pressure, long - 1);
                pressure.note(long, 1);
                assert!(pressure.hear() && !pressure.hear());
            }
        };
        check(0.0, 100, 12);
        check(0.01, 100, 5);
        check(0.1, 1_000_000, 50);
        check(0.0, 3, 1);
    }
}
