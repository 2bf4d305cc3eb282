//! The removals of late of one namespace, as many as there is room for: of which keys, why, when.

use std::collections::VecDeque;
use std::time::Duration;

use inval_core::{RemovalCause, Weight};

use crate::explain::{PastRemoval, Remembered};

/// The smallest share of keys is one of 2^HIGHEST.
const HIGHEST: u32 = 32;

/// An entry that left. The digest of its key stands for the key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone {
    pub(crate) digest: u64,
    pub(crate) cause: RemovalCause,
    pub(crate) weight: Weight,
}

/// A ring of removals. Where it would reach back less than the horizon, it keeps those alone whose digests end in
/// `level` zeros, one of 2^level keys, so that of a key either all removals are there or none.
///
/// Times are on a clock of the caller's, from when this was made; one before an earlier one counts as that one.
pub(crate) struct Recent {
    most: usize,
    horizon: Duration,
    /// In the order in which they came.
    notes: VecDeque<(Duration, Gone)>,
    level: u32,
    /// When the level changed last.
    changed: Duration,
    now: Duration,
    /// Up to when removals have been pushed out for want of room.
    pushed_out: Duration,
    /// Since when keys have been remembered, by the zeros that their digests end in.
    since: [Duration; HIGHEST as usize + 1],
}

/// Whether the removals of a key are remembered at a level.
pub(crate) fn is_included(digest: u64, level: u32) -> bool {
    zeros(digest) >= level
}

fn zeros(digest: u64) -> u32 {
    digest.trailing_zeros().min(HIGHEST)
}

impl Recent {
    /// Room for `most` removals, which is at least 1, to reach back for `horizon`. It allocates as they come.
    pub(crate) fn new(most: usize, horizon: Duration) -> Self {
        Self {
            most: most.max(1),
            horizon,
            notes: VecDeque::new(),
            level: 0,
            changed: Duration::ZERO,
            now: Duration::ZERO,
            pushed_out: Duration::ZERO,
            since: [Duration::ZERO; HIGHEST as usize + 1],
        }
    }

    /// Of 2^level keys the removals of one are remembered.
    pub(crate) fn level(&self) -> u32 {
        self.level
    }

    /// Notes a removal, if it is of a key whose removals are remembered. Amortised O(1).
    pub(crate) fn note(&mut self, gone: Gone, now: Duration) {
        self.review(now);
        while self.notes.len() == self.most && is_included(gone.digest, self.level) {
            self.make_room();
        }
        if is_included(gone.digest, self.level) {
            self.notes.push_back((self.now, gone));
        }
    }

    /// Remembers more keys if, as removals came during the last horizon, there is ample room for it.
    pub(crate) fn review(&mut self, now: Duration) {
        self.now = self.now.max(now);
        if self.level == 0 || self.now - self.changed < self.horizon {
            return;
        }
        let start = self.now - self.horizon;
        let mut count = self.notes.len() - self.notes.partition_point(|(at, _)| *at <= start);
        while self.level > 0 && 4 * count <= self.most {
            self.level -= 1;
            self.since[self.level as usize] = self.now;
            self.changed = self.now;
            count *= 2;
        }
    }

    /// The removals that are remembered of a key, newest first, and which are remembered at all but for those that
    /// were missed.
    pub(crate) fn recall(&mut self, digest: u64, now: Duration) -> (Vec<PastRemoval>, Remembered) {
        self.review(now);
        let of_key = self.notes.iter().rev().filter(|(_, gone)| gone.digest == digest);
        let removals = of_key.map(|(at, gone)| PastRemoval {
            cause: gone.cause,
            weight: gone.weight,
            ago: self.now - *at,
        });
        let zeros = zeros(digest).max(self.level);
        let since = self.since[zeros as usize].max(self.pushed_out);
        let remembered = Remembered {
            one_in: 1 << self.level,
            includes_key: is_included(digest, self.level),
            since: self.now - since,
            missed: 0,
        };
        (removals.collect(), remembered)
    }

    /// Pushes out what is oldest if it is old enough, else halves the share of keys.
    fn make_room(&mut self) {
        let Some(&(oldest, _)) = self.notes.front() else { return };
        if self.now - oldest >= self.horizon || self.level == HIGHEST {
            self.notes.pop_front();
            self.pushed_out = oldest;
            return;
        }
        self.level += 1;
        self.changed = self.now;
        let level = self.level;
        self.notes.retain(|(_, gone)| is_included(gone.digest, level));
    }
}

#[cfg(test)]
mod tests;
