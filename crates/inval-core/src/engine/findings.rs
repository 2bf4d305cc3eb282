//! What was found on the server, and how it goes on the books once the journal has told all that was known then.

use super::{Engine, Look, Phase, Reason};
use crate::slab::Id;
use crate::stats::{RemovalCause, Usage};
use crate::units::{Timestamp, Weight};

/// How far the deadline of an entry on the books may be off the server's, in milliseconds: what is due is
/// put off by as much until the server has been asked.
pub(super) const DEADLINE_ERROR_MS: u64 = 1000;

/// An idle time is told in whole seconds: an access may be so much older than it says.
const IDLE_ERROR_S: u64 = 1;

/// What was accessed in the second of a look is as if it had been written then.
pub(super) const IDLE_S: u64 = 1;

/// Something that was true when the journal ended at `at_end`. Up to there the journal tells of the
/// time before, so it is compared with the books when they stand just there: whatever differs
/// then, nobody has told.
pub(super) struct Finding {
    at_end: u64,
    key: Box<[u8]>,
    what: Found,
}

#[derive(Clone, Copy)]
enum Found {
    /// We have unlinked it. The books know, but records of older writes may still come.
    Unlinked,
    /// It was not there.
    Missing { was_due: bool },
    /// It was there.
    Present { value: Value, reason: Reason },
}

/// What a look found under a key.
#[derive(Clone, Copy)]
struct Value {
    bytes: u64,
    deadline: Option<u64>,
    accessed: Timestamp,
    mark: u32,
    /// Whether it had not been accessed for a while before the look.
    is_idle: bool,
}

impl Engine {
    pub(super) fn find_unlinked(&mut self, key: Box<[u8]>, at_end: u64) {
        self.unlinked.insert(key.clone(), at_end);
        self.findings.push_back(Finding { at_end, key, what: Found::Unlinked });
    }

    pub(super) fn find_missing(&mut self, key: Box<[u8]>, at_end: u64) {
        let what = Found::Missing { was_due: false };
        self.findings.push_back(Finding { at_end, key, what });
    }

    /// Notes what a look found at `time`.
    pub(super) fn find(&mut self, key: Box<[u8]>, reason: Reason, look: Look, found: Moment) {
        let Moment { at_end, time } = found;
        let what = match look {
            Look::Missing | Look::Foreign => Found::Missing { was_due: reason == Reason::Due },
            Look::Present { bytes, ttl_ms, idle } => {
                let deadline = ttl_ms.map(|ttl| time.as_millis().saturating_add(ttl));
                let (accessed, mark) = (self.access_time(idle, time), self.mark(time, Some(idle)));
                let is_idle = idle >= IDLE_S;
                let value = Value { bytes, deadline, accessed, mark, is_idle };
                Found::Present { value, reason }
            }
        };
        self.findings.push_back(Finding { at_end, key, what });
    }

    /// Settles what was found when the journal did not reach beyond `position`.
    pub(super) fn settle_findings(&mut self, position: u64) {
        while let Some(finding) = self.findings.pop_front_if(|found| found.at_end <= position) {
            let Finding { at_end, key, what } = finding;
            let unlinked_at = self.unlinked.get(&key).copied();
            match (what, self.ledger.locate(self.hash(&key), &key)) {
                (Found::Present { value, reason }, Some(id)) => {
                    self.compare(id, key, value, reason);
                }
                // It was on the books when it came due, so we have taken it off since.
                (Found::Present { reason: Reason::Due, .. }, None) => {}
                // We have unlinked it since it was found.
                (Found::Present { .. }, None) if unlinked_at.is_some() => {}
                (Found::Present { value, reason }, None) => self.adopt(key, value, reason),
                // What the journal told of it up to here has been taken off as it was read.
                (Found::Unlinked, _) if unlinked_at == Some(at_end) => {
                    self.unlinked.remove(&key);
                }
                (Found::Missing { was_due }, Some(id)) => self.miss(id, was_due),
                (Found::Unlinked, _) | (Found::Missing { .. }, None) => {}
            }
        }
    }

    /// Takes an entry into the books that they did not know.
    fn adopt(&mut self, key: Box<[u8]>, value: Value, reason: Reason) {
        let id = self.book(key, value.bytes, value.deadline, value.mark);
        self.ledger.date(id, value.accessed);
        self.remember_look(id, value);
        self.note_if_untold(id, reason);
        let weight = u64::from(self.ledger.weight(id));
        match &mut self.phase {
            Phase::Rebuilding(rebuild) if reason == Reason::Rebuild => {
                rebuild.found += Usage { entries: 1, bytes: weight };
            }
            _ if reason == Reason::Scrub => self.carried.note_repaired(),
            _ => {}
        }
    }

    /// Puts an entry's weight and deadline right, and notes a read that nobody told of. The look itself
    /// counts as an access on the server, so from now on that is what is known.
    fn compare(&mut self, id: Id, key: Box<[u8]>, value: Value, reason: Reason) {
        if u64::from(self.ledger.weight(id)) != weight(&key, value.bytes) {
            if reason != Reason::Told {
                self.carried.note_repaired();
            }
            let id = self.book(key, value.bytes, value.deadline, value.mark);
            self.remember_look(id, value);
            self.note_if_untold(id, reason);
            return;
        }
        if reason == Reason::Told {
            // It was written, or a condition was not met.
            self.ledger.note_found(id);
        }
        self.ledger.reschedule(id, value.deadline);
        let known = self.known(*self.ledger.value(id));
        let accessed = match self.has_lfu {
            true => u64::from(value.mark),
            false => (value.accessed.as_millis() / 1000).saturating_sub(IDLE_ERROR_S),
        };
        if accessed > known {
            self.ledger.note(id, value.accessed);
        }
        *self.ledger.value_mut(id) = value.mark;
        self.remember_look(id, value);
    }

    /// Remembers that a read of an idle entry does not show for a while.
    fn remember_look(&mut self, id: Id, found: Value) {
        if found.is_idle && self.is_steady() && !self.has_lfu {
            self.doubts.look(id, self.now);
        }
    }

    fn miss(&mut self, id: Id, was_due: bool) {
        let latest = self.server_now().as_millis().saturating_add(DEADLINE_ERROR_MS);
        if was_due || self.ledger.deadline(id).is_some_and(|deadline| deadline <= latest) {
            self.unbook(id, RemovalCause::Expired);
            self.work.expired += 1;
        } else {
            self.unbook(id, RemovalCause::Vanished);
            self.carried.note_repaired();
        }
    }

    /// Nobody knows when an entry was written of which no record told.
    fn note_if_untold(&mut self, id: Id, reason: Reason) {
        if reason != Reason::Told || !self.is_steady() {
            self.ledger.note_found(id);
        }
    }
}

/// A moment of the server: how far the journal reached, and the earliest it may have been.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) at_end: u64,
    pub(super) time: Timestamp,
}

/// What an entry weighs.
pub(super) fn weight(key: &[u8], bytes: u64) -> u64 {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    u64::from(Weight::of_len(key.len().saturating_add(bytes)).bytes())
}
