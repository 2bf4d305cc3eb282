//! A manager of the protocol's model: its books, what it asks for and what it makes of the answers.

use super::server::{
    Attempt, Change, Fate, Flaw, KEYS, Key, Reply, Second, Server, Step, Value, Version, Victim,
    Write,
};

/// What a manager has on its books for a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Entry {
    pub(crate) version: Version,
    /// The second of the last access it knows of.
    known: Second,
}

/// What was under a key when the journal ended at `at_end`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Finding {
    at_end: u8,
    entry: Option<Entry>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Manager {
    /// Whether it believes to have the lease.
    pub(crate) is_holding: bool,
    pub(crate) token: u8,
    generation: u8,
    position: u8,
    /// Records worked off that are still to be taken off.
    worked_off: Vec<Write>,
    pub(crate) entries: [Option<Entry>; KEYS],
    /// Where the journal ended when the rebuild began: the scan has seen what comes before.
    begins: u8,
    /// How many keys the scan of the rebuild has passed.
    scanned: usize,
    /// Keys to be looked at.
    looks: [bool; KEYS],
    /// What was found, until the books stand where the journal ended then.
    findings: [Option<Finding>; KEYS],
    /// The second in which the journal was last read to its end.
    read_to_end: Second,
    /// The usage on the server, as far as is known.
    told: Option<u8>,
    /// A step of which no answer came; it is repeated until one does.
    unheard: Option<(Step, Attempt)>,
}

impl Manager {
    /// Takes the lease with `token`. It goes on with its books if nobody else had it in between.
    pub(crate) fn take_over(&mut self, token: u8, server: &Server, flaw: Option<Flaw>) {
        let was_alone = token == self.token + 1 || flaw == Some(Flaw::ResumesAfterAnother);
        if self.scanned == KEYS && was_alone && self.accepts(server) {
            (self.token, self.is_holding) = (token, true);
        } else {
            self.rebuild(token, server, flaw);
        }
    }

    /// Reads up to `count` records.
    pub(crate) fn read(&mut self, count: usize, server: &Server) {
        if count >= server.journal.len() {
            self.read_to_end = server.second;
        }
        for write in server.journal.iter().take(count) {
            self.apply(*write, server.second);
        }
    }

    /// Has the scan pass one more key, if one is left.
    pub(crate) fn scan(&mut self, server: &Server) -> Option<()> {
        let value = server.values.get(self.scanned)?;
        self.looks[self.scanned] |= value.is_some();
        self.scanned += 1;
        Some(())
    }

    /// Has an entry looked for whose time has passed, if it has `expired`.
    pub(crate) fn doubt(&mut self, key: Key, expired: Version) -> Option<()> {
        self.entries[key].filter(|entry| entry.version == expired)?;
        self.looks[key] = true;
        Some(())
    }

    /// The next step, or the last one if its fate is unknown.
    pub(crate) fn compose(&self, tells: bool, victim: Option<Key>, flaw: Option<Flaw>) -> Step {
        if let Some((step, _)) = &self.unheard {
            return step.clone();
        }
        let usage = self.usage();
        let is_news = tells && self.is_rebuilt() && self.told != Some(usage);
        Step {
            token: self.token,
            generation: self.generation,
            position: self.position,
            worked_off: self.worked_off.clone(),
            usage: is_news.then_some(usage),
            victim: victim.and_then(|key| self.nominate(key, flaw)),
            looks: self.looks,
        }
    }

    /// Waits for the answer to `step`, which may never come.
    pub(crate) fn sent(&mut self, step: Step) {
        let attempt = self.attempt();
        self.unheard = Some((step, attempt));
    }

    /// Learns that `step` was done; not that it knows.
    pub(crate) fn was_done(&mut self, done: &Step) {
        if let Some((step, attempt)) = &mut self.unheard
            && step == done
        {
            *attempt = Attempt::Again;
        }
    }

    /// What the server will take the next step for.
    pub(crate) fn attempt(&self) -> Attempt {
        self.unheard.as_ref().map_or(Attempt::First, |(_, attempt)| *attempt)
    }

    /// Takes the answer to `step`.
    pub(crate) fn hear(&mut self, step: &Step, reply: Reply, server: &Server, flaw: Option<Flaw>) {
        let was_repeated = self.unheard.take().is_some();
        match reply {
            Reply::Fenced => {
                self.is_holding = false;
                let in_doubt = was_repeated && flaw != Some(Flaw::ResumesInDoubt);
                if in_doubt || self.scanned < KEYS {
                    *self = Self::default();
                }
            }
            Reply::Disagrees => self.rebuild(self.token, server, flaw),
            Reply::Done { fate, values, backlog } => {
                self.taken_off();
                self.done(step, fate, values, self.position + backlog);
                if flaw == Some(Flaw::ForgetsFindings) {
                    self.findings.iter_mut().flatten().for_each(|found| found.at_end = 0);
                }
                self.settle_findings();
            }
        }
    }

    /// Forgets what makes no difference any more, so that worlds that are alike are one.
    pub(crate) fn forget(&mut self, may_evict: bool) {
        if self.begins <= self.stands_at() {
            self.begins = 0;
        }
        if !may_evict {
            self.read_to_end = 0;
            self.entries.iter_mut().flatten().for_each(|entry| entry.known = 0);
            let found = self.findings.iter_mut().flatten().flat_map(|found| &mut found.entry);
            found.for_each(|entry| entry.known = 0);
        }
    }

    /// How many entries it has on its books.
    pub(crate) fn usage(&self) -> u8 {
        self.entries.iter().flatten().count() as u8
    }

    /// Whether it waits for an answer.
    pub(crate) fn is_waiting(&self) -> bool {
        self.unheard.is_some()
    }

    /// Whether it may read on: all that was read is taken off.
    pub(crate) fn may_read(&self) -> bool {
        !self.is_waiting() && self.worked_off.is_empty()
    }

    /// Whether its books should be true.
    pub(crate) fn is_steady(&self, server: &Server) -> bool {
        self.is_holding
            && server.lease.is_some_and(|lease| lease.token == self.token)
            && self.is_rebuilt()
            && self.may_read()
            && server.journal.is_empty()
            && (self.generation, self.position) == (server.generation, server.drained)
    }

    /// Whether all that it knows is told.
    pub(crate) fn has_told(&self) -> bool {
        self.told == Some(self.usage())
    }

    fn is_rebuilt(&self) -> bool {
        self.scanned == KEYS && self.looks == [false; KEYS]
    }

    fn rebuild(&mut self, token: u8, server: &Server, flaw: Option<Flaw>) {
        let (generation, position) = (server.generation, server.drained);
        let begins = match flaw {
            Some(Flaw::BelievesOldRecords) => position,
            _ => position + server.journal.len() as u8,
        };
        *self = Self { is_holding: true, token, generation, position, begins, ..Self::default() };
    }

    /// Whether the server's journal goes on where this stands, with or without what was worked off last.
    fn accepts(&mut self, server: &Server) -> bool {
        if server.drained == self.stands_at() {
            self.taken_off();
        }
        (self.generation, self.position) == (server.generation, server.drained)
    }

    /// How far it has read.
    fn stands_at(&self) -> u8 {
        self.position + self.worked_off.len() as u8
    }

    fn taken_off(&mut self) {
        self.position = self.stands_at();
        self.worked_off.clear();
    }

    fn apply(&mut self, write: Write, second: Second) {
        let Write { key, change, version } = write;
        match change {
            _ if self.stands_at() < self.begins => {}
            Change::Put => self.entries[key] = Some(Entry { version, known: second }),
            Change::Delete => self.entries[key] = None,
            Change::Blind => self.looks[key] = true,
        }
        self.worked_off.push(write);
        self.settle_findings();
    }

    /// What was found takes the place of what the journal told up to then.
    fn settle_findings(&mut self) {
        let stands = self.stands_at();
        for (entry, finding) in self.entries.iter_mut().zip(&mut self.findings) {
            if let Some(found) = finding.take_if(|found| found.at_end <= stands) {
                *entry = found.entry;
            }
        }
    }

    /// A victim that nothing is in doubt about. Whatever was written in the second in which the journal
    /// was last read to its end, or later, may be unknown, so an access that late is none to go by.
    fn nominate(&self, key: Key, flaw: Option<Flaw>) -> Option<Victim> {
        let entry = self.entries[key].filter(|_| !self.looks[key])?;
        let found = self.findings[key].and_then(|found| found.entry).unwrap_or(entry);
        let known = match flaw {
            Some(flaw) if flaw.trusts_running_second() => entry.known,
            _ => entry.known.min(self.read_to_end.checked_sub(1)?),
        };
        Some(Victim { key, version: found.version, known })
    }

    fn done(&mut self, step: &Step, fate: Option<Fate>, values: [Option<Value>; KEYS], at_end: u8) {
        self.told = step.usage.or(self.told);
        if let (Some(victim), Some(fate)) = (step.victim, fate) {
            let entry = &mut self.entries[victim.key];
            match fate {
                Fate::Gone => {
                    *entry = None;
                    self.findings[victim.key] = Some(Finding { at_end, entry: None });
                }
                Fate::AccessedSince(second) => {
                    *entry = entry.map(|entry| Entry { known: second, ..entry });
                }
            }
        }
        for key in (0..KEYS).filter(|&key| step.looks[key]) {
            let found = |Value { version, accessed }| Entry { version, known: accessed };
            let entry = values[key].map(found);
            self.findings[key] = Some(Finding { at_end, entry });
            self.looks[key] = false;
        }
    }
}
