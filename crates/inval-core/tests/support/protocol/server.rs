//! The server of the protocol's model: what it keeps for a partition, and what its scripts do in one go.

pub(crate) const KEYS: usize = 2;
/// Records beyond which a writer has the journal dropped.
pub(crate) const CAP: usize = 2;

/// A key, from 0 to below [`KEYS`].
pub(crate) type Key = usize;
/// Which write a value is from. The books know it by what it weighs.
pub(crate) type Version = u8;
/// A second of the server's clock, on which it dates accesses.
pub(crate) type Second = u8;

/// One way of getting the protocol wrong, to see that the checks notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// Records are taken off wherever the journal stands.
    AcknowledgesAnywhere,
    /// A journal is dropped without raising the generation.
    DropsSilently,
    /// A victim is unlinked although the lease is not held.
    EvictsUnfenced,
    /// A victim is unlinked although a journal was dropped.
    EvictsAfterDrop,
    /// An access is taken for known if it was not after the second in which a record was read.
    TrustsRunningSecond,
    /// The last token is forgotten when the lease expires.
    ForgetsToken,
    /// A step counts even if a later one was done before it.
    TakesOutdatedSteps,
    /// A step that comes again unlinks again what was accessed since it came first.
    EvictsAgain,
    /// A writer that heard nothing repeats the record without the change.
    RepeatsRecordAlone,
    /// A manager goes on with its books although the fate of a step is unknown.
    ResumesInDoubt,
    /// A manager goes on with its books although another one had the lease in between.
    ResumesAfterAnother,
    /// A manager believes records that are older than what it found, or did, on the server.
    ForgetsFindings,
    /// A rebuild believes records from before it began, as if nothing had been evicted since.
    BelievesOldRecords,
    /// A writer does not mind how long the journal is.
    IgnoresBacklog,
}

/// The value under the lease's key. Tokens are unique, so the token stands for the whole of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Lease {
    pub(crate) token: u8,
    /// The process that may renew it, if it lives.
    pub(crate) holder: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Change {
    /// Tells what was written.
    Put,
    /// Tells that the entry was deleted.
    Delete,
    /// Writes, and tells only that something may have happened.
    Blind,
}

/// A change of an entry, and the record of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Write {
    pub(crate) key: Key,
    pub(crate) change: Change,
    pub(crate) version: Version,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Value {
    pub(crate) version: Version,
    pub(crate) accessed: Second,
}

/// An entry that is to go unless it was accessed after the second `known`; its manager has it as `version`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Victim {
    pub(crate) key: Key,
    pub(crate) version: Version,
    pub(crate) known: Second,
}

/// What a manager asks of the server.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Step {
    pub(crate) token: u8,
    pub(crate) generation: u8,
    pub(crate) position: u8,
    /// The records from `position` on that were worked off. Only their number is sent.
    pub(crate) worked_off: Vec<Write>,
    pub(crate) usage: Option<u8>,
    pub(crate) victim: Option<Victim>,
    pub(crate) looks: [bool; KEYS],
}

/// Whether a step was done before; the server sees it by its number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Attempt {
    First,
    Again,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {
    Fenced,
    Disagrees,
    Done { fate: Option<Fate>, values: [Option<Value>; KEYS], backlog: u8 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Gone,
    AccessedSince(Second),
}

/// What must never happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Fault {
    /// A step changed something under a token that was not the last one.
    UnfencedChange,
    /// Records were taken off that were not the ones worked off.
    UnreadAcknowledged,
    /// A version was unlinked that the manager did not know of.
    UnseenEvicted,
    /// A token was not above all before it.
    TokenNotRaised,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Server {
    pub(crate) lease: Option<Lease>,
    pub(crate) token: u8,
    pub(crate) generation: u8,
    pub(crate) drained: u8,
    pub(crate) usage: Option<u8>,
    pub(crate) journal: Vec<Write>,
    pub(crate) values: [Option<Value>; KEYS],
    pub(crate) second: Second,
    pub(crate) fault: Option<Fault>,
}

impl Flaw {
    /// Whether this flaw, or one that shows only with it, makes accesses of the running second known.
    pub(crate) fn trusts_running_second(self) -> bool {
        matches!(
            self,
            Self::TrustsRunningSecond
                | Self::ForgetsFindings
                | Self::EvictsAgain
                | Self::BelievesOldRecords
        )
    }
}

impl Server {
    /// A server with one entry of old, of which no record is left.
    pub(crate) fn new() -> Self {
        Self {
            lease: None,
            token: 0,
            generation: 0,
            drained: 0,
            usage: None,
            journal: Vec::new(),
            values: [Some(Value { version: 0, accessed: 0 }), None],
            second: 1,
            fault: None,
        }
    }

    /// The transaction of a writer.
    pub(crate) fn write(&mut self, write: Write) {
        self.values[write.key] = match write.change {
            Change::Put | Change::Blind => {
                Some(Value { version: write.version, accessed: self.second })
            }
            Change::Delete => None,
        };
        self.journal.push(write);
    }

    /// `overflow.lua`.
    pub(crate) fn overflow(&mut self, flaw: Option<Flaw>) {
        if self.journal.len() > CAP {
            self.journal.clear();
            self.generation += u8::from(flaw != Some(Flaw::DropsSilently));
        }
    }

    /// `acquire.lua`: the token of `process`, if it has the lease now.
    pub(crate) fn acquire(&mut self, process: usize, flaw: Option<Flaw>) -> Option<u8> {
        if let Some(lease) = self.lease {
            return (lease.holder == Some(process)).then_some(lease.token);
        }
        let token = if flaw == Some(Flaw::ForgetsToken) { 1 } else { self.token + 1 };
        if token <= self.token {
            self.note(Fault::TokenNotRaised);
        }
        self.token = token;
        self.lease = Some(Lease { token, holder: Some(process) });
        Some(token)
    }

    /// `step.lua`.
    pub(crate) fn step(&mut self, step: &Step, attempt: Attempt, flaw: Option<Flaw>) -> Reply {
        let before = self.clone();
        let reply = self.run(step, attempt, flaw);
        if *self != before && step.token != self.token {
            self.note(Fault::UnfencedChange);
        }
        reply
    }

    fn run(&mut self, step: &Step, attempt: Attempt, flaw: Option<Flaw>) -> Reply {
        if self.lease.is_none_or(|lease| lease.token != step.token) {
            if flaw == Some(Flaw::EvictsUnfenced) {
                self.evict(step, attempt);
            }
            return Reply::Fenced;
        }
        if !self.acknowledge(step, flaw) {
            if flaw == Some(Flaw::EvictsAfterDrop) {
                self.evict(step, attempt);
            }
            return Reply::Disagrees;
        }
        self.usage = step.usage.or(self.usage);
        let attempt = if flaw == Some(Flaw::EvictsAgain) { Attempt::First } else { attempt };
        let fate = self.evict(step, attempt);
        Reply::Done { fate, values: self.values, backlog: self.journal.len() as u8 }
    }

    /// Takes off what was worked off, unless that was done before; whether the journal stands where the
    /// step says.
    fn acknowledge(&mut self, step: &Step, flaw: Option<Flaw>) -> bool {
        let count = step.worked_off.len();
        if self.generation != step.generation {
            return false;
        }
        let is_due = self.drained == step.position || flaw == Some(Flaw::AcknowledgesAnywhere);
        if is_due && count > 0 {
            let rest = self.journal.split_off(count.min(self.journal.len()));
            if self.journal != step.worked_off {
                self.note(Fault::UnreadAcknowledged);
            }
            self.journal = rest;
            self.drained += count as u8;
            return true;
        }
        self.drained == step.position + count as u8
    }

    fn evict(&mut self, step: &Step, attempt: Attempt) -> Option<Fate> {
        let victim = step.victim?;
        match self.values[victim.key] {
            // What was there the first time is gone, unless it was accessed since.
            Some(value) if value.accessed > victim.known || attempt == Attempt::Again => {
                return Some(Fate::AccessedSince(value.accessed));
            }
            Some(value) if value.version != victim.version => {
                self.note(Fault::UnseenEvicted);
            }
            Some(_) | None => {}
        }
        self.values[victim.key] = None;
        Some(Fate::Gone)
    }

    /// Remembers the first fault; one that costs no more than an entry gives way to others.
    fn note(&mut self, fault: Fault) {
        if self.fault.is_none_or(|noted| noted == Fault::UnseenEvicted) {
            self.fault = Some(fault);
        }
    }
}
