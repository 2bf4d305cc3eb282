//! Taking the answer to a step.

use super::findings::{IDLE_S, Moment};
use super::{Engine, Pending, Phase, Reason, Request, RoundTrip, StepOutcome, StepReply, Verdict};
use crate::clock::TimeSample;
use crate::ledger::Held;
use crate::slab::Id;
use crate::stats::RemovalCause;
use crate::units::Timestamp;

/// How long a second of the server's idle clock lasts at the most: it lags by up to 200 ms.
const SECOND_MS: u64 = 1_200;

impl Engine {
    pub(super) fn settle(&mut self, pending: Pending, reply: StepReply, trip: RoundTrip) {
        let Request::Step(step) = &pending.request else { return };
        match reply {
            StepReply::Fenced => {
                self.keep_all(&pending.held);
                self.put_back_looks(&pending);
                // An attempt before this one may have been done.
                self.lose_lease(!pending.is_repeated);
            }
            StepReply::Disagrees { generation, .. } => {
                self.keep_all(&pending.held);
                self.start_over();
                // Unless it is that writers have dropped the journal, it may be another server, which knows of no reads.
                if generation <= self.journal.generation {
                    self.doubts.mistrust_rebuild();
                }
            }
            StepReply::Done(_) if step.lease.is_zero() => self.lose_lease(false),
            StepReply::Done(outcome) => {
                self.steps = step.number;
                self.renewed(trip);
                self.journal.taken_off();
                if !pending.accounts.is_empty() {
                    self.written.clone_from(&pending.accounts);
                }
                let time = self.measure(&pending, &outcome, trip);
                self.take_outcome(pending, outcome, time);
            }
        }
    }

    fn take_outcome(&mut self, pending: Pending, outcome: StepOutcome, time: Timestamp) {
        let Request::Step(step) = pending.request else { return };
        let at_end = self.journal.position.saturating_add(outcome.backlog);
        let moment = Moment { at_end, time };
        self.journal.reached(at_end, time);
        if let Phase::Rebuilding(rebuild) = &mut self.phase {
            rebuild.begin(at_end);
        }
        self.note_kind(&outcome, time);
        self.judge(&pending.held, &outcome.evicted, outcome.was_done_before, moment);
        for ((group, keys), present) in pending.groups.iter().zip(step.verify).zip(outcome.present)
        {
            self.counted(*group, keys, present);
        }
        for ((reason, key), look) in pending.reasons.iter().zip(step.look).zip(outcome.looks) {
            self.find(key, *reason, look, moment);
        }
        self.work_off(outcome.backlog, outcome.records, moment);
        self.look_at_unknown();
        outcome.batches.iter().for_each(|batch| self.take_touches(batch, time));
        // Counters do not depend on the clock.
        if self.doubts.take_set_back() && !self.has_lfu {
            // A look puts right when the server thinks that an entry was accessed.
            self.start_over();
            self.doubts.mistrust_rebuild();
        } else {
            self.end_rebuild_if_done();
        }
    }

    /// Learns from how long things took. Returns the earliest that the script may have run.
    fn measure(&mut self, pending: &Pending, outcome: &StepOutcome, trip: RoundTrip) -> Timestamp {
        let RoundTrip { sent, received } = trip;
        let sample = TimeSample { sent, received, server_us: outcome.server_us };
        let verdict = self.clock.observe(sample, self.now);
        self.doubts.note_clock(verdict, self.server_now(), self.now);
        let entries = pending.held.len() + 2 * pending.reasons.len();
        self.batch.measured(entries, outcome.held_us);
        if let Request::Step(step) = &pending.request {
            self.counts.measured(step.verify.iter().map(Vec::len).sum(), outcome.counted_us);
        }
        let held_us = outcome.held_us.saturating_add(outcome.counted_us);
        self.work.held_us = self.work.held_us.saturating_add(held_us);
        self.work.longest_us = self.work.longest_us.max(outcome.held_us);
        let elapsed = self.now.as_millis().saturating_sub(sent.as_millis());
        Timestamp::from_millis(self.server_now().as_millis().saturating_sub(elapsed))
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
        held: &[Held],
        verdicts: &[Verdict],
        was_done_before: bool,
        moment: Moment,
    ) {
        let mut spared = Vec::new();
        // Backwards, so that those that stay stand in their old order at the front of the queue.
        for (held, verdict) in held.iter().zip(verdicts).rev() {
            match verdict {
                Verdict::Unlinked => self.evicted(*held, moment),
                // Our own first attempt, whose reply was lost, has unlinked it.
                Verdict::Missing if was_done_before => self.evicted(*held, moment),
                Verdict::Missing => {
                    self.ledger.give_back(*held);
                    self.find_missing(self.ledger.key(held.id).clone(), moment.at_end);
                }
                Verdict::Accessed(idle) => {
                    self.ledger.give_back(*held);
                    spared.push((held.id, *idle));
                }
            }
        }
        self.work.spared += spared.len() as u64;
        for (id, idle) in spared.into_iter().rev() {
            let at = self.access_time(idle, moment.time);
            if self.may_be_later(id, at) {
                self.ledger.note(id, at);
            }
            self.remark(id, idle, moment.time);
            if idle < IDLE_S {
                self.doubts.spare(id, self.now);
            }
            if self.is_of_the_future(idle) {
                self.looks.push_back((self.ledger.key(id).clone(), Reason::Scrub));
            }
        }
    }

    /// Whether an access at `at`, by the idle clock, may have come after the last that the books tell of. An entry without
    /// such a one waits in its place: were it put behind those accessed later, these would go first.
    fn may_be_later(&self, id: Id, at: Timestamp) -> bool {
        let latest = at.as_millis() / 1000 * 1000 + SECOND_MS;
        let is_in_doubt = self.doubts.is_looked_at(id) || self.doubts.is_unsettled(self.now);
        self.has_lfu || is_in_doubt || latest > self.ledger.accessed(id).as_millis()
    }

    fn evicted(&mut self, held: Held, moment: Moment) {
        let accessed = self.ledger.accessed(held.id).as_millis();
        let idle = self.server_now().as_millis().saturating_sub(accessed);
        self.idle_at_eviction = (self.idle_at_eviction / 16 * 15).saturating_add(idle / 16);
        // A counter says nothing of when an entry was last accessed.
        let idle = (!self.has_lfu).then_some(idle);
        if let Some(gone) = self.ledger.let_go(held, idle) {
            self.note_removal(Some(&gone));
            self.find_unlinked(gone.key, moment.at_end);
        }
        self.work.evicted += 1;
    }

    /// Takes a key off the books whose time has passed and that the server no longer has.
    pub(super) fn expired(&mut self, key: &[u8]) {
        if let Some(id) = self.ledger.locate(self.hash(key), key) {
            self.unbook(id, RemovalCause::Expired);
            self.work.expired += 1;
        }
    }
}
