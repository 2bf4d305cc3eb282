//! A small store that keeps its promises, or breaks one, among clients whose calls overlap.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::check::{Breach, Disturbance, Keeps, Kind, Terms, check as judge};
use crate::history::{Act, Event, Outcome, Seen, Value};

use super::ms;

const KEYS: u32 = 3;
const TOLERANCE_MS: i64 = 2;

/// What clients will do, and what will happen to the store meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    keeps: Keeps,
    calls: Vec<Call>,
    stirs: Vec<Stir>,
}

/// A promise that the store breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flaw {
    /// Invalidations do nothing.
    DropsInvalidations,
    /// Entries never expire.
    ServesExpired,
    /// Eviction takes what is hot as well.
    EvictsHot,
    /// Refused writes are made.
    MakesRefusedWrites,
    /// One write in three is not made.
    ForgetsWrites,
}

/// A call: when it comes after the client's last one, how long it takes, and when it takes effect.
#[derive(Clone, Debug)]
struct Call {
    client: u32,
    key: u32,
    gap: u64,
    took: u64,
    /// When it takes effect after it was asked, modulo what it takes; if unknown, as it is, or never.
    effect: Option<u64>,
    act: Act,
    /// By how much its value expires too late.
    slack: i64,
}

/// What happens to the store at an instant.
#[derive(Clone, Debug)]
struct Stir {
    at: u64,
    /// How long before and after it the span of the disturbance reaches.
    before: u64,
    after: u64,
    /// Which keys it concerns, as bits.
    keys: u32,
    what: Happening,
}

#[derive(Clone, Copy, Debug)]
enum Happening {
    Call(usize),
    Lose,
    /// Back to the state of so long ago.
    Undo(u64),
    SetBack(u64),
    Evict,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    value: Value,
    /// On the server's clock.
    expires: Option<i64>,
    touched: u64,
}

struct Store<'a> {
    plan: &'a Plan,
    flaw: Option<Flaw>,
    entries: BTreeMap<u32, Entry>,
    past: Vec<(u64, BTreeMap<u32, Entry>)>,
    clock_set_back: u64,
}

/// The history of a store that has the flaw, if any, and the terms that it should keep.
pub(super) fn live(plan: &Plan, flaw: Option<Flaw>) -> (Vec<Event>, Terms) {
    let mut events = asked(&plan.calls);
    let entries = BTreeMap::new();
    let mut store =
        Store { plan, flaw, past: vec![(0, BTreeMap::new())], entries, clock_set_back: 0 };
    for (at, happening, keys) in schedule(plan, &events, flaw) {
        match happening {
            Happening::Call(index) => store.call(at, index, &mut events[index]),
            other => store.stir(at, other, keys),
        }
        store.past.push((at, store.entries.clone()));
    }
    let disturbances = plan.stirs.iter().filter_map(Stir::disturbance).collect();
    let (clock_set_back, tolerance) = (ms(store.clock_set_back), ms(TOLERANCE_MS.unsigned_abs()));
    (events, Terms { disturbances, clock_set_back, tolerance, ..Terms::new(plan.keeps) })
}

/// The calls, with their times and without what the reads find.
fn asked(calls: &[Call]) -> Vec<Event> {
    let mut clocks = BTreeMap::new();
    let event = |call: &Call| {
        let clock = clocks.entry(call.client).or_insert(0);
        let asked = *clock + call.gap;
        *clock = asked + call.took;
        Event {
            client: call.client,
            key: call.key,
            asked: ms(asked),
            answered: ms(*clock),
            act: call.act,
        }
    };
    calls.iter().map(event).collect()
}

/// What happens when, and to which keys, in the order of time.
fn schedule(plan: &Plan, events: &[Event], flaw: Option<Flaw>) -> Vec<(u64, Happening, u32)> {
    let stirs = plan.stirs.iter().map(|stir| (stir.at, stir.what, stir.keys));
    let calls = plan.calls.iter().zip(events).enumerate().filter_map(|(index, (call, event))| {
        let after = match event.act {
            Act::Write { outcome: Outcome::Unknown, .. }
            | Act::Invalidate(Outcome::Unknown)
            | Act::Clear(Outcome::Unknown) => call.effect?,
            Act::Write { outcome: Outcome::Refused, .. }
                if flaw == Some(Flaw::MakesRefusedWrites) =>
            {
                0
            }
            Act::Write { outcome: Outcome::Refused, .. }
            | Act::Invalidate(Outcome::Refused)
            | Act::Clear(Outcome::Refused) => return None,
            _ => call.effect.unwrap_or(0) % (call.took + 1),
        };
        Some((in_ms(event.asked) + after, Happening::Call(index), 0))
    });
    let mut schedule: Vec<_> = stirs.chain(calls).collect();
    schedule.sort_by_key(|(at, ..)| *at);
    schedule
}

impl Store<'_> {
    fn call(&mut self, at: u64, index: usize, event: &mut Event) {
        let clock = self.clock(at);
        let expires = self.flaw != Some(Flaw::ServesExpired);
        match &mut event.act {
            Act::Read(seen) => {
                let live =
                    |entry: &&mut Entry| !expires || entry.expires.is_none_or(|end| clock < end);
                *seen = Seen::Nothing;
                if let Some(entry) = self.entries.get_mut(&event.key).filter(live) {
                    entry.touched = at;
                    *seen = Seen::Value(entry.value);
                }
            }
            Act::Write { value, ttl, .. } => {
                let slack = self.plan.calls[index].slack;
                let expires = ttl.map(|ttl| clock + in_ms(ttl) as i64 + slack);
                if self.flaw != Some(Flaw::ForgetsWrites) || !index.is_multiple_of(3) {
                    self.entries.insert(event.key, Entry { value: *value, expires, touched: at });
                }
            }
            Act::Invalidate(_) if self.flaw == Some(Flaw::DropsInvalidations) => {}
            Act::Invalidate(_) => drop(self.entries.remove(&event.key)),
            Act::Clear(_) => self.entries.clear(),
        }
    }

    fn stir(&mut self, at: u64, happening: Happening, keys: u32) {
        let concerned = |key: u32| keys >> key & 1 == 1;
        match happening {
            Happening::Lose => self.entries.retain(|key, _| !concerned(*key)),
            Happening::Undo(ago) => {
                let then = self.past.iter().rfind(|(past, _)| past + ago <= at);
                self.entries = then.map(|(_, entries)| entries.clone()).unwrap_or_default();
            }
            Happening::SetBack(by) => self.clock_set_back += by,
            Happening::Evict => {
                let (keeps, hot_too) = (self.plan.keeps, self.flaw == Some(Flaw::EvictsHot));
                self.entries.retain(|key, entry| {
                    let cold = match keeps {
                        Keeps::Everything => false,
                        Keeps::WhatIsHot(window) => entry.touched + in_ms(window) <= at,
                        Keeps::Nothing => true,
                    };
                    !concerned(*key) || !(cold || hot_too)
                });
            }
            Happening::Call(_) => {}
        }
    }

    fn clock(&self, at: u64) -> i64 {
        at as i64 - self.clock_set_back as i64
    }
}

impl Stir {
    fn disturbance(&self) -> Option<Disturbance> {
        let (kind, ago) = match self.what {
            Happening::Lose => (Kind::Lost, 0),
            Happening::Undo(ago) => (Kind::Undone, ago),
            _ => return None,
        };
        let from = self.at.saturating_sub(ago + self.before);
        Some(Disturbance { from: ms(from), to: ms(self.at + self.after), kind })
    }
}

fn in_ms(time: Duration) -> u64 {
    time.as_millis() as u64
}

/// Plans of a few dozen calls on a few keys.
pub(super) fn plan() -> impl Strategy<Value = Plan> {
    let keeps = prop_oneof![
        2 => Just(Keeps::Everything),
        2 => (1u64..60).prop_map(|window| Keeps::WhatIsHot(ms(window))),
        1 => Just(Keeps::Nothing),
    ];
    let calls = prop::collection::vec(call(), 1..60).prop_map(numbered);
    (keeps, calls, prop::collection::vec(stir(), 0..5)).prop_map(|(keeps, calls, stirs)| Plan {
        keeps,
        calls,
        stirs,
    })
}

/// Any flaw.
pub(super) fn flaw() -> impl Strategy<Value = Flaw> {
    prop::sample::select(vec![
        Flaw::DropsInvalidations,
        Flaw::ServesExpired,
        Flaw::EvictsHot,
        Flaw::MakesRefusedWrites,
        Flaw::ForgetsWrites,
    ])
}

fn call() -> impl Strategy<Value = Call> {
    let outcome = || prop_oneof![12 => Just(Outcome::Done), 1 => Just(Outcome::Unknown), 1 => Just(Outcome::Refused)];
    let ttl = prop_oneof![1 => Just(None), 1 => (1u64..40).prop_map(|ttl| Some(ms(ttl)))];
    let act = prop_oneof![
        12 => Just(Act::Read(Seen::Nothing)),
        6 => (ttl, outcome()).prop_map(|(ttl, outcome)| Act::Write { value: Value(0), ttl, outcome }),
        2 => outcome().prop_map(Act::Invalidate),
        1 => outcome().prop_map(Act::Clear),
    ];
    let times = (0u64..8, 0u64..8, prop::option::weighted(0.8, 0u64..80));
    (0u32..4, 0..KEYS, times, act, -TOLERANCE_MS..=TOLERANCE_MS).prop_map(
        |(client, key, (gap, took, effect), act, slack)| Call {
            client,
            key,
            gap,
            took,
            effect,
            act,
            slack,
        },
    )
}

/// The calls with a value of its own for each write.
fn numbered(mut calls: Vec<Call>) -> Vec<Call> {
    for (at, call) in calls.iter_mut().enumerate() {
        if let Act::Write { value, .. } = &mut call.act {
            *value = Value(at as u64);
        }
    }
    calls
}

fn stir() -> impl Strategy<Value = Stir> {
    let what = prop_oneof![
        1 => Just(Happening::Lose),
        1 => (0u64..20).prop_map(Happening::Undo),
        1 => (1u64..20).prop_map(Happening::SetBack),
        3 => Just(Happening::Evict),
    ];
    (0u64..120, 0u64..5, 0u64..5, 0u32..1 << KEYS, what)
        .prop_map(|(at, before, after, keys, what)| Stir { at, before, after, keys, what })
}

/// The breaches found in two hundred worlds with a flaw.
fn breaches(flaw: Flaw) -> BTreeMap<Breach, usize> {
    let mut runner = TestRunner::deterministic();
    let mut found = BTreeMap::new();
    for _ in 0..200 {
        let plan = plan().new_tree(&mut runner).unwrap().current();
        let (events, terms) = live(&plan, Some(flaw));
        for violation in judge(&events, &terms).violations {
            *found.entry(violation.breach).or_default() += 1;
        }
    }
    found
}

#[test]
fn each_flaw_is_found() {
    let check = |flaw, breach| {
        let found = breaches(flaw);
        assert!(found.contains_key(&breach), "{flaw:?}: {found:?}");
    };
    check(Flaw::DropsInvalidations, Breach::Stale);
    check(Flaw::ServesExpired, Breach::Expired);
    check(Flaw::EvictsHot, Breach::HotEvicted);
    check(Flaw::EvictsHot, Breach::Lost);
    check(Flaw::MakesRefusedWrites, Breach::Refused);
    check(Flaw::ForgetsWrites, Breach::Stale);
    check(Flaw::ForgetsWrites, Breach::Lost);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_store_that_keeps_its_promises_is_never_accused(plan in plan()) {
        let (events, terms) = live(&plan, None);
        let verdict = judge(&events, &terms);
        prop_assert!(verdict.violations.is_empty(), "{}\n{events:#?}", verdict.violations[0]);
    }
}
