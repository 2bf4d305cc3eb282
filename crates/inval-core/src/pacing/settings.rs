//! What upkeep is to achieve, and what it may take for that.

use std::time::Duration;

use thiserror::Error;

const LEAST_INTERVAL: Duration = Duration::from_millis(1);

/// How upkeep is paced. The defaults suit an embedded store and a server in the same network.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PacingSettings {
    /// The goal: what has expired or is above a limit is off the books within this time.
    pub max_lag: Duration,
    /// The shortest time between two slices of a partition.
    pub min_interval: Duration,
    /// The longest time between two slices of a partition.
    pub max_interval: Duration,
    /// The share of a server's time, above 0 and at most 1, that all upkeep which is not urgent may take.
    pub duty_cycle: f64,
    /// The share of a server's time that all upkeep together may take, urgent or not.
    pub urgent_duty_cycle: f64,
    /// A slice is worth its fixed cost from so many entries on; fewer wait for an eighth of `max_lag` at most.
    pub least_batch: u64,
    /// The most entries of a slice.
    pub most_batch: u64,
    /// How long to wait after the first slice that failed.
    pub retry_interval: Duration,
    /// How long to wait at most after many slices that failed.
    pub longest_retry: Duration,
}

impl Default for PacingSettings {
    fn default() -> Self {
        Self {
            max_lag: Duration::from_secs(1),
            min_interval: LEAST_INTERVAL,
            max_interval: Duration::from_millis(500),
            duty_cycle: 0.02,
            urgent_duty_cycle: 0.6,
            least_batch: 128,
            most_batch: 4096,
            retry_interval: Duration::from_millis(50),
            longest_retry: Duration::from_secs(10),
        }
    }
}

/// Why settings cannot be kept to.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum PacingError {
    /// An interval is below what timers can tell.
    #[error("{field} is below 1 ms, which is the shortest that timers can wait")]
    IntervalTooShort {
        /// `min_interval` or `retry_interval`.
        field: &'static str,
    },
    /// `min_interval` is above `max_interval`.
    #[error("min_interval ({min:?}) must not be above max_interval ({max:?})")]
    IntervalsCrossed {
        /// The shortest interval.
        min: Duration,
        /// The longest interval.
        max: Duration,
    },
    /// `max_interval` leaves too little of `max_lag` for the work itself.
    #[error(
        "max_interval ({interval:?}) must be at most half of max_lag ({lag:?}): what comes just after a \
         slice is first seen by the next one, and has to be worked off after that"
    )]
    SeenTooLate {
        /// The longest interval.
        interval: Duration,
        /// The longest lag.
        lag: Duration,
    },
    /// A share of the server's time is not above 0 and at most 1.
    #[error("{field} is {share}; it is a share of the server's time, above 0 and at most 1")]
    ShareOutOfRange {
        /// `duty_cycle` or `urgent_duty_cycle`.
        field: &'static str,
        /// What it is.
        share: f64,
    },
    /// `urgent_duty_cycle` is below `duty_cycle`.
    #[error("urgent_duty_cycle ({urgent}) must not be below duty_cycle ({normal})")]
    SharesCrossed {
        /// The share for all upkeep.
        urgent: f64,
        /// The share for what is not urgent.
        normal: f64,
    },
    /// `least_batch` is 0.
    #[error("least_batch is 0, so nothing would be done; 1 is the least")]
    EmptyBatch,
    /// `least_batch` is above `most_batch`.
    #[error("least_batch ({least}) must not be above most_batch ({most})")]
    BatchesCrossed {
        /// The least batch.
        least: u64,
        /// The most.
        most: u64,
    },
    /// `retry_interval` is above `longest_retry`.
    #[error("retry_interval ({first:?}) must not be above longest_retry ({longest:?})")]
    RetriesCrossed {
        /// The wait after the first failure.
        first: Duration,
        /// The longest wait.
        longest: Duration,
    },
}

impl PacingSettings {
    /// Finds the first contradiction. Settings that pass can be kept to, as far as the server is fast enough.
    pub fn validate(&self) -> Result<(), PacingError> {
        self.check_intervals()?;
        self.check_shares()?;
        let (least, most) = (self.least_batch, self.most_batch);
        if least == 0 {
            return Err(PacingError::EmptyBatch);
        }
        if least > most {
            return Err(PacingError::BatchesCrossed { least, most });
        }
        Ok(())
    }

    fn check_intervals(&self) -> Result<(), PacingError> {
        let shortest =
            [("min_interval", self.min_interval), ("retry_interval", self.retry_interval)];
        if let Some((field, _)) = shortest.into_iter().find(|(_, time)| *time < LEAST_INTERVAL) {
            return Err(PacingError::IntervalTooShort { field });
        }
        let (min, max) = (self.min_interval, self.max_interval);
        if min > max {
            return Err(PacingError::IntervalsCrossed { min, max });
        }
        if max > self.max_lag / 2 {
            return Err(PacingError::SeenTooLate { interval: max, lag: self.max_lag });
        }
        let (first, longest) = (self.retry_interval, self.longest_retry);
        if first > longest {
            return Err(PacingError::RetriesCrossed { first, longest });
        }
        Ok(())
    }

    fn check_shares(&self) -> Result<(), PacingError> {
        let (normal, urgent) = (self.duty_cycle, self.urgent_duty_cycle);
        for (field, share) in [("duty_cycle", normal), ("urgent_duty_cycle", urgent)] {
            if !(share > 0.0 && share <= 1.0) {
                return Err(PacingError::ShareOutOfRange { field, share });
            }
        }
        if urgent < normal {
            return Err(PacingError::SharesCrossed { urgent, normal });
        }
        Ok(())
    }

    /// At what age the last of what is seen is to be worked off; the rest of `max_lag` is for what goes otherwise.
    pub(super) fn target(&self) -> Duration {
        self.max_lag / 4 * 3
    }

    /// How long what is due may wait for more of its kind, at most.
    pub(super) fn patience(&self) -> Duration {
        self.max_lag / 8
    }

    /// `batch` within the bounds.
    pub(super) fn bounded(&self, batch: f64) -> u64 {
        (batch as u64).min(self.most_batch).max(self.least_batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_told_by_name() {
        let ms = Duration::from_millis;
        let check = |change: fn(&mut PacingSettings), want: PacingError, words: &str| {
            let mut settings = PacingSettings::default();
            change(&mut settings);
            assert_eq!(settings.validate(), Err(want));
            assert!(want.to_string().contains(words), "{want}");
        };
        let field = "min_interval";
        let short = PacingError::IntervalTooShort { field };
        check(|s| s.min_interval = Duration::from_micros(999), short, "min_interval is below 1 ms");
        let field = "retry_interval";
        let short = PacingError::IntervalTooShort { field };
        check(|s| s.retry_interval = Duration::ZERO, short, "retry_interval is below 1 ms");
        let crossed = PacingError::IntervalsCrossed { min: ms(501), max: ms(500) };
        check(|s| s.min_interval = Duration::from_millis(501), crossed, "(501ms)");
        let late = PacingError::SeenTooLate { interval: ms(501), lag: ms(1_000) };
        check(|s| s.max_interval = Duration::from_millis(501), late, "half of max_lag (1s)");
        let zero = PacingError::ShareOutOfRange { field: "duty_cycle", share: 0.0 };
        check(|s| s.duty_cycle = 0.0, zero, "duty_cycle is 0;");
        let above = PacingError::ShareOutOfRange { field: "urgent_duty_cycle", share: 1.1 };
        check(|s| s.urgent_duty_cycle = 1.1, above, "at most 1");
        let shares = PacingError::SharesCrossed { urgent: 0.01, normal: 0.02 };
        check(|s| s.urgent_duty_cycle = 0.01, shares, "(0.01)");
        check(|s| s.least_batch = 0, PacingError::EmptyBatch, "1 is the least");
        let batches = PacingError::BatchesCrossed { least: 5000, most: 4096 };
        check(|s| s.least_batch = 5000, batches, "(5000)");
        let retries = PacingError::RetriesCrossed { first: ms(50), longest: ms(49) };
        check(|s| s.longest_retry = Duration::from_millis(49), retries, "(49ms)");
    }

    #[test]
    fn no_number_is_no_share() {
        let settings = PacingSettings { duty_cycle: f64::NAN, ..PacingSettings::default() };
        let error = settings.validate();
        assert!(matches!(error, Err(PacingError::ShareOutOfRange { share, .. }) if share.is_nan()));
    }

    #[test]
    fn the_bounds_themselves_pass() {
        let ms = Duration::from_millis(1);
        let tight = PacingSettings {
            max_lag: 2 * ms,
            min_interval: ms,
            max_interval: ms,
            duty_cycle: 1.0,
            urgent_duty_cycle: 1.0,
            least_batch: 1,
            most_batch: 1,
            retry_interval: ms,
            longest_retry: ms,
        };
        assert_eq!(tight.validate(), Ok(()));
        assert_eq!(PacingSettings::default().validate(), Ok(()));
    }
}
