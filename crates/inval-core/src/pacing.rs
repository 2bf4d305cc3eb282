//! The pacing controller: when which partition gets its next slice of upkeep, how large, and how much of its time a server gives.
//!
//! A [`Pacer`] knows the need of one partition, a [`Governor`] protects one server that many partitions
//! share. Neither has a clock: `now` is passed in, on a clock that ticks in milliseconds, and what is to be done
//! is returned. Calling any of it too early or too often is harmless, and a clock that stands still or jumps
//! costs at most a slice that finds nothing to do.
//!
//! ```
//! use inval_core::pacing::{Governor, Pacer, PacingSettings};
//! use inval_core::{Slice, Timestamp};
//! use std::time::Duration;
//!
//! let settings = PacingSettings::default();
//! settings.validate()?;
//! let mut governor = Governor::new(settings); // one for each server
//! let mut pacer = Pacer::new(settings, 7); // one for each partition
//!
//! let now = Timestamp::from_millis(1_000);
//! let plan = pacer.plan(now);
//! assert_eq!(plan.delay.max(governor.wait(now, &plan)), Duration::ZERO);
//! assert_eq!(governor.batch(&plan), 128);
//! // Here the store would maintain the partition, with a budget of so many entries.
//! let slice = Slice {
//!     records: 100,
//!     backlog: 50_000,
//!     held: Duration::from_micros(200),
//!     ..Slice::default()
//! };
//! let began = now;
//! let now = Timestamp::from_millis(1_001);
//! governor.charge(began, now, &plan, &slice);
//! pacer.slice_done(now, &slice);
//!
//! // 50,000 records at 2 µs are 100 ms of the server, too much for 2 % of it within a second.
//! let plan = pacer.plan(now);
//! assert!(plan.is_urgent());
//! assert!(plan.delay < Duration::from_millis(10));
//! assert!(governor.wait(now, &plan) < Duration::from_millis(1));
//! # Ok::<(), inval_core::pacing::PacingError>(())
//! ```
//!
//! The scheduler's part is small: of the partitions that may start now it starts the one that is due
//! earliest, with as many entries as [`Governor::batch`] allows, one slice at a time on each server. `docs/pacing.md` has the formulas and shows how it responds.

mod settings;
mod pacer;
mod need;
mod debt;
mod estimates;
mod governor;
mod backoff;

use std::time::Duration;

pub use governor::Governor;
pub use pacer::Pacer;
pub use settings::{PacingError, PacingSettings};

/// What a partition asks for next. It grows old: ask [`Pacer::plan`] for a new one when a slice may start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// How long until the next slice is due; zero if it is due now or late.
    pub delay: Duration,
    /// How many entries it may book or remove.
    pub batch: u64,
    /// How long until it becomes urgent if nothing is done; zero if it is.
    pub urgent_in: Duration,
}

impl Plan {
    /// Whether the slice may take more than the normal share of the server: the partition is above a limit, or
    /// writers wait, or at the normal share it would be late.
    pub fn is_urgent(&self) -> bool {
        self.urgent_in.is_zero()
    }
}

/// `seconds` as a duration: what is negative or no number is zero, what is too long is the longest.
fn from_seconds(seconds: f64) -> Duration {
    if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}
