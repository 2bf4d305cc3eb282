//! Bringing the books up to date with what clients tell.

use super::findings::Moment;
use super::{Engine, Phase, Reason};
use crate::ledger::Arrival;
use crate::record::{AccessBatch, Record};
use crate::slab::Id;
use crate::stats::RemovalCause;
use crate::units::{Timestamp, Weight};

/// A record that waited no longer than this is dated by when it was read.
const PROMPT_MS: u64 = 100;

impl Engine {
    /// Works off records; `backlog` was the length of the journal when they were read.
    pub(super) fn work_off(&mut self, backlog: u64, records: Vec<Vec<u8>>, read: Moment) {
        // Records may have come in between the script and the reading.
        self.journal.backlog = backlog.saturating_sub(records.len() as u64);
        let mut position = self.journal.position;
        for record in &records {
            self.settle_findings(position);
            let written = self.journal.written_after(position).as_millis();
            // It does no harm to look for an expired entry too early.
            let written = written.saturating_add(PROMPT_MS).min(read.time.as_millis());
            match Record::decode(record) {
                Ok(record) => {
                    self.apply(record, Timestamp::from_millis(written));
                    if self.predates_rebuild(position) {
                        self.note_found(record.key());
                        self.looks.push_back((record.key().into(), Reason::Told));
                    }
                    self.unbook_unlinked(record.key(), position);
                }
                Err(_) => {
                    self.carried.note_poisoned();
                    self.scrub.hurry();
                }
            }
            position = position.saturating_add(1);
        }
        self.settle_findings(position);
        self.work.records += records.len() as u64;
        self.journal.worked_off = records.len() as u32;
        self.journal.last_record = records.into_iter().next_back().unwrap_or_default();
    }

    /// Notes that nobody knows how old an entry is.
    fn note_found(&mut self, key: &[u8]) {
        if let Some(id) = self.ledger.locate(self.hash(key), key) {
            self.ledger.note_found(id);
        }
    }

    fn predates_rebuild(&self, position: u64) -> bool {
        matches!(&self.phase, Phase::Rebuilding(rebuild) if rebuild.is_older(position))
    }

    fn apply(&mut self, record: Record<'_>, written: Timestamp) {
        match record {
            Record::Put { key, bytes, ttl_ms } => {
                let deadline = ttl_ms.map(|ttl| written.as_millis().saturating_add(ttl));
                self.book(key.into(), u64::from(bytes), deadline, self.mark(written, None));
            }
            Record::Deleted { key } => {
                if let Some(id) = self.ledger.locate(self.hash(key), key) {
                    self.unbook_deleted(id);
                }
            }
            Record::Look { key } => self.looks.push_back((key.into(), Reason::Told)),
        }
    }

    /// Takes off the books at once what was written before we unlinked it, for it is gone and must not
    /// push out what is there. What was counted as evicted was the last of these, and each replaced one.
    fn unbook_unlinked(&mut self, key: &[u8], position: u64) {
        if self.unlinked.get(key).is_some_and(|at_end| *at_end > position)
            && let Some(id) = self.ledger.locate(self.hash(key), key)
        {
            self.unbook(id, RemovalCause::Replaced);
        }
    }

    fn unbook_deleted(&mut self, id: Id) {
        let now = self.server_now().as_millis();
        let expired = self.ledger.deadline(id).is_some_and(|at| at <= now);
        let cause = if expired { RemovalCause::Expired } else { RemovalCause::Invalidated };
        self.unbook(id, cause);
    }

    pub(super) fn unbook(&mut self, id: Id, cause: RemovalCause) {
        let gone = self.ledger.unbook(id, cause);
        self.note_removal(gone.as_ref());
    }

    pub(super) fn book(
        &mut self,
        key: Box<[u8]>,
        bytes: u64,
        deadline: Option<u64>,
        mark: u32,
    ) -> Id {
        let weight = super::findings::weight(&key, bytes);
        let weight = Weight::new(u32::try_from(weight).unwrap_or(u32::MAX));
        let arrival = Arrival { hash: self.hash(&key), key, value: mark, weight, ttl: None };
        let (id, gone) = self.ledger.book(arrival, deadline, self.server_now());
        self.note_removal(gone.as_ref());
        self.doubts.forget(id);
        id
    }

    /// Notes the reads of a batch that was taken at `time`.
    pub(super) fn take_touches(&mut self, batch: &[u8], time: Timestamp) {
        let now = self.server_now();
        for key in AccessBatch::keys(batch) {
            if let Some(id) = self.ledger.locate(self.hash(key), key) {
                self.ledger.note(id, now);
                if !self.has_lfu {
                    *self.ledger.value_mut(id) = self.mark(time, None);
                }
            }
        }
    }
}
