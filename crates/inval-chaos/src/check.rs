//! Compares what clients were told with what the store promises them.
//!
//! A call takes effect at one instant between its question and its answer; one of unknown outcome at one instant after
//! its question, or never. So no order of calls is searched for: only what is certain in every order counts, and calls
//! whose times touch have no certain order.
//!
//! - A write is *settled* by the first answer that proves it took effect: its own, or that of a read that found it.
//! - A value that is read is stale if a change was asked for after the value was settled, and settled before the read
//!   was asked. Of the changes settled by an instant the one asked last decides: a step function of time.
//! - A miss is held against *sightings*: settled writes, and reads that found a value. Each explanation of a miss counts
//!   from an instant on and removes what was there up to another: again steps, whose height is the instant up to
//!   which a sighting proves nothing. Sightings from later, of values whose time may not be over, prove a miss wrong.
//! - A change may have been undone if it was asked before the end of an [`Undone`](Kind::Undone) disturbance, and took
//!   effect, for all that is known, after its beginning. Such a change no longer makes a value stale, and a sighting
//!   from before the end no longer proves a miss wrong; reads that only this explains are counted as excused. What is
//!   seen after the end counts again. It explains no expired value: an entry comes back with the instant it expires at.
//!
//! Each read costs a binary search or two, so a history of n events costs O(n log n).

mod key;
mod changes;
mod sightings;
mod steps;
mod violation;

#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::history::{Act, Event, Outcome, Seen};

use changes::{Change, Changes};
use steps::Steps;

pub use violation::{Breach, Violation};

/// What the store promised during a history, and what happened to it meanwhile.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Which entries must be found.
    pub keeps: Keeps,
    /// What was done to the store that breaks its promises rightly.
    pub disturbances: Vec<Disturbance>,
    /// By how much the server's clock was set back at the most: entries may live longer by it.
    pub clock_set_back: Duration,
    /// By how much an entry may expire too early or too late.
    pub tolerance: Duration,
    /// How long after it was given up a removal or an expiry of unknown outcome may still come; [`Duration::MAX`] where
    /// nothing bounds that.
    pub lateness: Duration,
}

/// Which entries the store promises to keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keeps {
    /// Every entry, until it is removed or expires: no limit is ever reached.
    Everything,
    /// Entries that were written or read less than this ago.
    WhatIsHot(Duration),
    /// None: any entry may be missing.
    Nothing,
}

/// A span of time in which something was done to the store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Disturbance {
    /// When it began; for what undoes changes, when the oldest change that it may undo was answered.
    pub from: Duration,
    /// When it was over for certain.
    pub to: Duration,
    /// What it may do.
    pub kind: Kind,
}

/// What a disturbance may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Remove entries that were written before its end.
    Lost,
    /// Undo changes that were asked before its end and answered after its beginning, so that older values come back.
    Undone,
}

/// What a history amounts to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verdict {
    /// How many reads there were.
    pub reads: u64,
    /// How many of them found nothing.
    pub misses: u64,
    /// How many writes there were, whatever came of them.
    pub writes: u64,
    /// How many invalidations of a key or of all keys there were, whatever came of them.
    pub removals: u64,
    /// How many writes and invalidations were refused.
    pub refused: u64,
    /// How many writes and invalidations are of unknown outcome.
    pub unknown: u64,
    /// How many reads only a disturbance that undoes changes explains.
    pub excused: u64,
    /// What should not have been, by the time at which the reads were asked; one for a read at the most.
    pub violations: Vec<Violation>,
}

/// Holds the reads of a history, whose events may come in any order, to the terms.
pub fn check(events: &[Event], terms: &Terms) -> Verdict {
    let mut verdict = Verdict::default();
    events.iter().for_each(|event| verdict.count(event));
    let circumstances = Circumstances::of(events, terms);
    let mut of_keys: Vec<&Event> = events.iter().filter(|event| !is_clear(event)).collect();
    of_keys.sort_by_key(|event| (event.key, event.asked));
    for of_key in of_keys.chunk_by(|one, other| one.key == other.key) {
        key::judge(of_key, &circumstances, &mut verdict);
    }
    verdict.violations.sort_by_key(|violation| violation.read.asked);
    verdict
}

/// What all keys have in common.
struct Circumstances<'a> {
    terms: &'a Terms,
    clears: Changes<'a>,
    lost: Steps<()>,
    undone: Steps<()>,
}

impl Terms {
    /// Those of a store that nothing happens to and that expires entries within 20 ms of their time.
    pub fn new(keeps: Keeps) -> Self {
        Self {
            keeps,
            disturbances: Vec::new(),
            clock_set_back: Duration::ZERO,
            tolerance: Duration::from_millis(20),
            lateness: Duration::MAX,
        }
    }

    fn spans(&self, kind: Kind) -> Steps<()> {
        let of_kind = self.disturbances.iter().filter(|disturbance| disturbance.kind == kind);
        of_kind.map(|disturbance| (disturbance.from, disturbance.to, ())).collect()
    }
}

impl Verdict {
    fn count(&mut self, event: &Event) {
        let outcome = match event.act {
            Act::Read(seen) => {
                self.reads += 1;
                self.misses += u64::from(seen == Seen::Nothing);
                return;
            }
            Act::Write { outcome, .. } => {
                self.writes += 1;
                outcome
            }
            Act::Invalidate(outcome) | Act::Clear(outcome) => {
                self.removals += 1;
                outcome
            }
        };
        self.refused += u64::from(outcome == Outcome::Refused);
        self.unknown += u64::from(outcome == Outcome::Unknown);
    }
}

impl<'a> Circumstances<'a> {
    fn of(events: &'a [Event], terms: &'a Terms) -> Self {
        let undone = terms.spans(Kind::Undone);
        let clears = events.iter().filter(|event| is_clear(event));
        let clears = Changes::of(clears.filter_map(Change::removal), &undone, terms.lateness);
        Self { terms, clears, lost: terms.spans(Kind::Lost), undone }
    }
}

fn is_clear(event: &Event) -> bool {
    matches!(event.act, Act::Clear(_))
}
