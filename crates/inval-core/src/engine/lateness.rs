//! How late the engine is: with what has expired, and with what is above the limits.

use super::Engine;
use crate::stats::Usage;
use crate::units::Timestamp;

/// What was above the limits at a time. New excess does not make it older.
#[derive(Debug)]
pub(super) struct Excess {
    since: Timestamp,
    /// It is worked off when as much has left the books in all.
    until: Usage,
}

impl Engine {
    /// Looks whether what was above the limits has been worked off, and what is above them now.
    pub(super) fn note_excess(&mut self) {
        let (excess, released) = (self.ledger.excess(), self.ledger.released());
        let is_above = self.is_steady() && excess != Usage::default();
        let is_pending = |noted: &Excess| {
            released.entries < noted.until.entries || released.bytes < noted.until.bytes
        };
        if !is_above || !self.excess.as_ref().is_some_and(is_pending) {
            self.note_overdue();
            let mut until = released;
            until += excess;
            self.excess = is_above.then_some(Excess { since: self.now, until });
        }
    }

    /// Notes for how long what is above the limits has been.
    pub(super) fn note_overdue(&mut self) {
        if let Some(excess) = &self.excess {
            let late_ms = self.now.as_millis().saturating_sub(excess.since.as_millis());
            self.work.overdue_ms = self.work.overdue_ms.max(late_ms);
        }
    }

    /// Notes how long ago the time of the entries passed that are to be looked after now.
    pub(super) fn note_due(&mut self) {
        // While it is not sure what the server's clock shows, nor is what it says of deadlines.
        if self.doubts.is_time_sure() {
            let late = self.ledger.overdue(self.server_now());
            self.work.overdue_ms = self.work.overdue_ms.max(late.as_millis() as u64);
        }
    }
}
