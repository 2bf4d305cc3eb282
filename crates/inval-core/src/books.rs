//! What a ledger and its policy share: entries, deadlines and limits.

use crate::config::Config;
use crate::deadlines::Deadlines;
use crate::slab::{MAX_ENTRIES, Slab};
use crate::stats::Usage;

/// The part of a ledger that its policy works on.
#[repr(C)]
pub(crate) struct Books<K, V> {
    pub(crate) slab: Slab<K, V>,
    pub(crate) deadlines: Deadlines,
    pub(crate) limits: Limits,
}

/// The most entries and bytes that a part of the cache may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            entries: config.max_entries().unwrap_or(u64::MAX).min(MAX_ENTRIES),
            bytes: config.max_bytes().unwrap_or(u64::MAX),
        }
    }

    /// These limits, raised as far as `usage` is above them.
    pub(crate) fn raised_to(self, usage: Usage) -> Self {
        Self { entries: self.entries.max(usage.entries), bytes: self.bytes.max(usage.bytes) }
    }

    /// What `usage` is above these limits.
    pub(crate) fn excess(self, usage: Usage) -> Usage {
        Usage {
            entries: usage.entries.saturating_sub(self.entries),
            bytes: usage.bytes.saturating_sub(self.bytes),
        }
    }

    /// Whether `usage` is above a limit.
    pub(crate) fn are_below(self, usage: Usage) -> bool {
        usage.entries > self.entries || usage.bytes > self.bytes
    }

    /// The part `share` (0 to 1) of these limits, at least one entry and one byte.
    pub(crate) fn share(self, share: f64) -> Self {
        let part = |limit: u64| ((limit as f64 * share).round() as u64).max(1);
        Self { entries: part(self.entries), bytes: part(self.bytes) }
    }

    /// Whether `usage` has reached a limit, so that nothing more fits.
    pub(crate) fn are_reached_by(self, usage: Usage) -> bool {
        usage.entries >= self.entries || usage.bytes >= self.bytes
    }
}
