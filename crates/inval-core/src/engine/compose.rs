//! Putting the next step together.

use std::time::Duration;

use super::accounts::{LEFT, changed};
use super::findings::DEADLINE_ERROR_MS;
use super::{Candidate, Engine, Group, MOST_LOOKS, Pending, Request, Step};
use crate::stats::Usage;
use crate::strategy::Strategy;

/// Keys counted by one command.
const GROUP: usize = 256;
/// Batches of the access buffer taken at once.
const BATCHES: u32 = 16;
/// What a look costs, measured in evictions.
const LOOK_COST: u32 = 2;
/// Entries evicted at this age or older are told apart well enough by a clock that ticks in seconds.
const CLOCK_SUFFICES_MS: u64 = 60_000;

impl Engine {
    pub(super) fn compose(&mut self) -> Pending {
        let mut step = Step {
            number: self.steps.saturating_add(1),
            token: self.lease.token,
            lease: if self.is_leaving { Duration::ZERO } else { self.settings.lease },
            generation: self.journal.generation,
            position: self.journal.position,
            worked_off: self.journal.worked_off,
            last_record: self.journal.last_record.clone(),
            records: self.records_to_read(),
            batches: BATCHES,
            ..Step::default()
        };
        let mut pending = Pending::of(Request::Scan { cursor: 0, count: 0 });
        if self.is_steady() {
            let accounts = self.accounts();
            step.accounts = changed(&accounts, &self.written);
            if self.is_leaving {
                step.accounts.push((LEFT, self.lease.token));
            }
            pending.accounts = accounts.into_iter().map(|(_, value)| Some(value)).collect();
        }
        if self.is_steady() && !self.is_leaving {
            let doubtful = self.verify_due(&mut step, &mut pending);
            self.nominate(doubtful, &mut step, &mut pending);
            if let Some(page) = self.scrub_page() {
                step.verify.push(page);
                pending.groups.push(Group::Scrub);
            }
        }
        self.take_looks(&mut step, &mut pending);
        pending.request = Request::Step(step);
        pending
    }

    /// Has what should have expired counted on the server. Returns what it weighs.
    fn verify_due(&mut self, step: &mut Step, pending: &mut Pending) -> Usage {
        let now = self.server_now();
        self.note_due();
        let mut doubtful = Usage::default();
        // Those that wait for a closer look come first.
        let most = if self.looks.len() < MOST_LOOKS { self.counts.size() as usize } else { 0 };
        let due = std::iter::from_fn(|| self.ledger.next_due(now, DEADLINE_ERROR_MS)).take(most);
        let due: Vec<_> = due.collect();
        for group in due.chunks(GROUP) {
            let keys = group.iter().map(|&id| {
                doubtful.add(self.ledger.weight(id));
                self.ledger.key(id).clone()
            });
            step.verify.push(keys.collect());
            pending.groups.push(Group::Due);
        }
        for (key, _) in self.looks.iter().filter(|(_, reason)| *reason == super::Reason::Due) {
            if let Some(id) = self.ledger.locate(self.hash(key), key) {
                doubtful.add(self.ledger.weight(id));
            }
        }
        doubtful
    }

    /// Picks what has to go to keep the limits. What is in doubt, because it should have expired, is
    /// taken as gone: it must not push out what is alive.
    fn nominate(&mut self, doubtful: Usage, step: &mut Step, pending: &mut Pending) {
        // How much more is due is not known, and what the server's clock shows may not be.
        if self.ledger.is_due(self.server_now())
            || !self.doubts.is_time_sure()
            || !self.shows_reads()
        {
            return;
        }
        self.doubts.pass(self.now);
        for _ in 0..self.batch.size() {
            let Some(held) = self.ledger.nominate(doubtful) else { return };
            // Nothing is cold that was accessed after 1970.
            let is_in_doubt = self.doubts.is_looked_at(held.id);
            let known = if is_in_doubt { 0 } else { self.known(*self.ledger.value(held.id)) };
            step.evict.push(Candidate { key: self.ledger.key(held.id).clone(), known });
            pending.held.push(held);
        }
    }

    /// Whether a read shows that came after the look of a rebuild: not in the same second, and then something that was
    /// just read would pass for cold.
    pub(super) fn shows_reads(&self) -> bool {
        self.has_lfu || self.doubts.shows_reads(self.now)
    }

    fn take_looks(&mut self, step: &mut Step, pending: &mut Pending) {
        let room = self.batch.size().saturating_sub(step.evict.len() as u32) / LOOK_COST;
        let count = self.looks.len().min(room.max(1) as usize);
        for (key, reason) in self.looks.drain(..count) {
            step.look.push(key);
            pending.reasons.push(reason);
        }
    }

    fn accounts(&self) -> Vec<(&'static str, u64)> {
        let (stats, touch_permille) = (self.stats(), self.touch_permille());
        super::Accounts { stats, touch_permille, ..super::Accounts::default() }.managed_fields()
    }

    /// Of a thousand reads, how many clients should tell. None while there is room, or where reads do
    /// not matter; all where the policy counts them, or where the server's clock is too coarse.
    fn touch_permille(&self) -> u64 {
        let usage = self.ledger.usage();
        let has_room = |limit: Option<u64>, used: u64| limit.is_none_or(|limit| used < limit / 2);
        if has_room(self.config.max_entries(), usage.entries)
            && has_room(self.config.max_bytes(), usage.bytes)
        {
            return 0;
        }
        let is_coarse = self.has_lfu || self.idle_at_eviction < CLOCK_SUFFICES_MS;
        match self.config.strategy() {
            Strategy::Fifo | Strategy::Ttl => 0,
            Strategy::Lru if !is_coarse => 0,
            _ => 1000,
        }
    }
}
