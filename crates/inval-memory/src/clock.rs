//! Where the time comes from: the machine, or a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use inval_core::Timestamp;
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

/// A source of the time. It should not run backwards; the cache ignores it where it does. It is asked
/// while a shard is locked, so it must not call the cache.
pub trait Clock: Send + Sync {
    /// The time now, in milliseconds since an origin that stays the same.
    fn now(&self) -> Timestamp;

    /// The time now, or some milliseconds ago if that is cheaper to tell. The cache asks for it where
    /// nothing expires, to date what its statistics keep to 16 ms anyway.
    fn coarse_now(&self) -> Timestamp {
        self.now()
    }
}

/// The machine's monotonic clock, counted from when this value was made.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    origin: Instant,
    /// What the kernel's clock showed at the origin, rounded up: the coarse clock, which lags behind
    /// it, must not show more time since then than has passed.
    #[cfg(target_os = "linux")]
    coarse_origin: u64,
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self {
            origin: Instant::now(),
            #[cfg(target_os = "linux")]
            coarse_origin: kernel_millis(ClockId::Monotonic) + 1,
        }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.origin.elapsed();
        // `Duration::as_millis` would do, but calculates in 128 bits.
        Timestamp::from_millis(elapsed.as_secs() * 1000 + u64::from(elapsed.subsec_millis()))
    }

    #[cfg(target_os = "linux")]
    #[inline]
    fn coarse_now(&self) -> Timestamp {
        Timestamp::from_millis(
            kernel_millis(ClockId::MonotonicCoarse).saturating_sub(self.coarse_origin),
        )
    }
}

/// What a clock of the kernel's shows. The coarse one stands still between two ticks; it takes a few
/// nanoseconds to read instead of some thirty.
#[cfg(target_os = "linux")]
#[inline]
fn kernel_millis(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// A clock that stands still until it is told to move. Clones show the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock that shows the origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Release);
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().saturating_add(by));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Acquire))
    }
}
