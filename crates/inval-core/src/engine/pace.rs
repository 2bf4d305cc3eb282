//! How much is done at once, and when next.

use std::time::Duration;

use super::{Engine, Phase};
use crate::stats::Usage;

/// With nothing to do now, this is waited at the least.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

impl Engine {
    /// Decides when the next step is due.
    pub(super) fn plan(&mut self) {
        self.note_excess();
        if matches!(self.phase, Phase::Vacant) {
            return;
        }
        if self.has_work() {
            self.interval = self.settings.drain_interval;
            self.due = self.now;
            return;
        }
        if self.journal.worked_off > 0 || self.ledger.excess() != Usage::default() {
            self.interval = self.settings.drain_interval;
        }
        let mut due = self.now.saturating_add(self.interval).min(self.lease.renew_at);
        due = due.min(self.scrub.due());
        if let Some(timeout) = self.ledger.next_timeout().and_then(|at| self.clock.local(at)) {
            due = due.min(timeout);
        }
        self.due = due.max(self.now.saturating_add(LEAST_PAUSE));
        self.interval = (self.interval * 2).min(self.settings.idle_interval);
    }

    /// Whether a step now is worth what it costs the server; what is less waits for the next in turn.
    fn has_work(&self) -> bool {
        self.is_leaving
            || matches!(self.phase, Phase::Rebuilding(_))
            || self.journal.backlog >= self.worth_a_step()
            || !self.looks.is_empty()
            || (self.in_entries(self.ledger.excess()) >= self.worth_a_step() && self.shows_reads())
            || self.scrub.is_urgent()
            || self.clock.now(self.now).is_some_and(|now| self.ledger.is_due(now))
    }

    fn worth_a_step(&self) -> u64 {
        u64::from(self.batch.size() / 2)
    }

    /// What `usage` is in entries of the mean weight, if that is more.
    fn in_entries(&self, usage: Usage) -> u64 {
        usage.entries.max(usage.bytes.div_ceil(self.mean_weight()))
    }

    fn mean_weight(&self) -> u64 {
        let Usage { entries, bytes } = self.ledger.usage();
        (bytes / entries.max(1)).max(1)
    }

    /// How many records to read: no more than can be evicted for, so that what is above the limits shows
    /// as a backlog, which slows writers down. At least one, for it may tell of a deletion.
    pub(super) fn records_to_read(&self) -> u32 {
        if !self.is_steady() {
            return self.settings.drain_batch;
        }
        let (usage, mean_weight) = (self.ledger.usage(), self.mean_weight());
        let in_entries = self.room(self.config.max_entries(), usage.entries);
        let max_bytes = self.config.max_bytes().map(|limit| limit / mean_weight);
        let in_bytes = self.room(max_bytes, usage.bytes / mean_weight);
        self.settings.drain_batch.min(in_entries.min(in_bytes))
    }

    /// How many more entries may be booked with `used` of `limit` in use, before others are evicted.
    fn room(&self, limit: Option<u64>, used: u64) -> u32 {
        let Some(limit) = limit else { return u32::MAX };
        let batch = u64::from(self.batch.size());
        let (above, least) = match self.settings.headroom {
            // A quarter of the headroom; writers wait when the backlog is half of it. If even the limit itself
            // is exceeded it was lowered, and they must not wait until it is reached.
            share if share > 0.0 => {
                let headroom = limit as f64 * share / (1.0 - share);
                let is_lowered = used > limit.saturating_add(headroom as u64);
                ((headroom / 4.0) as u64, if is_lowered { batch / 4 } else { 1 })
            }
            _ => (2 * batch, batch / 4),
        };
        let room = limit.saturating_add(above).saturating_sub(used).max(least).max(1);
        u32::try_from(room).unwrap_or(u32::MAX)
    }
}
