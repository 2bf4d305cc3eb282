//! The checker written straight from the definitions, which looks at every pair of calls, and the comparison with it.

use std::time::Duration;

use proptest::prelude::*;

use crate::check::{Breach, Disturbance, Keeps, Kind, Terms, check as judge};
use crate::history::{Act, Event, Outcome, Seen, Value};

use super::{ms, world};

/// The reads that are wrong, and how many are excused.
fn naive(events: &[Event], terms: &Terms) -> (Vec<(Event, Breach)>, u64) {
    let naive = Naive { events, terms };
    let (mut wrong, mut excused) = (Vec::new(), 0);
    for read in events {
        match naive.rule(read) {
            Some(Err(breach)) => wrong.push((*read, breach)),
            Some(Ok(Excused)) => excused += 1,
            None => {}
        }
    }
    (wrong, excused)
}

struct Excused;

struct Naive<'a> {
    events: &'a [Event],
    terms: &'a Terms,
}

impl Naive<'_> {
    fn rule(&self, read: &Event) -> Option<Result<Excused, Breach>> {
        match read.act {
            Act::Read(Seen::Garbage) => Some(Err(Breach::Garbage)),
            Act::Read(Seen::Value(value)) => self.found(read, value),
            Act::Read(Seen::Nothing) => self.missing(read),
            _ => None,
        }
    }

    fn found(&self, read: &Event, value: Value) -> Option<Result<Excused, Breach>> {
        let Some(write) = self.write_of(read.key, value) else {
            return Some(Err(Breach::NeverWritten));
        };
        if read.answered < write.asked {
            return Some(Err(Breach::BeforeItsWrite));
        }
        let Some(settled) = self.settled(write) else { return Some(Err(Breach::Refused)) };
        let overruled = |change: &&Event| {
            applies(change, read.key)
                && settled < change.asked
                && self.settled(change).is_some_and(|at| at < read.asked)
        };
        let over = ttl(write).is_some_and(|ttl| {
            read.asked > settled + ttl + self.terms.tolerance + self.terms.clock_set_back
        });
        if self.events.iter().filter(overruled).any(|change| !self.undoable(change)) {
            Some(Err(Breach::Stale))
        } else if over {
            Some(Err(Breach::Expired))
        } else {
            self.events.iter().any(|change| overruled(&change)).then_some(Ok(Excused))
        }
    }

    fn missing(&self, read: &Event) -> Option<Result<Excused, Breach>> {
        let breach = match self.terms.keeps {
            Keeps::Everything => Breach::Lost,
            Keeps::WhatIsHot(_) => Breach::HotEvicted,
            Keeps::Nothing => return None,
        };
        let proofs = || self.events.iter().filter(|by| by.key == read.key && self.proves(by, read));
        let undone = |by: &Event| self.disturbed(Kind::Undone, by, read);
        if proofs().any(|by| !undone(by)) {
            Some(Err(breach))
        } else {
            proofs().next().map(|_| Ok(Excused))
        }
    }

    /// Whether a call shows that something was there, which cannot have gone until the read.
    fn proves(&self, by: &Event, read: &Event) -> bool {
        let (write, until) = match by.act {
            Act::Write { .. } => (Some(by), self.settled(by)),
            Act::Read(Seen::Value(value)) if !matches!(self.found(by, value), Some(Err(_))) => {
                (self.write_of(by.key, value), Some(by.answered))
            }
            _ => (None, None),
        };
        let (Some(write), Some(until)) = (write, until) else { return false };
        let gone = |change: &Event| {
            let latest = self.settled(change).unwrap_or(Duration::MAX);
            applies(change, read.key) && latest >= by.asked && self.may_empty(change, read.answered)
        };
        let hot = match self.terms.keeps {
            Keeps::WhatIsHot(window) => by.asked + window > read.answered,
            _ => true,
        };
        until < read.asked
            && hot
            && !self.may_empty(write, read.answered)
            && !self.events.iter().any(gone)
            && !self.disturbed(Kind::Lost, by, read)
    }

    fn may_empty(&self, change: &Event, by: Duration) -> bool {
        match change.act {
            Act::Write { outcome, ttl, .. } => {
                let soonest = ttl.map(|ttl| {
                    change.asked.max((change.asked + ttl).saturating_sub(self.terms.tolerance))
                });
                outcome != Outcome::Refused && soonest.is_some_and(|soonest| soonest <= by)
            }
            Act::Invalidate(outcome) | Act::Clear(outcome) => {
                outcome != Outcome::Refused && change.asked <= by
            }
            Act::Read(_) => false,
        }
    }

    fn disturbed(&self, kind: Kind, by: &Event, read: &Event) -> bool {
        let overlaps = |span: &Disturbance| {
            span.kind == kind && span.from <= read.answered && by.asked <= span.to
        };
        self.terms.disturbances.iter().any(overlaps)
    }

    fn undoable(&self, change: &Event) -> bool {
        let latest = self.settled(change).map(|at| at.max(change.answered));
        let undoes = |span: &Disturbance| {
            span.kind == Kind::Undone
                && change.asked < span.to
                && latest.is_none_or(|latest| latest >= span.from)
        };
        self.terms.disturbances.iter().any(undoes)
    }

    fn settled(&self, change: &Event) -> Option<Duration> {
        match change.act {
            Act::Write { outcome: Outcome::Refused, .. } | Act::Read(_) => None,
            Act::Write { value, outcome, .. } => {
                let found = |read: &&Event| {
                    read.key == change.key
                        && read.act == Act::Read(Seen::Value(value))
                        && read.answered >= change.asked
                };
                let own = (outcome == Outcome::Done).then_some(change.answered);
                self.events.iter().filter(found).map(|read| read.answered).chain(own).min()
            }
            Act::Invalidate(outcome) | Act::Clear(outcome) => {
                (outcome == Outcome::Done).then_some(change.answered)
            }
        }
    }

    fn write_of(&self, key: u32, sought: Value) -> Option<&Event> {
        let wrote =
            |event: &&Event| matches!(event.act, Act::Write { value, .. } if value == sought);
        self.events.iter().filter(|event| event.key == key).find(wrote)
    }
}

fn applies(change: &Event, key: u32) -> bool {
    change.key == key || matches!(change.act, Act::Clear(_))
}

fn ttl(write: &Event) -> Option<Duration> {
    match write.act {
        Act::Write { ttl, .. } => ttl,
        _ => None,
    }
}

/// Calls that fit together only by chance.
fn calls() -> impl Strategy<Value = Vec<Event>> {
    let outcome = || prop_oneof![3 => Just(Outcome::Done), 1 => Just(Outcome::Unknown), 1 => Just(Outcome::Refused)];
    let ttl = prop::option::of((0u64..20).prop_map(ms));
    let act = prop_oneof![
        4 => (1u64..12).prop_map(|value| Act::Read(Seen::Value(Value(value)))),
        3 => Just(Act::Read(Seen::Nothing)),
        4 => (ttl, outcome()).prop_map(|(ttl, outcome)| Act::Write { value: Value(0), ttl, outcome }),
        1 => outcome().prop_map(Act::Invalidate),
        1 => outcome().prop_map(Act::Clear),
    ];
    let call = (0u32..2, 0u64..40, 0u64..6, act);
    prop::collection::vec(call, 0..16).prop_map(|calls| {
        let numbered = calls.into_iter().enumerate().map(|(at, (key, asked, took, act))| Event {
            client: at as u32,
            key,
            asked: ms(asked),
            answered: ms(asked + took),
            act: match act {
                Act::Write { ttl, outcome, .. } => {
                    Act::Write { value: Value(at as u64), ttl, outcome }
                }
                other => other,
            },
        });
        numbered.collect()
    })
}

fn terms() -> impl Strategy<Value = Terms> {
    let keeps = prop_oneof![
        3 => Just(Keeps::Everything),
        2 => (0u64..30).prop_map(|window| Keeps::WhatIsHot(ms(window))),
        1 => Just(Keeps::Nothing),
    ];
    let kind = prop_oneof![Just(Kind::Lost), Just(Kind::Undone)];
    let span = (0u64..40, 0u64..8, kind).prop_map(|(from, took, kind)| Disturbance {
        from: ms(from),
        to: ms(from + took),
        kind,
    });
    (keeps, prop::collection::vec(span, 0..3), 0u64..5, 0u64..3).prop_map(
        |(keeps, disturbances, set_back, tolerance)| Terms {
            disturbances,
            clock_set_back: ms(set_back),
            tolerance: ms(tolerance),
            ..Terms::new(keeps)
        },
    )
}

/// Expects the same of both checkers.
fn check(events: &[Event], terms: &Terms) -> Result<(), TestCaseError> {
    let verdict = judge(events, terms);
    let mut found: Vec<_> =
        verdict.violations.iter().map(|violation| (violation.read, violation.breach)).collect();
    let (mut expected, excused) = naive(events, terms);
    found.sort_by_key(|wrong| format!("{wrong:?}"));
    expected.sort_by_key(|wrong| format!("{wrong:?}"));
    prop_assert_eq!(found, expected);
    prop_assert_eq!(verdict.excused, excused);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_the_definitions_say_of_any_calls(events in calls(), terms in terms()) {
        check(&events, &terms)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn finds_what_the_definitions_say_of_a_world(plan in world::plan(), flaw in world::flaw(), terms in terms()) {
        let (events, own) = world::live(&plan, Some(flaw));
        check(&events, &own)?;
        check(&events, &terms)?;
    }
}
