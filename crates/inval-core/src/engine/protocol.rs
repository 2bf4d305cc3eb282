//! What the engine asks of whoever does its I/O, and what it is answered.

use std::time::Duration;

use crate::units::Timestamp;

/// Something to be sent to the server. Every request may be sent again if its fate is unknown.
#[derive(Clone, PartialEq, Eq)]
pub enum Request {
    /// Take the lease, or take it anew, then read the accounts; answered by [`Reply::Granted`] or
    /// [`Reply::Taken`].
    Acquire {
        /// How long the lease lasts.
        lease: Duration,
        /// The fencing token has to be higher than this, so that what was sent before is fenced.
        above: u64,
    },
    /// Do one step under the lease; answered by [`Reply::Stepped`].
    Step(Step),
    /// Read a page of the names of entries; answered by [`Reply::Scanned`].
    Scan {
        /// Where to go on; 0 begins.
        cursor: u64,
        /// About how many names the server shall go through.
        count: u32,
    },
}

/// One step of a manager: the script `step.lua`, then reads of the journal and the access buffer.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// Its number: one more than that of the last step done in this partition.
    pub number: u64,
    /// The fencing token under which the lease is held.
    pub token: u64,
    /// How long the lease is to last from now on; zero gives it up.
    pub lease: Duration,
    /// The generation of the journal as far as is known.
    pub generation: u64,
    /// How many records were taken off the journal so far.
    pub position: u64,
    /// How many more have been worked off.
    pub worked_off: u32,
    /// The last of those; empty if there is none.
    pub last_record: Vec<u8>,
    /// Fields of the accounts to be written.
    pub accounts: Vec<(&'static str, u64)>,
    /// Entries to be unlinked unless they were accessed since.
    pub evict: Vec<Candidate>,
    /// Keys to be looked at.
    pub look: Vec<Box<[u8]>>,
    /// Groups of keys of which those still there are to be counted.
    pub verify: Vec<Vec<Box<[u8]>>>,
    /// The most records to be read from the journal.
    pub records: u32,
    /// The most batches to be taken from the access buffer.
    pub batches: u32,
}

/// An entry that is to go, unless it was accessed since.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its key.
    pub key: Box<[u8]>,
    /// The second of its last known access (Unix time), or its LFU counter where the server keeps those.
    pub known: u64,
}

/// What came of a [`Request`].
#[derive(Clone, PartialEq, Eq)]
pub enum Reply {
    /// The lease is ours.
    Granted {
        /// The fencing token.
        token: u64,
        /// All fields of the accounts that are numbers.
        accounts: Vec<(String, u64)>,
    },
    /// Somebody else has the lease.
    Taken {
        /// For how much longer, unless it is renewed.
        remaining: Duration,
    },
    /// What came of a step.
    Stepped(StepReply),
    /// A page of the names of entries.
    Scanned {
        /// Where to go on; 0 if this was the last page.
        cursor: u64,
        /// The keys of the page, without what their names begin with.
        keys: Vec<Box<[u8]>>,
    },
    /// The request failed, or its fate is unknown. It will be made again.
    Failed,
}

/// What came of a [`Step`].
#[derive(Clone, PartialEq, Eq)]
pub enum StepReply {
    /// The lease is not ours any more; nothing was done.
    Fenced,
    /// The journal is not what we thought; nothing was done.
    Disagrees {
        /// Its generation.
        generation: u64,
        /// How many records were taken off it.
        position: u64,
    },
    /// All of it was done.
    Done(StepOutcome),
}

impl StepReply {
    /// Whether there is an answer to everything that `step` asks.
    pub(super) fn fits(&self, step: &Step) -> bool {
        let Self::Done(outcome) = self else { return true };
        outcome.evicted.len() == step.evict.len()
            && outcome.looks.len() == step.look.len()
            && outcome.present.len() == step.verify.len()
            && outcome.records.len() <= step.records as usize
    }
}

/// What a step found.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct StepOutcome {
    /// Whether the same step had been done before, by an attempt whose reply was lost: then nothing
    /// was unlinked this time.
    pub was_done_before: bool,
    /// Records in the journal after those worked off were taken off.
    pub backlog: u64,
    /// Whether the server tells LFU counters instead of idle times.
    pub has_lfu: bool,
    /// The server's time at the end of the script, in microseconds of Unix time.
    pub server_us: u64,
    /// How long the script held the server, in microseconds.
    pub held_us: u64,
    /// How long counting the groups of keys held it after that, at the most, in microseconds.
    pub counted_us: u64,
    /// For each entry to be evicted, in order, what became of it.
    pub evicted: Vec<Verdict>,
    /// For each key to be looked at, in order, what was there.
    pub looks: Vec<Look>,
    /// For each group of keys, in order, how many of them are there.
    pub present: Vec<u64>,
    /// Records read from the journal, oldest first.
    pub records: Vec<Vec<u8>>,
    /// Batches taken from the access buffer.
    pub batches: Vec<Vec<u8>>,
}

/// What became of an entry that was to be evicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It was unlinked.
    Unlinked,
    /// It was not there.
    Missing,
    /// It was accessed since, so it stays: its idle time in seconds, or its LFU counter.
    Accessed(u64),
}

/// What was found under a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    /// Nothing.
    Missing,
    /// Something that is no string, which inval never writes.
    Foreign,
    /// A value.
    Present {
        /// Its bytes.
        bytes: u64,
        /// Milliseconds until it expires, if it does.
        ttl_ms: Option<u64>,
        /// Its idle time in seconds, or its LFU counter.
        idle: u64,
    },
}

/// When a request left and when its answer came, on the caller's clock.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrip {
    /// When the request was sent.
    pub sent: Timestamp,
    /// When the reply was there.
    pub received: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_answers_less_or_more_than_was_asked_does_not_fit() {
        let key = || Box::from(*b"k");
        let step = Step {
            evict: vec![Candidate { key: key(), known: 0 }],
            look: vec![key()],
            verify: vec![vec![key()]],
            records: 1,
            ..Step::default()
        };
        let outcome = StepOutcome {
            evicted: vec![Verdict::Missing],
            looks: vec![Look::Missing],
            present: vec![0],
            records: vec![vec![]],
            ..StepOutcome::default()
        };
        let check = |change: fn(&mut StepOutcome), fits: bool| {
            let mut outcome = outcome.clone();
            change(&mut outcome);
            assert_eq!(StepReply::Done(outcome).fits(&step), fits);
        };
        check(|_| (), true);
        check(|outcome| outcome.records.clear(), true);
        check(|outcome| outcome.records.push(vec![]), false);
        check(|outcome| outcome.evicted.clear(), false);
        check(|outcome| outcome.evicted.push(Verdict::Missing), false);
        check(|outcome| outcome.looks.clear(), false);
        check(|outcome| outcome.looks.push(Look::Missing), false);
        check(|outcome| outcome.present.clear(), false);
        check(|outcome| outcome.present.push(0), false);
        assert!(StepReply::Fenced.fits(&step));
    }
}
