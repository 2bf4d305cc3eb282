//! The names of the strategies: which entry goes first when a limit is reached.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How a namespace chooses the entry to evict. Every strategy removes expired entries first, honours
/// limits in entries and in bytes, and works in amortised constant time per operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Strategy {
    /// The entry that would expire soonest; entries without a TTL last, oldest first.
    Ttl,
    /// The least recently used entry.
    Lru,
    /// The least frequently used entry, least recently used among equals. Counts are halved after
    /// every ten accesses per entry, so that a new hot set takes over from an old one; of counts that
    /// become equal by this, the lower goes first.
    Lfu,
    /// The entry that was inserted first.
    Fifo,
    /// SIEVE: a hand sweeps a FIFO and spares what was read since it last passed (Zhang et al.,
    /// NSDI 2024).
    Sieve,
    /// S3-FIFO: a small probationary FIFO, a main FIFO with second chances, and a memory of what
    /// left (Yang et al., SOSP 2023). The default: good miss ratios at the cost of a FIFO.
    #[default]
    S3Fifo,
    /// W-TinyLFU: an LRU window before a segmented LRU, guarded by a frequency sketch (Einziger et
    /// al., ACM ToS 2017). The window's share follows what comes back soon after it was evicted.
    WTinyLfu,
}

/// A text that names no strategy.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("unknown strategy; known are ttl, lru, lfu, fifo, sieve, s3-fifo and w-tinylfu")]
pub struct UnknownStrategy;

impl Strategy {
    /// All strategies, simplest first.
    pub const ALL: [Self; 7] =
        [Self::Ttl, Self::Fifo, Self::Lru, Self::Lfu, Self::Sieve, Self::S3Fifo, Self::WTinyLfu];

    /// The name by which configuration, command line and metrics know the strategy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttl => "ttl",
            Self::Lru => "lru",
            Self::Lfu => "lfu",
            Self::Fifo => "fifo",
            Self::Sieve => "sieve",
            Self::S3Fifo => "s3-fifo",
            Self::WTinyLfu => "w-tinylfu",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, UnknownStrategy> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or(UnknownStrategy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_no_other() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        for wrong in ["", "LRU", "s3fifo", "lru "] {
            assert_eq!(wrong.parse::<Strategy>(), Err(UnknownStrategy));
        }
        for strategy in Strategy::ALL {
            assert!(UnknownStrategy.to_string().contains(strategy.name()));
        }
    }
}
