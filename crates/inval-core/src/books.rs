//! What a ledger and its policy share: entries, deadlines and limits.

use crate::deadlines::Deadlines;
use crate::slab::Slab;
use crate::stats::Usage;

/// The part of a ledger that its policy works on.
#[repr(C)]
pub(crate) struct Books<K, V> {
    pub(crate) slab: Slab<K, V>,
    pub(crate) deadlines: Deadlines,
    pub(crate) limits: Limits,
}

/// The most entries and bytes that a part of the cache may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

impl Limits {
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
