//! Judges the reads of one key.

use std::time::Duration;

use crate::history::{Act, Event, Outcome, Seen, Value};

use super::changes::{Change, Changes};
use super::sightings::{Sighting, Sightings};
use super::violation::{Breach, Violation};
use super::{Circumstances, Keeps, Verdict};

/// Adds what is wrong or excused about the reads among the events of one key, in the order in which they were asked.
pub(super) fn judge(events: &[&Event], circumstances: &Circumstances<'_>, verdict: &mut Verdict) {
    let writes = writes_of(events);
    let own = events.iter().filter_map(|event| Change::removal(event));
    let own =
        own.chain(writes.iter().filter_map(|write| write.change(circumstances.terms.tolerance)));
    let own = Changes::of(own, &circumstances.undone, circumstances.terms.lateness);
    let key = Key { own, writes, circumstances };
    let sightings = key.judge_found(events, verdict);
    if circumstances.terms.keeps != Keeps::Nothing {
        key.judge_missing(events, sightings, verdict);
    }
}

struct Key<'a> {
    writes: Vec<Write<'a>>,
    own: Changes<'a>,
    circumstances: &'a Circumstances<'a>,
}

/// A write, with the first call whose answer proves that it took effect, if one does.
#[derive(Clone, Copy)]
struct Write<'a> {
    event: &'a Event,
    value: Value,
    ttl: Option<Duration>,
    outcome: Outcome,
    settled_by: Option<&'a Event>,
}

/// What a read that found a value amounts to.
enum Ruling<'a> {
    Right(&'a Write<'a>),
    Excused(&'a Write<'a>),
    Wrong { breach: Breach, write: Option<&'a Write<'a>>, change: Option<&'a Event> },
}

impl<'a> Key<'a> {
    /// Judges the reads that found something, and returns the sightings, by when the values were there at the latest.
    fn judge_found(&self, events: &[&'a Event], verdict: &mut Verdict) -> Vec<Sighting<'_>> {
        let tolerance = self.circumstances.terms.tolerance;
        let written = self
            .writes
            .iter()
            .filter_map(|write| Some(write.sighting(write.event, write.settled()?, tolerance)));
        let mut sightings: Vec<_> = written.collect();
        for read in events {
            let ruling = match read.act {
                Act::Read(Seen::Garbage) => {
                    Ruling::Wrong { breach: Breach::Garbage, write: None, change: None }
                }
                Act::Read(Seen::Value(value)) => self.rule(read, value),
                _ => continue,
            };
            let write = match ruling {
                Ruling::Right(write) => write,
                Ruling::Excused(write) => {
                    verdict.excused += 1;
                    write
                }
                Ruling::Wrong { breach, write, change } => {
                    verdict.violations.push(Violation {
                        write: write.map(|write| *write.event),
                        shown: write.and_then(|write| write.settled_by).copied(),
                        change: change.copied(),
                        ..Violation::new(breach, read)
                    });
                    continue;
                }
            };
            sightings.push(write.sighting(read, read.answered, tolerance));
        }
        sightings.sort_by_key(|sighting| sighting.until);
        sightings
    }

    fn rule(&self, read: &Event, value: Value) -> Ruling<'_> {
        let Ok(at) = self.writes.binary_search_by_key(&value, |write| write.value) else {
            return Ruling::Wrong { breach: Breach::NeverWritten, write: None, change: None };
        };
        let write = &self.writes[at];
        let wrong = |breach, change| Ruling::Wrong { breach, write: Some(write), change };
        if read.answered < write.event.asked {
            return wrong(Breach::BeforeItsWrite, None);
        }
        // What was found is settled by this read at the latest, unless it was refused.
        let Some(settled) = write.settled() else { return wrong(Breach::Refused, None) };
        let (own, clears) = (&self.own, &self.circumstances.clears);
        let later =
            own.between(settled, read.asked).or_else(|| clears.between(settled, read.asked));
        let lasting = own
            .lasting_between(settled, read.asked)
            .or_else(|| clears.lasting_between(settled, read.asked));
        if lasting.is_some() {
            wrong(Breach::Stale, lasting)
        } else if write.is_over(read.asked, self.grace()) {
            wrong(Breach::Expired, None)
        } else if later.is_some() {
            Ruling::Excused(write)
        } else {
            Ruling::Right(write)
        }
    }

    /// Judges the reads that found nothing.
    fn judge_missing(
        &self,
        events: &[&Event],
        sightings: Vec<Sighting<'_>>,
        verdict: &mut Verdict,
    ) {
        let mut sightings = sightings.into_iter().peekable();
        let mut seen = Sightings::default();
        for read in events.iter().filter(|event| event.act == Act::Read(Seen::Nothing)) {
            while let Some(sighting) = sightings.next_if(|sighting| sighting.until < read.asked) {
                seen.add(sighting);
            }
            let emptied = self.emptied_by(read.answered);
            let undone = self.circumstances.undone.by(read.answered).map(|(to, ())| to);
            if let Some(sighting) = seen.since(emptied.max(undone), read.answered) {
                verdict.violations.push(self.missing(read, sighting));
            } else if seen.since(emptied, read.answered).is_some() {
                verdict.excused += 1;
            }
        }
    }

    /// Up to when what was there may be missing by an instant, although nothing was undone.
    fn emptied_by(&self, at: Duration) -> Option<Duration> {
        let Circumstances { terms, clears, lost, .. } = self.circumstances;
        let cold = match terms.keeps {
            Keeps::WhatIsHot(window) => at.checked_sub(window),
            Keeps::Everything | Keeps::Nothing => None,
        };
        let lost = lost.by(at).map(|(to, ())| to);
        self.own.emptied_by(at).max(clears.emptied_by(at)).max(lost).max(cold)
    }

    fn missing(&self, read: &Event, sighting: &Sighting<'_>) -> Violation {
        let breach = match self.circumstances.terms.keeps {
            Keeps::WhatIsHot(_) => Breach::HotEvicted,
            Keeps::Everything | Keeps::Nothing => Breach::Lost,
        };
        Violation {
            write: Some(*sighting.write),
            shown: Some(*sighting.by),
            ..Violation::new(breach, read)
        }
    }

    fn grace(&self) -> Duration {
        self.circumstances.terms.tolerance.saturating_add(self.circumstances.terms.clock_set_back)
    }
}

impl<'a> Write<'a> {
    fn of(event: &'a Event) -> Option<Self> {
        let Act::Write { value, ttl, outcome } = event.act else { return None };
        let settled_by = (outcome == Outcome::Done).then_some(event);
        Some(Self { event, value, ttl, outcome, settled_by })
    }

    fn settle(&mut self, read: &'a Event) {
        let possible = self.outcome != Outcome::Refused && read.answered >= self.event.asked;
        if possible && self.settled().is_none_or(|settled| read.answered < settled) {
            self.settled_by = Some(read);
        }
    }

    fn settled(&self) -> Option<Duration> {
        self.settled_by.map(|event| event.answered)
    }

    fn change(&self, tolerance: Duration) -> Option<Change<'a>> {
        let empties = self.ttl.map(|_| self.may_expire(tolerance));
        let change = Change { event: self.event, settled: self.settled(), empties };
        (self.outcome != Outcome::Refused).then_some(change)
    }

    fn sighting(&self, by: &'a Event, until: Duration, tolerance: Duration) -> Sighting<'a> {
        Sighting { by, write: self.event, until, expires: self.may_expire(tolerance) }
    }

    /// When its value may first have expired.
    fn may_expire(&self, tolerance: Duration) -> Duration {
        let expires = self.ttl.map_or(Duration::MAX, |ttl| {
            self.event.asked.saturating_add(ttl).saturating_sub(tolerance)
        });
        expires.max(self.event.asked)
    }

    /// Whether its value expired before an instant for certain.
    fn is_over(&self, at: Duration, grace: Duration) -> bool {
        let end = |settled: Duration| {
            self.ttl.map(|ttl| settled.saturating_add(ttl).saturating_add(grace))
        };
        self.settled().and_then(end).is_some_and(|end| at > end)
    }
}

/// The writes among events, by value, each settled by what else is among them.
fn writes_of<'a>(events: &[&'a Event]) -> Vec<Write<'a>> {
    let mut writes: Vec<_> = events.iter().filter_map(|event| Write::of(event)).collect();
    writes.sort_by_key(|write| write.value);
    for read in events {
        let Act::Read(Seen::Value(value)) = read.act else { continue };
        if let Ok(at) = writes.binary_search_by_key(&value, |write| write.value) {
            writes[at].settle(read);
        }
    }
    writes
}
