//! Histories that break one promise, and their near misses.

mod naive;
mod world;

use std::time::Duration;

use crate::history::{Act, Event, Outcome, Seen, Value};

use super::{Breach, Disturbance, Keeps, Kind, Terms, check as judge};

const EVERYTHING: Terms = terms(Keeps::Everything);
const HOT_FOR_50: Terms = terms(Keeps::WhatIsHot(ms(50)));
const NOTHING: Terms = terms(Keeps::Nothing);

const fn terms(keeps: Keeps) -> Terms {
    Terms {
        keeps,
        disturbances: Vec::new(),
        clock_set_back: Duration::ZERO,
        tolerance: ms(2),
        lateness: Duration::MAX,
    }
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn event(act: Act, asked: u64, answered: u64) -> Event {
    Event { client: 1, key: 1, asked: ms(asked), answered: ms(answered), act }
}

fn read(value: u64, asked: u64, answered: u64) -> Event {
    event(Act::Read(Seen::Value(Value(value))), asked, answered)
}

fn missed(asked: u64, answered: u64) -> Event {
    event(Act::Read(Seen::Nothing), asked, answered)
}

fn wrote(value: u64, asked: u64, answered: u64) -> Event {
    event(Act::Write { value: Value(value), ttl: None, outcome: Outcome::Done }, asked, answered)
}

fn wrote_for(ttl: u64, value: u64, asked: u64, answered: u64) -> Event {
    event(
        Act::Write { value: Value(value), ttl: Some(ms(ttl)), outcome: Outcome::Done },
        asked,
        answered,
    )
}

fn invalidated(asked: u64, answered: u64) -> Event {
    event(Act::Invalidate(Outcome::Done), asked, answered)
}

fn cleared(asked: u64, answered: u64) -> Event {
    Event { key: 99, ..event(Act::Clear(Outcome::Done), asked, answered) }
}

fn with(outcome: Outcome, event: Event) -> Event {
    let act = match event.act {
        Act::Write { value, ttl, .. } => Act::Write { value, ttl, outcome },
        Act::Invalidate(_) => Act::Invalidate(outcome),
        Act::Clear(_) => Act::Clear(outcome),
        read @ Act::Read(_) => read,
    };
    Event { act, ..event }
}

fn unknown(event: Event) -> Event {
    with(Outcome::Unknown, event)
}

fn refused(event: Event) -> Event {
    with(Outcome::Refused, event)
}

fn during(kind: Kind, from: u64, to: u64, terms: Terms) -> Terms {
    Terms { disturbances: vec![Disturbance { from: ms(from), to: ms(to), kind }], ..terms }
}

/// Expects the breaches, and so many excused reads, in whatever order the events come.
#[track_caller]
fn check(terms: &Terms, events: &[Event], breaches: &[Breach], excused: u64) {
    let reversed: Vec<Event> = events.iter().rev().copied().collect();
    for events in [events, &reversed] {
        let verdict = judge(events, terms);
        let found: Vec<Breach> =
            verdict.violations.iter().map(|violation| violation.breach).collect();
        assert_eq!((&found[..], verdict.excused), (breaches, excused), "{:#?}", verdict.violations);
    }
}

#[test]
fn what_is_read_was_written_before() {
    let check = |events: &[Event], breaches: &[Breach]| check(&NOTHING, events, breaches, 0);
    check(&[event(Act::Read(Seen::Garbage), 1, 2)], &[Breach::Garbage]);
    check(&[wrote(1, 1, 2), read(2, 3, 4)], &[Breach::NeverWritten]);
    check(&[Event { key: 2, ..wrote(1, 1, 2) }, read(1, 3, 4)], &[Breach::NeverWritten]);
    check(&[read(1, 3, 4), wrote(1, 5, 6)], &[Breach::BeforeItsWrite]);
    check(&[read(1, 3, 5), wrote(1, 4, 6)], &[]);
    check(&[refused(wrote(1, 1, 2)), read(1, 3, 4)], &[Breach::Refused]);
    check(&[unknown(wrote(1, 1, 2)), read(1, 3, 4)], &[]);
}

#[test]
fn a_value_is_stale_after_a_later_change() {
    let check = |events: &[Event], breaches: &[Breach]| check(&NOTHING, events, breaches, 0);
    for change in
        [invalidated as fn(u64, u64) -> Event, cleared, |asked, answered| wrote(2, asked, answered)]
    {
        check(&[wrote(1, 1, 2), change(3, 4), read(1, 5, 6)], &[Breach::Stale]);
        check(&[wrote(1, 1, 2), change(2, 4), read(1, 5, 6)], &[]);
        check(&[wrote(1, 1, 2), change(3, 6), read(1, 5, 7)], &[]);
        check(&[wrote(1, 1, 2), unknown(change(3, 4)), read(1, 5, 6)], &[]);
        check(&[wrote(1, 1, 2), refused(change(3, 4)), read(1, 5, 6)], &[]);
        check(&[unknown(wrote(1, 1, 2)), change(3, 4), read(1, 5, 6)], &[]);
        check(
            &[unknown(wrote(1, 1, 2)), read(1, 2, 3), change(4, 5), read(1, 6, 7)],
            &[Breach::Stale],
        );
        check(&[unknown(wrote(1, 1, 2)), read(1, 2, 5), change(4, 5), read(1, 6, 7)], &[]);
    }
    // A write of unknown outcome that somebody read has been made, and is not made again.
    check(
        &[wrote(1, 1, 2), unknown(wrote(2, 3, 4)), read(2, 4, 5), read(1, 6, 7)],
        &[Breach::Stale],
    );
    check(&[wrote(1, 1, 2), Event { key: 2, ..invalidated(3, 4) }, read(1, 5, 6)], &[]);
}

#[test]
fn a_value_expires() {
    check(&NOTHING, &[wrote_for(10, 1, 1, 3), read(1, 16, 17)], &[Breach::Expired], 0);
    check(&NOTHING, &[wrote_for(10, 1, 1, 3), read(1, 15, 17)], &[], 0);
    check(&NOTHING, &[unknown(wrote_for(10, 1, 1, 3)), read(1, 30, 31)], &[], 0);
    check(
        &NOTHING,
        &[unknown(wrote_for(10, 1, 1, 3)), read(1, 5, 6), read(1, 19, 20)],
        &[Breach::Expired],
        0,
    );
    check(&NOTHING, &[unknown(wrote_for(10, 1, 1, 3)), read(1, 5, 6), read(1, 18, 20)], &[], 0);
    let set_back = Terms { clock_set_back: ms(5), ..NOTHING };
    check(&set_back, &[wrote_for(10, 1, 1, 3), read(1, 20, 22)], &[], 0);
    check(&set_back, &[wrote_for(10, 1, 1, 3), read(1, 21, 22)], &[Breach::Expired], 0);
}

#[test]
fn what_is_kept_is_found() {
    let check = |events: &[Event], breaches: &[Breach]| {
        check(&EVERYTHING, events, breaches, 0);
        check(&NOTHING, events, &[], 0);
    };
    check(&[wrote(1, 1, 2), missed(3, 4)], &[Breach::Lost]);
    check(&[wrote(1, 1, 3), missed(3, 4)], &[]);
    check(&[unknown(wrote(1, 1, 2)), missed(3, 4)], &[]);
    check(&[unknown(wrote(1, 1, 2)), read(1, 3, 4), missed(5, 6)], &[Breach::Lost]);
    check(&[refused(wrote(1, 1, 2)), missed(3, 4)], &[]);
    check(&[wrote(1, 1, 2), wrote(2, 1, 2), missed(3, 4)], &[Breach::Lost]);
    for change in [invalidated as fn(u64, u64) -> Event, cleared] {
        check(&[wrote(1, 1, 2), change(3, 4), missed(5, 6)], &[]);
        check(&[wrote(1, 1, 2), change(6, 7), missed(5, 6)], &[]);
        check(&[wrote(1, 1, 2), change(7, 8), missed(5, 6)], &[Breach::Lost]);
        check(&[change(1, 2), wrote(1, 3, 4), missed(5, 6)], &[Breach::Lost]);
        check(&[change(1, 3), wrote(1, 3, 4), missed(5, 6)], &[]);
        check(&[change(1, 3), wrote(1, 3, 4), read(1, 4, 5), missed(6, 7)], &[Breach::Lost]);
        check(&[unknown(change(1, 2)), wrote(1, 3, 4), missed(5, 6)], &[]);
        check(&[wrote(1, 1, 2), refused(change(3, 4)), missed(5, 6)], &[Breach::Lost]);
    }
}

#[test]
fn what_is_unknown_explains_misses_for_as_long_as_it_may_come_late() {
    let punctual = Terms { lateness: ms(3), ..EVERYTHING };
    let check = |events: &[Event], breaches: &[Breach]| check(&punctual, events, breaches, 0);
    for change in [invalidated as fn(u64, u64) -> Event, cleared, |asked, answered| {
        wrote_for(2, 2, asked, answered)
    }] {
        check(&[unknown(change(1, 2)), wrote(1, 5, 6), missed(7, 8)], &[]);
        check(&[unknown(change(1, 2)), wrote(1, 6, 7), missed(8, 9)], &[Breach::Lost]);
    }
}

#[test]
fn what_has_a_ttl_is_found_until_it_may_expire() {
    let check = |events: &[Event], breaches: &[Breach]| check(&EVERYTHING, events, breaches, 0);
    check(&[wrote_for(10, 1, 1, 2), missed(7, 8)], &[Breach::Lost]);
    check(&[wrote_for(10, 1, 1, 2), missed(7, 9)], &[]);
    check(&[wrote(1, 1, 2), wrote_for(10, 2, 3, 4), missed(13, 14)], &[]);
    check(&[wrote(1, 1, 2), unknown(wrote_for(10, 2, 3, 4)), missed(13, 14)], &[]);
    check(&[wrote(1, 1, 2), refused(wrote_for(10, 2, 3, 4)), missed(13, 14)], &[Breach::Lost]);
    check(&[wrote_for(10, 2, 1, 2), wrote(1, 3, 4), missed(13, 14)], &[Breach::Lost]);
    // Of two values written at once, the one that expires may have taken the other's place.
    check(&[wrote_for(90, 1, 1, 9), wrote_for(10, 2, 2, 8), missed(13, 14)], &[]);
    // The second value took the place of the first for certain, although the first was read later than it was asked.
    check(
        &[wrote_for(10, 1, 1, 2), wrote(2, 3, 7), read(1, 4, 8), missed(13, 14)],
        &[Breach::Lost],
    );
}

#[test]
fn what_is_hot_is_not_evicted() {
    let check = |events: &[Event], breaches: &[Breach]| check(&HOT_FOR_50, events, breaches, 0);
    check(&[wrote(1, 10, 12), missed(58, 59)], &[Breach::HotEvicted]);
    check(&[wrote(1, 10, 12), missed(59, 60)], &[]);
    check(&[wrote(1, 10, 12), read(1, 40, 41), missed(80, 85)], &[Breach::HotEvicted]);
    check(&[wrote(1, 10, 12), read(1, 40, 41), missed(80, 90)], &[]);
    check(&[wrote(1, 10, 12), read(1, 40, 41), invalidated(40, 50), missed(60, 61)], &[]);
    check(&[wrote(1, 0, 0), missed(1, 2)], &[Breach::HotEvicted]);
}

#[test]
fn what_is_lost_explains_misses_alone() {
    let check = |from, to, events: &[Event], breaches: &[Breach]| {
        check(&during(Kind::Lost, from, to, EVERYTHING), events, breaches, 0);
    };
    check(3, 4, &[wrote(1, 1, 2), missed(5, 6)], &[]);
    check(6, 9, &[wrote(1, 1, 2), missed(5, 6)], &[]);
    check(7, 9, &[wrote(1, 1, 2), missed(5, 6)], &[Breach::Lost]);
    check(0, 1, &[wrote(1, 1, 2), missed(5, 6)], &[]);
    check(0, 1, &[wrote(1, 2, 3), missed(5, 6)], &[Breach::Lost]);
    check(3, 4, &[wrote(1, 1, 2), read(1, 5, 6), missed(7, 8)], &[Breach::Lost]);
    check(3, 4, &[wrote(1, 1, 2), wrote(2, 3, 4), read(1, 5, 6)], &[Breach::Stale]);
}

#[test]
fn what_is_undone_excuses_until_it_is_seen_again() {
    let check = |from, to, events: &[Event], breaches: &[Breach], excused| {
        check(&during(Kind::Undone, from, to, EVERYTHING), events, breaches, excused);
    };
    check(4, 9, &[wrote(1, 1, 2), wrote(2, 3, 4), read(1, 10, 11)], &[], 1);
    check(5, 9, &[wrote(1, 1, 2), wrote(2, 3, 4), read(1, 10, 11)], &[Breach::Stale], 0);
    check(4, 9, &[wrote(1, 1, 2), wrote(2, 9, 10), read(1, 11, 12)], &[Breach::Stale], 0);
    check(
        4,
        9,
        &[wrote(1, 1, 2), wrote(2, 3, 4), read(1, 10, 11), wrote(3, 12, 13), read(1, 14, 15)],
        &[Breach::Stale],
        1,
    );
    check(
        4,
        9,
        &[wrote(1, 1, 2), wrote(2, 3, 4), missed(10, 11), read(1, 12, 13), missed(14, 15)],
        &[Breach::Lost],
        2,
    );
    check(4, 9, &[wrote(1, 1, 2), invalidated(3, 4), missed(10, 11)], &[], 0);
    check(4, 9, &[wrote_for(5, 1, 1, 4), read(1, 20, 21)], &[Breach::Expired], 0);
}

#[test]
fn counts_what_was_done() {
    let events = [
        wrote(1, 1, 2),
        refused(wrote(2, 3, 4)),
        unknown(invalidated(5, 6)),
        cleared(7, 8),
        missed(9, 10),
        read(1, 1, 3),
    ];
    let verdict = judge(&events, &Terms::new(Keeps::Everything));
    let counts = [
        verdict.reads,
        verdict.misses,
        verdict.writes,
        verdict.removals,
        verdict.refused,
        verdict.unknown,
    ];
    assert_eq!(counts, [2, 1, 2, 2, 1, 1]);
}

#[test]
fn a_violation_tells_its_story() {
    let check = |terms: &Terms, events: &[Event], story: &str| {
        let verdict = judge(events, terms);
        assert_eq!(verdict.violations[0].to_string(), story);
    };
    check(
        &EVERYTHING,
        &[unknown(wrote(7, 1, 2)), read(7, 3, 4), invalidated(5, 6), read(7, 8, 9)],
        "stale: client 1 read value 7 of key 1 at 8.000 to 9.000 ms\n  \
         client 1 wrote value 7 to key 1 (of unknown outcome) at 1.000 to 2.000 ms\n  \
         client 1 read value 7 of key 1 at 3.000 to 4.000 ms\n  \
         but then client 1 invalidated key 1 at 5.000 to 6.000 ms",
    );
    check(
        &EVERYTHING,
        &[wrote_for(5, 7, 1, 2), read(7, 18, 19)],
        "expired: client 1 read value 7 of key 1 at 18.000 to 19.000 ms\n  \
         client 1 wrote value 7 to key 1 for 5.000 ms at 1.000 to 2.000 ms\n  \
         so its time was over at 7.000 ms",
    );
    check(
        &HOT_FOR_50,
        &[wrote(7, 1, 2), missed(18, 19)],
        "evicted while hot: client 1 read nothing of key 1 at 18.000 to 19.000 ms\n  \
         client 1 wrote value 7 to key 1 at 1.000 to 2.000 ms\n  \
         and what was in use so recently is not to be evicted",
    );
}
