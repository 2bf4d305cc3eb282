//! The configuration of one namespace, and the builder that rejects contradictions.

use std::time::Duration;

use thiserror::Error;

use crate::ledger::Rejection;
use crate::strategy::Strategy;
use crate::units::millis;

/// The longest lifetime a configuration may ask for: 2^40 ms, about 34 years. An entry's own TTL
/// beyond it means that the entry does not expire.
pub const MAX_LIFETIME: Duration = Duration::from_millis(1 << 40);

/// What a namespace is to keep to: strategy, limits, lifetimes. Made by [`Config::builder`], which
/// lets no contradiction through.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Config {
    strategy: Strategy,
    max_entries: Option<u64>,
    max_bytes: Option<u64>,
    ttl: Option<Duration>,
    time_to_idle: Option<Duration>,
    ttl_jitter: f64,
    seed: u64,
}

/// Why a configuration was rejected.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum ConfigError {
    /// Neither a limit nor a lifetime is set.
    #[error("the cache would grow without bound: set max_entries, max_bytes, ttl or time_to_idle")]
    Unbounded,
    /// `max_entries` is 0.
    #[error("max_entries is 0, so nothing could be kept; leave it out for no limit in entries")]
    ZeroMaxEntries,
    /// `max_bytes` is 0.
    #[error("max_bytes is 0, so nothing could be kept; leave it out for no limit in bytes")]
    ZeroMaxBytes,
    /// A lifetime is below one millisecond.
    #[error("{field} is below 1 ms, so nothing could be read; leave it out for no such limit")]
    LifetimeTooShort {
        /// `ttl` or `time_to_idle`.
        field: &'static str,
    },
    /// A lifetime is beyond [`MAX_LIFETIME`].
    #[error("{field} is longer than 2^40 ms (34 years); leave it out for no such limit")]
    LifetimeTooLong {
        /// `ttl` or `time_to_idle`.
        field: &'static str,
    },
    /// `time_to_idle` is not below `ttl`, so it could never take effect.
    #[error("time_to_idle ({idle:?}) must be below ttl ({ttl:?}), or it could never take effect")]
    IdleNotBelowTtl {
        /// The configured time to idle.
        idle: Duration,
        /// The configured TTL.
        ttl: Duration,
    },
    /// `ttl_jitter` is not a number from 0 up to, but not including, 1.
    #[error("ttl_jitter is {0}; it is the share of a TTL that may be cut off, from 0 to below 1")]
    JitterOutOfRange(f64),
}

/// Why a configuration cannot be changed into another while the cache is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ChangeError {
    /// A field differs that decides how entries are kept.
    #[error("{field} cannot change while the cache is in use; delete the cache and create it anew")]
    Fixed {
        /// `strategy` or `time_to_idle`.
        field: &'static str,
    },
    /// The store cannot keep to a TTL besides the time to idle that there is.
    #[error("ttl cannot be had together with time_to_idle on this store; leave it out")]
    TtlBesidesIdle,
    /// The limits leave a partition without any room.
    #[error("the limits are below one entry and one byte for each of {partitions} partitions")]
    NoRoom {
        /// How many partitions share the limits.
        partitions: u32,
    },
}

impl Config {
    /// Starts a configuration: strategy [`Strategy::S3Fifo`], nothing limited yet.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder(Self {
            strategy: Strategy::default(),
            max_entries: None,
            max_bytes: None,
            ttl: None,
            time_to_idle: None,
            ttl_jitter: 0.0,
            seed: 0,
        })
    }

    /// How the entry to evict is chosen.
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// The most entries kept, if limited.
    pub fn max_entries(&self) -> Option<u64> {
        self.max_entries
    }

    /// The most bytes kept, as the sum of weights, if limited.
    pub fn max_bytes(&self) -> Option<u64> {
        self.max_bytes
    }

    /// How long an entry lives that names no TTL of its own, if limited.
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// How long an entry lives since it was last read or written, if limited.
    pub fn time_to_idle(&self) -> Option<Duration> {
        self.time_to_idle
    }

    /// The share of each TTL, from 0 to below 1, of which a random part is cut off.
    pub fn ttl_jitter(&self) -> f64 {
        self.ttl_jitter
    }

    /// The seed of every random choice: the same seed and the same calls give the same result.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How long an entry lives that names `own` as its TTL, or none; `None` if for ever. `luck`, from 0 to below
    /// 1, says how much of the jitter is cut off.
    pub fn time_to_live(
        &self,
        own: Option<Duration>,
        luck: f64,
    ) -> Result<Option<Duration>, Rejection> {
        let Some(ttl) = own.or(self.ttl).filter(|&ttl| ttl <= MAX_LIFETIME) else {
            return Ok(None);
        };
        let ttl = millis(ttl);
        if ttl == 0 {
            return Err(Rejection::NoTimeToLive);
        }
        let cut = (ttl as f64 * self.ttl_jitter * luck) as u64;
        Ok(Some(Duration::from_millis((ttl - cut).max(1))))
    }

    /// This configuration for the books of a remote store: the server sees to lifetimes, and `headroom`, a
    /// share from 0 to below 1, is taken off the limits.
    pub(crate) fn of_books(&self, headroom: f64) -> Self {
        let kept = 1.0 - if (0.0..1.0).contains(&headroom) { headroom } else { 0.0 };
        let reduce = |limit: u64| ((limit as f64 * kept) as u64).clamp(1, limit);
        Self {
            max_entries: self.max_entries.map(reduce),
            max_bytes: self.max_bytes.map(reduce),
            ttl: None,
            time_to_idle: None,
            ..*self
        }
    }

    /// What a cache keeps to that changes from this configuration to `next` while in use: `next`, but with
    /// the seed it has. Only limits, TTL and jitter can change.
    pub fn changed_to(&self, next: &Self) -> Result<Self, ChangeError> {
        if self.strategy != next.strategy {
            return Err(ChangeError::Fixed { field: "strategy" });
        }
        if self.time_to_idle != next.time_to_idle {
            return Err(ChangeError::Fixed { field: "time_to_idle" });
        }
        Ok(Self { seed: self.seed, ..*next })
    }

    /// The parts of [`changed_to`](Self::changed_to) for `partitions` partitions.
    pub fn change(&self, next: &Self, partitions: u32) -> Result<Vec<Self>, ChangeError> {
        let next = self.changed_to(next)?;
        let parts = (0..partitions).map(|index| next.partition(index.into(), partitions.into()));
        parts.collect::<Option<_>>().ok_or(ChangeError::NoRoom { partitions })
    }

    /// The part of this configuration that falls to partition `index` of `count`: the same but for
    /// the limits, which are split so that the parts add up to the whole, and the seed. `None`
    /// where a part would be left without any room, or `index` is not below `count`.
    pub fn partition(&self, index: u64, count: u64) -> Option<Self> {
        let share = |limit: u64| (limit / count) + u64::from(index < limit % count);
        if index >= count {
            return None;
        }
        let part = Self {
            max_entries: self.max_entries.map(share),
            max_bytes: self.max_bytes.map(share),
            seed: self.seed.wrapping_add(index),
            ..*self
        };
        (part.max_entries != Some(0) && part.max_bytes != Some(0)).then_some(part)
    }
}

/// Collects a [`Config`]; see there for what each setting means.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct ConfigBuilder(Config);

impl ConfigBuilder {
    /// Chooses how the entry to evict is found.
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.0.strategy = strategy;
        self
    }

    /// Keeps at most `entries` entries.
    pub fn max_entries(mut self, entries: u64) -> Self {
        self.0.max_entries = Some(entries);
        self
    }

    /// Keeps at most `bytes` bytes, as the sum of weights.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.0.max_bytes = Some(bytes);
        self
    }

    /// Lets entries live for `ttl` unless they name a TTL of their own.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.0.ttl = Some(ttl);
        self
    }

    /// Lets entries live for `idle` since they were last read or written.
    pub fn time_to_idle(mut self, idle: Duration) -> Self {
        self.0.time_to_idle = Some(idle);
        self
    }

    /// Cuts a random part, up to the share `jitter`, off every TTL, so that entries written together
    /// do not expire together. It never makes a TTL longer.
    pub fn ttl_jitter(mut self, jitter: f64) -> Self {
        self.0.ttl_jitter = jitter;
        self
    }

    /// Sets the seed of every random choice.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = seed;
        self
    }

    /// The configuration, or the first contradiction in it.
    pub fn build(self) -> Result<Config, ConfigError> {
        let config = self.0;
        if config.max_entries == Some(0) {
            return Err(ConfigError::ZeroMaxEntries);
        }
        if config.max_bytes == Some(0) {
            return Err(ConfigError::ZeroMaxBytes);
        }
        check_lifetime("ttl", config.ttl)?;
        check_lifetime("time_to_idle", config.time_to_idle)?;
        if let (Some(idle), Some(ttl)) = (config.time_to_idle, config.ttl)
            && idle >= ttl
        {
            return Err(ConfigError::IdleNotBelowTtl { idle, ttl });
        }
        if !(0.0..1.0).contains(&config.ttl_jitter) {
            return Err(ConfigError::JitterOutOfRange(config.ttl_jitter));
        }
        let limited = config.max_entries.or(config.max_bytes).is_some();
        let mortal = config.ttl.or(config.time_to_idle).is_some();
        if !limited && !mortal {
            return Err(ConfigError::Unbounded);
        }
        Ok(config)
    }
}

fn check_lifetime(field: &'static str, lifetime: Option<Duration>) -> Result<(), ConfigError> {
    match lifetime {
        Some(t) if t < Duration::from_millis(1) => Err(ConfigError::LifetimeTooShort { field }),
        Some(t) if t > MAX_LIFETIME => Err(ConfigError::LifetimeTooLong { field }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_books_of_a_remote_store_leave_lifetimes_to_the_server() {
        let config = Config::builder().max_entries(10).ttl(2 * SECOND).time_to_idle(SECOND);
        let books = config.build().unwrap().of_books(0.5);
        assert_eq!((books.ttl(), books.time_to_idle()), (None, None));
        assert_eq!(books.max_entries(), Some(5));
    }

    #[test]
    fn contradictions_are_rejected_by_name() {
        let check = |builder: ConfigBuilder, want: ConfigError| {
            assert_eq!(builder.build(), Err(want));
            assert!(!want.to_string().is_empty());
        };
        let start = Config::builder;
        check(start(), ConfigError::Unbounded);
        check(start().max_entries(0), ConfigError::ZeroMaxEntries);
        check(start().max_bytes(0).max_entries(1), ConfigError::ZeroMaxBytes);
        check(start().ttl(Duration::ZERO), ConfigError::LifetimeTooShort { field: "ttl" });
        let micros = Duration::from_micros(999);
        check(
            start().time_to_idle(micros),
            ConfigError::LifetimeTooShort { field: "time_to_idle" },
        );
        check(start().ttl(Duration::MAX), ConfigError::LifetimeTooLong { field: "ttl" });
        check(
            start().ttl(SECOND).time_to_idle(SECOND),
            ConfigError::IdleNotBelowTtl { idle: SECOND, ttl: SECOND },
        );
        check(start().ttl(SECOND).ttl_jitter(1.0), ConfigError::JitterOutOfRange(1.0));
        check(start().ttl(SECOND).ttl_jitter(-0.1), ConfigError::JitterOutOfRange(-0.1));
        assert!(matches!(
            start().ttl(SECOND).ttl_jitter(f64::NAN).build(),
            Err(ConfigError::JitterOutOfRange(j)) if j.is_nan()
        ));
    }

    #[test]
    fn one_bound_is_enough() {
        let start = Config::builder;
        for builder in [
            start().max_entries(1),
            start().max_bytes(1),
            start().ttl(MAX_LIFETIME),
            start().time_to_idle(SECOND),
        ] {
            assert!(builder.build().is_ok(), "{builder:?}");
        }
    }

    #[test]
    fn only_limits_and_lifetimes_change() {
        let build = |builder: ConfigBuilder| builder.build().unwrap();
        let now = build(Config::builder().max_entries(10).seed(7));
        let check = |next: ConfigBuilder, want: Result<Option<u64>, ChangeError>| {
            let parts = now.change(&build(next), 2);
            assert_eq!(parts.map(|parts| parts[0].max_entries()), want);
        };
        check(Config::builder().max_entries(3), Ok(Some(2)));
        check(Config::builder().max_bytes(3).ttl(SECOND), Ok(None));
        check(Config::builder().max_entries(1), Err(ChangeError::NoRoom { partitions: 2 }));
        let strategy = ChangeError::Fixed { field: "strategy" };
        check(Config::builder().max_entries(3).strategy(Strategy::Lru), Err(strategy));
        let idle = ChangeError::Fixed { field: "time_to_idle" };
        check(Config::builder().max_entries(3).time_to_idle(SECOND), Err(idle));
        let parts = now.change(&build(Config::builder().max_entries(3).seed(9)), 2).unwrap();
        assert_eq!((parts[0].seed(), parts[1].seed()), (7, 8));
    }

    #[test]
    fn partitions_add_up_to_the_whole() {
        let whole = Config::builder().max_entries(10).max_bytes(1003).build().unwrap();
        let parts: Vec<_> = (0..4).map(|i| whole.partition(i, 4).unwrap()).collect();
        assert_eq!(parts.iter().filter_map(Config::max_entries).sum::<u64>(), 10);
        assert_eq!(parts.iter().filter_map(Config::max_bytes).sum::<u64>(), 1003);
        assert_eq!(whole.partition(4, 4), None);
        assert_eq!(whole.partition(10, 11), None, "one partition would have no room");
    }
}
