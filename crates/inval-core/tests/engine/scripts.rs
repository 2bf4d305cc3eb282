//! What the manager's requests do on the server: the scripts, and the commands that follow them.

use std::time::Duration;

use inval_core::engine::{Look, Reply, Request, Step, StepOutcome, StepReply, Verdict};

use super::server::Server;

/// What the script costs, and what each key in it does, in microseconds.
const SCRIPT_US: u64 = 15;
const KEY_US: u64 = 2;

impl Server {
    pub(crate) fn perform(&mut self, request: &Request, holder: u32) -> Reply {
        self.expire();
        match request {
            Request::Acquire { lease, above } => self.acquire(*lease, *above, holder),
            Request::Step(step) => Reply::Stepped(self.step(step, holder)),
            Request::Scan { cursor, count } => self.scan(*cursor, *count),
        }
    }

    fn acquire(&mut self, lease: Duration, above: u64, holder: u32) -> Reply {
        let (now, lifetime) = (self.now(), lease.as_millis() as u64);
        let token = match &mut self.lease {
            Some((token, held_by, expires)) if *held_by == holder && *token > above => {
                *expires = now + lifetime;
                *token
            }
            Some((_, held_by, expires)) if *held_by != holder => {
                *expires = (*expires).min(now + lifetime);
                return Reply::Taken { remaining: Duration::from_millis(*expires - now) };
            }
            _ => {
                let token = self.account("token").max(above) + 1;
                self.accounts.insert("token".to_owned(), token);
                self.lease = Some((token, holder, now + lifetime));
                token
            }
        };
        let accounts = self.accounts.iter().map(|(field, value)| (field.clone(), *value));
        Reply::Granted { token, accounts: accounts.collect() }
    }

    fn step(&mut self, step: &Step, holder: u32) -> StepReply {
        let reply = self.script(step, holder);
        // The rest of the pipeline is done whatever the script says.
        let present = step.verify.iter().map(|group| {
            group.iter().filter(|key| self.values.contains_key(&key[..])).count() as u64
        });
        let present = present.collect();
        self.truth.counted += step.verify.iter().map(|group| group.len() as u64).sum::<u64>();
        let records = self.journal.iter().take(step.records as usize).cloned().collect();
        let batches = (step.batches as usize).min(self.accesses.len());
        let batches = self.accesses.drain(..batches).collect();
        match reply {
            StepReply::Done(outcome) => {
                StepReply::Done(StepOutcome { present, records, batches, ..outcome })
            }
            other => other,
        }
    }

    fn script(&mut self, step: &Step, holder: u32) -> StepReply {
        let now = self.now();
        match &mut self.lease {
            Some((token, held_by, expires)) if (*token, *held_by) == (step.token, holder) => {
                *expires = now + step.lease.as_millis() as u64;
            }
            _ => return StepReply::Fenced,
        }
        self.expire();
        let was_done_before = self.account("steps") == step.number;
        if !self.agrees(step, was_done_before) {
            let (generation, position) = (self.account("generation"), self.account("drained"));
            return StepReply::Disagrees { generation, position };
        }
        self.accounts.insert("steps".to_owned(), step.number);
        for (field, value) in &step.accounts {
            self.accounts.insert((*field).to_owned(), *value);
        }
        let clock = now.saturating_sub(200) / 1000;
        let evicted = step.evict.iter().map(|candidate| {
            let Some(answer) = self.last_access(&candidate.key) else { return Verdict::Missing };
            let is_cold = match self.has_lfu {
                true => candidate.known <= 255 && answer <= candidate.known,
                false => is_cold(clock, answer, candidate.known),
            };
            if is_cold && !was_done_before { Verdict::Unlinked } else { Verdict::Accessed(answer) }
        });
        let evicted: Vec<_> = evicted.collect();
        for (candidate, _) in
            step.evict.iter().zip(&evicted).filter(|(_, v)| **v == Verdict::Unlinked)
        {
            self.drop_value(&candidate.key);
            self.truth.evicted += 1;
            let is_told = !self.journal.iter().any(|record| record.ends_with(&candidate.key));
            self.truth.evicted_untold += u64::from(!is_told);
        }
        let looks: Vec<_> = step.look.iter().map(|key| self.look(key)).collect();
        let held_us = SCRIPT_US + KEY_US * (evicted.len() + looks.len()) as u64;
        let has_keys = evicted.iter().any(|verdict| *verdict != Verdict::Missing)
            || looks.iter().any(|look| *look != Look::Missing);
        StepReply::Done(StepOutcome {
            was_done_before,
            backlog: self.journal.len() as u64,
            has_lfu: self.has_lfu && has_keys,
            server_us: now * 1000,
            held_us,
            evicted,
            looks,
            ..StepOutcome::default()
        })
    }

    /// Whether accounts and journal are what the manager thinks; if so, takes off what it worked off.
    fn agrees(&mut self, step: &Step, was_done_before: bool) -> bool {
        let (position, count) = (self.account("drained"), u64::from(step.worked_off));
        let agrees = self.account("generation") == step.generation
            && (was_done_before || self.account("steps") + 1 == step.number);
        if agrees && count > 0 && position == step.position {
            let is_same = self.journal.get(count as usize - 1) == Some(&step.last_record);
            if is_same {
                self.journal.drain(..count as usize);
                self.accounts.insert("drained".to_owned(), position + count);
            }
            return is_same;
        }
        agrees && position == step.position + count
    }

    fn look(&mut self, key: &[u8]) -> Look {
        let Some(before) = self.last_access(key) else { return Look::Missing };
        let now = self.now();
        let Some(value) = self.touch(key) else { return Look::Missing };
        let ttl_ms = value.expires.map(|at| at - now);
        let bytes = value.bytes;
        let idle = if self.has_lfu { self.last_access(key).unwrap_or(before) } else { before };
        Look::Present { bytes, ttl_ms, idle }
    }

    /// What is there throughout comes at least once, what comes and goes perhaps, some things twice.
    fn scan(&mut self, cursor: u64, count: u32) -> Reply {
        if self.empty_pages > 0 {
            self.empty_pages -= 1;
            return Reply::Scanned { cursor: cursor.max(1), keys: Vec::new() };
        }
        let page = self.places.range(cursor + u64::from(cursor > 0)..).take(count as usize);
        let page: Vec<_> = page.map(|(place, key)| (*place, Box::from(&key[..]))).collect();
        let end = page.len() < count as usize;
        let cursor = page.last().filter(|_| !end).map_or(0, |(place, _)| *place);
        let mut keys: Vec<Box<[u8]>> = page.into_iter().map(|(_, key)| key).collect();
        if self.random.once_in(3) {
            keys.extend(keys.first().cloned());
        }
        Reply::Scanned { cursor, keys }
    }
}

/// What step.lua decides by an idle time.
fn is_cold(clock: u64, answer: u64, known: u64) -> bool {
    answer < 1 << 23 && known <= clock + 1 && clock.saturating_sub(answer) <= known
}
