//! What a namespace has counted, and what that comes to in a second.

use std::time::Duration;

use inval_core::{Config, Histogram, Stats, Strategy, Usage};
use serde::{Deserialize, Serialize};

/// The statistics of a namespace, as the daemon tells them.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Statistics {
    #[serde(default, with = "strategy")]
    pub(crate) strategy: Option<Strategy>,
    /// How upkeep is getting on; `None` where no manager tells.
    #[serde(default)]
    pub(crate) state: Option<State>,
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
    /// How long ago evicted entries had been written.
    #[serde(default)]
    pub(crate) evicted_age_ms: Quantiles,
    /// How long ago evicted entries had last been read or written.
    #[serde(default)]
    pub(crate) evicted_idle_ms: Quantiles,
    /// The highest usage so far, entries and bytes separately; `None` where no manager tells.
    pub(crate) peak: Option<Amount>,
    /// How late upkeep is; `None` where no manager tells.
    pub(crate) lag_ms: Option<u64>,
    /// How late it may be; `None` where no manager tells.
    #[serde(default)]
    pub(crate) max_lag_ms: Option<u64>,
    /// Changes not booked yet; `None` where no manager tells.
    pub(crate) backlog: Option<u64>,
    /// How old the numbers are.
    #[serde(default)]
    pub(crate) age_ms: u64,
}

/// How upkeep of a namespace is getting on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Ready,
    Rebuilding,
    Failing,
    Paused,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Rebuilding => "rebuilding",
            Self::Failing => "failing",
            Self::Paused => "paused",
        }
    }
}

/// Below what the half, nine tenths and 99 hundredths of some observations are; `None` while there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Quantiles {
    pub(crate) p50: Option<u64>,
    pub(crate) p90: Option<u64>,
    pub(crate) p99: Option<u64>,
}

impl From<&Histogram> for Quantiles {
    fn from(histogram: &Histogram) -> Self {
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|q| histogram.quantile(q));
        Self { p50, p90, p99 }
    }
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
    /// Whether upkeep is later than it may be.
    pub(crate) fn is_late(&self) -> bool {
        self.lag_ms.zip(self.max_lag_ms).is_some_and(|(lag_ms, max_lag_ms)| lag_ms > max_lag_ms)
    }

    /// Whether all that is counted is as in `other`.
    pub(super) fn counts_as(&self, other: &Self) -> bool {
        let counts = |s: &Self| (s.hits, s.misses, s.inserted, s.rejected, s.removed);
        counts(self) == counts(other)
    }

    /// What a store says itself, without a manager.
    pub(crate) fn of_store(stats: &Stats, config: &Config) -> Self {
        Self {
            strategy: Some(config.strategy()),
            state: None,
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
            evicted_age_ms: (&stats.evicted_age).into(),
            evicted_idle_ms: (&stats.evicted_idle).into(),
            peak: None,
            lag_ms: None,
            max_lag_ms: None,
            backlog: None,
            age_ms: 0,
        }
    }
}

/// A strategy by its name.
mod strategy {
    use inval_core::Strategy;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        strategy: &Option<Strategy>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        strategy.map(Strategy::name).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Strategy>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.map(|name| name.parse().map_err(D::Error::custom)).transpose()
    }
}

/// What happened in a second, on the average between two readings.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub(crate) struct Rates {
    pub(crate) hits: f64,
    pub(crate) misses: f64,
    /// Of the reads between the readings; `None` if there were none.
    pub(crate) miss_ratio: Option<f64>,
    pub(crate) inserted: f64,
    pub(crate) evicted: f64,
    pub(crate) expired: f64,
    pub(crate) invalidated: f64,
    pub(crate) replaced: f64,
    pub(crate) vanished: f64,
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
        Some(Self {
            hits,
            misses,
            miss_ratio: miss_ratio(hits, misses),
            inserted: rate(|s| s.inserted.entries)?,
            evicted: rate(|s| s.removed.evicted.entries)?,
            expired: rate(|s| s.removed.expired.entries)?,
            invalidated: rate(|s| s.removed.invalidated.entries)?,
            replaced: rate(|s| s.removed.replaced.entries)?,
            vanished: rate(|s| s.removed.vanished.entries)?,
        })
    }

    /// What happens where all of `rates` do; `None` if there are none.
    pub(crate) fn total(rates: impl IntoIterator<Item = Self>) -> Option<Self> {
        rates.into_iter().reduce(|a, b| {
            let (hits, misses) = (a.hits + b.hits, a.misses + b.misses);
            Self {
                hits,
                misses,
                miss_ratio: miss_ratio(hits, misses),
                inserted: a.inserted + b.inserted,
                evicted: a.evicted + b.evicted,
                expired: a.expired + b.expired,
                invalidated: a.invalidated + b.invalidated,
                replaced: a.replaced + b.replaced,
                vanished: a.vanished + b.vanished,
            }
        })
    }
}

fn miss_ratio(hits: f64, misses: f64) -> Option<f64> {
    let reads = hits + misses;
    (reads > 0.0).then(|| misses / reads)
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

    #[test]
    fn the_miss_ratio_of_all_is_that_of_all_reads() {
        assert_eq!(Rates::total([]), None);
        let rates = |hits, misses| Rates { hits, misses, evicted: 2.0, ..Rates::default() };
        let total = Rates::total([rates(90.0, 10.0), rates(0.0, 0.0), rates(0.0, 100.0)]);
        let want = Rates { miss_ratio: Some(0.55), evicted: 6.0, ..rates(90.0, 110.0) };
        assert_eq!(total, Some(want));
    }

    #[test]
    fn what_is_late_is_above_what_is_allowed() {
        let check = |lag_ms, max_lag_ms, want| {
            let statistics = Statistics { lag_ms, max_lag_ms, ..Statistics::default() };
            assert_eq!(statistics.is_late(), want);
        };
        check(None, None, false);
        check(Some(9), None, false);
        check(Some(1000), Some(1000), false);
        check(Some(1001), Some(1000), true);
    }
}
