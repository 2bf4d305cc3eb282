//! What a namespace has counted, and what that comes to in a second.

use std::time::Duration;

use inval_core::{Config, Stats, Usage};
use serde::{Deserialize, Serialize};

/// The statistics of a namespace, as the daemon tells them.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Statistics {
    pub(crate) usage: Amount,
    #[serde(default)]
    pub(crate) limits: Limits,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
    /// `None` before the first read.
    pub(crate) miss_ratio: Option<f64>,
    pub(crate) inserted: Amount,
    #[serde(default)]
    pub(crate) rejected: u64,
    pub(crate) removed: Removed,
    /// The highest usage so far, entries and bytes separately; `None` where no manager tells.
    pub(crate) peak: Option<Amount>,
    /// How late upkeep is; `None` where no manager tells.
    pub(crate) lag_ms: Option<u64>,
    /// Changes not booked yet; `None` where no manager tells.
    pub(crate) backlog: Option<u64>,
    /// How old the numbers are.
    #[serde(default)]
    pub(crate) age_ms: u64,
}

/// A number of entries and their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Amount {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// The limits of a namespace; `None` where there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) max_entries: Option<u64>,
    pub(crate) max_bytes: Option<u64>,
}

/// What has left, by cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) expired: Amount,
    pub(crate) evicted: Amount,
    pub(crate) invalidated: Amount,
    pub(crate) replaced: Amount,
    pub(crate) vanished: Amount,
}

impl From<Usage> for Amount {
    fn from(Usage { entries, bytes }: Usage) -> Self {
        Self { entries, bytes }
    }
}

impl Statistics {
    /// What a store says itself, without a manager.
    pub(crate) fn of_store(stats: &Stats, config: &Config) -> Self {
        Self {
            usage: stats.usage.into(),
            limits: Limits { max_entries: config.max_entries(), max_bytes: config.max_bytes() },
            hits: stats.hits,
            misses: stats.misses,
            miss_ratio: stats.miss_ratio(),
            inserted: stats.inserted.into(),
            rejected: stats.rejected,
            removed: Removed {
                expired: stats.expired.into(),
                evicted: stats.evicted.into(),
                invalidated: stats.invalidated.into(),
                replaced: stats.replaced.into(),
                vanished: stats.vanished.into(),
            },
            peak: None,
            lag_ms: None,
            backlog: None,
            age_ms: 0,
        }
    }
}

/// What happened in a second, on the average between two readings.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub(crate) struct Rates {
    pub(crate) hits: f64,
    pub(crate) misses: f64,
    /// Of the reads between the readings; `None` if there were none.
    pub(crate) miss_ratio: Option<f64>,
    pub(crate) inserted: f64,
    pub(crate) evicted: f64,
    pub(crate) expired: f64,
}

impl Rates {
    /// The rates that lead from `before` to `after` within `elapsed`. `None` if that is no time, or a
    /// counter ran back: then these are not the counters of one namespace.
    pub(super) fn between(
        before: &Statistics,
        after: &Statistics,
        elapsed: Duration,
    ) -> Option<Self> {
        if elapsed.is_zero() {
            return None;
        }
        let rate = |of: fn(&Statistics) -> u64| {
            let more = of(after).checked_sub(of(before))?;
            Some(more as f64 / elapsed.as_secs_f64())
        };
        let (hits, misses) = (rate(|s| s.hits)?, rate(|s| s.misses)?);
        let reads = hits + misses;
        Some(Self {
            hits,
            misses,
            miss_ratio: (reads > 0.0).then(|| misses / reads),
            inserted: rate(|s| s.inserted.entries)?,
            evicted: rate(|s| s.removed.evicted.entries)?,
            expired: rate(|s| s.removed.expired.entries)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_was_counted_by_the_time_it_took() {
        let reading = |hits, misses, evicted| {
            let evicted = Amount { entries: evicted, bytes: 0 };
            let removed = Removed { evicted, ..Removed::default() };
            Statistics { hits, misses, removed, ..Statistics::default() }
        };
        let check = |after: Statistics, elapsed_ms, want: Option<(f64, f64, Option<f64>, f64)>| {
            let before = reading(100, 10, 1);
            let rates = Rates::between(&before, &after, Duration::from_millis(elapsed_ms));
            let rates = rates.map(|r| (r.hits, r.misses, r.miss_ratio, r.evicted));
            assert_eq!(rates, want, "{after:?}");
        };
        check(reading(400, 110, 3), 2000, Some((150.0, 50.0, Some(0.25), 1.0)));
        check(reading(100, 10, 1), 500, Some((0.0, 0.0, None, 0.0)));
        check(reading(400, 110, 3), 0, None);
        check(reading(0, 110, 3), 1000, None);
        check(reading(400, 110, 0), 1000, None);
    }
}
