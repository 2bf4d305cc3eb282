//! Bringing the books up to date with what clients tell and what looks find.

use super::{Engine, Phase, Reason, scrub::Suspect};
use crate::ledger::Arrival;
use crate::record::{AccessBatch, Record};
use crate::slab::Id;
use crate::stats::{RemovalCause, Usage};
use crate::units::{Timestamp, Weight};

/// A record that waited no longer than this is dated by when it was read.
const PROMPT_MS: u64 = 100;
/// The longest time that an LFU counter can tell of, if each step of it is taken as a minute.
const LFU_STEPS: u64 = 255;
const LFU_STEP_MS: u64 = 60_000;

impl Engine {
    /// Works off records; `backlog` was the length of the journal when they were read.
    pub(super) fn work_off(&mut self, backlog: u64, records: Vec<Vec<u8>>) {
        let now = self.server_now();
        // Records may have come in between the script and the reading.
        self.journal.backlog = backlog.saturating_sub(records.len() as u64);
        for record in &records {
            match Record::decode(record) {
                Ok(record) => self.apply(record, now),
                Err(_) => {
                    self.carried.poisoned += 1;
                    self.scrub.hurry();
                }
            }
        }
        if self.journal.backlog == 0 {
            self.journal.empty_at = now;
        }
        self.work.records += records.len() as u64;
        self.journal.worked_off = records.len() as u32;
        self.journal.last_record = records.into_iter().next_back().unwrap_or_default();
    }

    fn apply(&mut self, record: Record<'_>, now: Timestamp) {
        let key = record.key();
        match record {
            Record::Put { bytes, ttl_ms, .. } => {
                let was_missing = self.forget_missing(key);
                let written = self.written_at(now);
                let deadline = ttl_ms.map(|ttl| written.as_millis().saturating_add(ttl));
                self.book(key, u64::from(bytes), deadline, now);
                if was_missing {
                    self.looks.push_back((key.into(), Reason::Told));
                }
            }
            Record::Deleted { .. } => {
                self.forget_missing(key);
                if let Some(id) = self.ledger.locate(self.hash(key), key) {
                    self.unbook_deleted(id, now);
                }
            }
            Record::Look { .. } => self.looks.push_back((key.into(), Reason::Told)),
        }
    }

    /// When a record was written: now, if it cannot have waited for long. Otherwise as early as it
    /// may have been, for it does no harm to look for an expired entry too early.
    fn written_at(&self, now: Timestamp) -> Timestamp {
        let earliest = self.journal.empty_at.as_millis();
        Timestamp::from_millis(earliest.saturating_add(PROMPT_MS).min(now.as_millis()))
    }

    fn unbook_deleted(&mut self, id: Id, now: Timestamp) {
        let expired = self.ledger.deadline(id).is_some_and(|at| at <= now.as_millis());
        let cause = if expired { RemovalCause::Expired } else { RemovalCause::Invalidated };
        self.ledger.unbook(id, cause);
    }

    fn forget_missing(&mut self, key: &[u8]) -> bool {
        let before = self.missing.len();
        self.missing.retain(|(missing, _)| **missing != *key);
        self.missing.len() < before
    }

    fn book(&mut self, key: &[u8], bytes: u64, deadline: Option<u64>, now: Timestamp) -> Id {
        let weight = Weight::of_len(key.len().saturating_add(bytes as usize));
        let arrival = Arrival {
            hash: self.hash(key),
            key: Box::from(key),
            value: super::LFU_INITIAL,
            weight,
            ttl: None,
        };
        self.ledger.book(arrival, deadline, now).0
    }

    /// Notes the reads of a batch.
    pub(super) fn take_touches(&mut self, batch: &[u8]) {
        let now = self.server_now();
        for key in AccessBatch::keys(batch) {
            if let Some(id) = self.ledger.locate(self.hash(key), key) {
                self.ledger.note(id, now);
            }
        }
    }

    /// When an entry was last accessed, from its idle time in seconds or its LFU counter.
    pub(super) fn access_time(&self, idle: u64) -> Timestamp {
        let age_ms = match self.has_lfu {
            true => LFU_STEPS.saturating_sub(idle).saturating_mul(LFU_STEP_MS),
            false => idle.saturating_mul(1000),
        };
        Timestamp::from_millis(self.server_now().as_millis().saturating_sub(age_ms))
    }

    pub(super) fn remember_counter(&mut self, id: Id, idle: u64) {
        if self.has_lfu {
            *self.ledger.value_mut(id) = u8::try_from(idle).unwrap_or(u8::MAX);
        }
    }

    /// Takes an entry into the books that was found on the server.
    pub(super) fn adopt(&mut self, found: Suspect, by_rebuild: bool) {
        let now = self.server_now();
        let Suspect { key, bytes, ttl_ms, idle } = found;
        let deadline = ttl_ms.map(|ttl| now.as_millis().saturating_add(ttl));
        let id = self.book(&key, bytes, deadline, now);
        let at = self.access_time(idle);
        self.ledger.date(id, at);
        self.remember_counter(id, idle);
        if let Phase::Rebuilding(rebuild) = &mut self.phase
            && by_rebuild
        {
            let weight = u64::from(self.ledger.weight(id));
            rebuild.found += Usage { entries: 1, bytes: weight };
        }
    }

    /// Takes an entry into the books that the scrub has found and the journal did not tell of.
    pub(super) fn found(&mut self, suspect: Suspect) {
        if self.ledger.locate(self.hash(&suspect.key), &suspect.key).is_none() {
            self.adopt(suspect, false);
            self.carried.repaired += 1;
        }
    }

    /// Puts an entry's weight and deadline right by what was found.
    pub(super) fn compare(&mut self, id: Id, key: &[u8], bytes: u64, ttl_ms: Option<u64>) {
        let now = self.server_now();
        let deadline = ttl_ms.map(|ttl| now.as_millis().saturating_add(ttl));
        let weight = Weight::of_len(key.len().saturating_add(bytes as usize));
        if self.ledger.weight(id) == weight.bytes() {
            self.ledger.reschedule(id, deadline);
        } else {
            self.book(key, bytes, deadline, now);
        }
    }
}
