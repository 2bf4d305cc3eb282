//! Taking the answer to a step.

use super::clock_stub::Sample;
use super::{
    Candidate, Engine, Look, Pending, Reason, Request, RoundTrip, StepOutcome, StepReply, Verdict,
};
use crate::ledger::Held;
use crate::stats::RemovalCause;
use crate::units::Timestamp;

impl Engine {
    pub(super) fn settle(&mut self, pending: Pending, reply: StepReply, trip: RoundTrip) {
        let Request::Step(step) = &pending.request else { return };
        match reply {
            StepReply::Fenced => {
                self.keep_all(&pending.held);
                self.put_back_looks(&pending);
                self.lose_lease();
            }
            StepReply::Disagrees { generation, position } => {
                self.keep_all(&pending.held);
                self.renewed(trip);
                self.start_over(generation, position);
            }
            StepReply::Done(_) if step.lease.is_zero() => self.lose_lease(),
            StepReply::Done(outcome) => {
                self.renewed(trip);
                self.journal.taken_off();
                self.note_written(&step.accounts);
                self.measure(&pending, &outcome, trip);
                self.take_outcome(&pending, outcome);
            }
        }
    }

    fn take_outcome(&mut self, pending: &Pending, outcome: StepOutcome) {
        let Request::Step(step) = &pending.request else { return };
        let at_end = self.journal.position + outcome.backlog;
        self.judge(pending, &step.evict, &outcome.evicted, at_end);
        for ((group, keys), present) in pending.groups.iter().zip(&step.verify).zip(outcome.present)
        {
            self.counted(*group, keys, present);
        }
        let mut suspects = Vec::new();
        for ((reason, key), look) in pending.reasons.iter().zip(&step.look).zip(&outcome.looks) {
            suspects.extend(self.looked(key, *reason, *look, at_end));
        }
        self.work_off(outcome.backlog, outcome.records);
        outcome.batches.iter().for_each(|batch| self.take_touches(batch));
        let position = self.journal.position + u64::from(self.journal.worked_off);
        if position >= at_end {
            suspects.into_iter().for_each(|suspect| self.found(suspect));
        }
        self.resolve_missing(position);
        self.end_rebuild_if_done();
    }

    fn measure(&mut self, pending: &Pending, outcome: &StepOutcome, trip: RoundTrip) {
        let server = Timestamp::from_millis(outcome.server_us / 1000);
        self.clock.observe(Sample { sent: trip.sent, received: trip.received, server });
        self.has_lfu = outcome.has_lfu;
        let entries = pending.held.len() + 2 * pending.reasons.len();
        self.batch.measured(entries, outcome.held_us);
        self.work.held_us += outcome.held_us;
        self.work.longest_us = self.work.longest_us.max(outcome.held_us);
    }

    fn note_written(&mut self, fields: &[(&'static str, u64)]) {
        if self.written.is_empty() {
            self.written = fields.to_vec();
        }
        for (field, value) in fields {
            if let Some(place) = self.written.iter_mut().find(|(written, _)| written == field) {
                place.1 = *value;
            }
        }
    }

    /// Nothing was decided: whatever was held stays.
    fn keep_all(&mut self, held: &[Held]) {
        held.iter().rev().for_each(|held| self.ledger.give_back(*held));
    }

    fn put_back_looks(&mut self, pending: &Pending) {
        let Request::Step(step) = &pending.request else { return };
        let looks = step.look.iter().cloned().zip(pending.reasons.iter().copied());
        self.looks.extend(looks);
        for key in step.verify.iter().flatten() {
            self.looks.push_back((key.clone(), Reason::Due));
        }
    }

    /// Carries out what the server decided over each candidate.
    fn judge(
        &mut self,
        pending: &Pending,
        candidates: &[Candidate],
        verdicts: &[Verdict],
        at_end: u64,
    ) {
        let verdict = |at: usize| verdicts.get(at).copied().unwrap_or(Verdict::Accessed(0));
        let mut spared = Vec::new();
        // Backwards, so that those that stay stand in their old order at the front of the queue.
        for (at, held) in pending.held.iter().enumerate().rev() {
            match verdict(at) {
                Verdict::Unlinked => self.evicted(*held),
                // Our own first attempt, whose reply was lost, has unlinked it.
                Verdict::Missing if pending.is_repeated => self.evicted(*held),
                Verdict::Missing => {
                    self.ledger.give_back(*held);
                    self.miss(candidates[at].key.clone(), at_end);
                }
                Verdict::Accessed(idle) => {
                    self.ledger.give_back(*held);
                    spared.push((held.id, idle));
                }
            }
        }
        self.work.spared += spared.len() as u64;
        for (id, idle) in spared.into_iter().rev() {
            let at = self.access_time(idle);
            self.ledger.note(id, at);
            self.remember_counter(id, idle);
        }
    }

    fn evicted(&mut self, held: Held) {
        let accessed = self.ledger.accessed(held.id).as_millis();
        let idle = self.server_now().as_millis().saturating_sub(accessed);
        self.idle_at_eviction = (self.idle_at_eviction / 16 * 15).saturating_add(idle / 16);
        self.ledger.let_go(held, RemovalCause::Evicted);
        self.work.evicted += 1;
    }

    /// Takes a key off the books whose time has passed and that the server no longer has.
    pub(super) fn expired(&mut self, key: &[u8]) {
        if let Some(id) = self.ledger.locate(self.hash(key), key) {
            self.ledger.unbook(id, RemovalCause::Expired);
            self.work.expired += 1;
        }
    }

    /// Notes that a key on the books was not there when the journal ended at `at_end`.
    fn miss(&mut self, key: Box<[u8]>, at_end: u64) {
        if !self.missing.iter().any(|(known, _)| *known == key) {
            self.missing.push((key, at_end));
        }
    }

    /// What was missing, and still is after all that the journal had to tell, is off the books.
    fn resolve_missing(&mut self, position: u64) {
        let now = self.server_now();
        for (key, at_end) in std::mem::take(&mut self.missing) {
            if at_end > position {
                self.missing.push((key, at_end));
                continue;
            }
            let Some(id) = self.ledger.locate(self.hash(&key), &key) else { continue };
            match self.ledger.deadline(id) {
                Some(deadline) if deadline <= now.as_millis() + super::DEADLINE_ERROR_MS => {
                    self.expired(&key);
                }
                _ => {
                    self.ledger.unbook(id, RemovalCause::Vanished);
                    self.carried.repaired += 1;
                }
            }
        }
    }

    /// Takes what was found under a key; what only the scrub knows of is handed back, for the
    /// journal may be about to tell of it.
    fn looked(
        &mut self,
        key: &[u8],
        reason: Reason,
        look: Look,
        at_end: u64,
    ) -> Option<super::scrub::Suspect> {
        let id = self.ledger.locate(self.hash(key), key);
        match (look, id) {
            (Look::Missing | Look::Foreign, None) => {}
            (Look::Missing, Some(_)) if reason == Reason::Due => self.expired(key),
            (Look::Missing | Look::Foreign, Some(_)) => self.miss(key.into(), at_end),
            (Look::Present { bytes, ttl_ms, idle }, None) => {
                let found = super::scrub::Suspect { key: key.into(), bytes, ttl_ms, idle };
                if reason == Reason::Scrub {
                    return Some(found);
                }
                self.adopt(found, reason == Reason::Rebuild);
            }
            (Look::Present { bytes, ttl_ms, .. }, Some(id)) => {
                self.compare(id, key, bytes, ttl_ms);
            }
        }
        None
    }
}
