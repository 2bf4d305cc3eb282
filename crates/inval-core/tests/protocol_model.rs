//! A model check of the protocol between writers, managers and server: every order of events within
//! small bounds, and one flaw at a time to see that it would be found.
//!
//! Not in the model: writes that a failover loses, a flushed server, and values that others touch.
#![cfg(test)]
// Under Miri it would take days, and there is nothing unsafe to be found in it.
#![cfg(not(miri))]

mod support {
    pub(crate) mod protocol {
        pub(crate) mod server;
        pub(crate) mod manager;
        pub(crate) mod world;
        pub(crate) mod model;
    }
}

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};
use support::protocol::model::{
    BOUNDED, FENCED, Protocol, READ_FIRST, REBUILT, RISING, SEEN_FIRST, TAKEN_OVER, TRUE_BOOKS,
    TRUE_USAGE,
};
use support::protocol::server::{Change, Flaw};
use support::protocol::world::Budget;

/// What must always be true, but for [`SEEN_FIRST`].
const ALWAYS: [&str; 6] = [FENCED, READ_FIRST, RISING, TRUE_BOOKS, TRUE_USAGE, BOUNDED];
const PUT: &[Change] = &[Change::Put];
const TOLD: &[Change] = &[Change::Put, Change::Delete];
const ANY: &[Change] = &[Change::Put, Change::Delete, Change::Blind];
const NONE: Budget = Budget {
    writes: 0,
    losses: 0,
    terms: 1,
    expiries: 0,
    seconds: 0,
    victims: 0,
    tellings: 0,
    crashes: 0,
};

/// Goes through all that may happen within `budget`; `reached` must be among it.
#[track_caller]
fn check(changes: &'static [Change], budget: Budget, reached: &[&'static str]) {
    let checker = Protocol { changes, budget, flaw: None }.checker().spawn_bfs().join();
    ALWAYS.iter().for_each(|name| checker.assert_no_discovery(name));
    checker.assert_no_discovery(SEEN_FIRST);
    for name in reached {
        checker.assert_any_discovery(name);
    }
}

/// With `flaw`, the check for `name` fails.
#[track_caller]
fn check_flaw(flaw: Flaw, changes: &'static [Change], budget: Budget, name: &'static str) {
    let found = HasDiscoveries::AnyOf(BTreeSet::from([name]));
    let protocol = Protocol { changes, budget, flaw: Some(flaw) };
    let checker = protocol.checker().finish_when(found).spawn_bfs().join();
    checker.assert_any_discovery(name);
}

#[test]
fn with_every_change_a_lost_message_and_a_crash() {
    check(ANY, Budget { writes: 2, losses: 1, crashes: 1, ..NONE }, &[]);
}

#[test]
fn with_two_managers() {
    check(TOLD, Budget { writes: 2, terms: 2, ..NONE }, &[TAKEN_OVER]);
}

#[test]
fn with_two_managers_that_evict() {
    check(TOLD, Budget { writes: 1, losses: 1, terms: 2, victims: 1, ..NONE }, &[TAKEN_OVER]);
}

#[test]
fn with_three_terms() {
    check(PUT, Budget { writes: 1, terms: 3, victims: 1, ..NONE }, &[TAKEN_OVER]);
}

#[test]
fn with_a_dropped_journal() {
    check(ANY, Budget { writes: 3, ..NONE }, &[REBUILT]);
}

#[test]
fn with_a_dropped_journal_and_lost_messages() {
    check(PUT, Budget { writes: 3, losses: 1, ..NONE }, &[REBUILT]);
}

#[test]
fn with_evictions() {
    check(ANY, Budget { writes: 2, victims: 2, seconds: 2, ..NONE }, &[]);
}

#[test]
fn with_evictions_and_lost_messages() {
    check(TOLD, Budget { writes: 2, losses: 1, victims: 1, seconds: 1, ..NONE }, &[]);
}

#[test]
fn with_expiry() {
    check(ANY, Budget { writes: 2, victims: 1, seconds: 1, expiries: 1, ..NONE }, &[]);
}

#[test]
fn with_usage_told() {
    let budget = Budget { writes: 1, losses: 2, victims: 1, tellings: 2, expiries: 1, ..NONE };
    check(TOLD, budget, &[]);
}

/// Redis dates accesses to the second, so an eviction that goes by the second of the last known access
/// may take an entry that was just written. The books stay true nevertheless.
#[track_caller]
fn check_by_the_second(changes: &'static [Change], budget: Budget) {
    let flaw = Some(Flaw::TrustsRunningSecond);
    let checker = Protocol { changes, budget, flaw }.checker().spawn_bfs().join();
    ALWAYS.iter().for_each(|name| checker.assert_no_discovery(name));
    checker.assert_any_discovery(SEEN_FIRST);
}

#[test]
fn evictions_by_the_second_and_lost_messages_keep_the_books_true() {
    check_by_the_second(TOLD, Budget { writes: 2, losses: 1, victims: 1, ..NONE });
}

#[test]
fn evictions_by_the_second_of_two_managers_keep_the_books_true() {
    check_by_the_second(PUT, Budget { writes: 2, terms: 2, victims: 1, ..NONE });
}

#[test]
fn every_flaw_is_found() {
    let none = Budget { victims: 1, ..NONE };
    let loss = Budget { losses: 1, ..none };
    let two = Budget { terms: 2, ..none };
    check_flaw(Flaw::AcknowledgesAnywhere, ANY, Budget { writes: 1, ..loss }, READ_FIRST);
    check_flaw(Flaw::DropsSilently, TOLD, Budget { writes: 3, ..none }, TRUE_BOOKS);
    check_flaw(Flaw::EvictsUnfenced, ANY, two, FENCED);
    let seconds = Budget { writes: 4, seconds: 1, ..none };
    check_flaw(Flaw::EvictsAfterDrop, PUT, seconds, SEEN_FIRST);
    check_flaw(Flaw::ForgetsToken, ANY, two, RISING);
    check_flaw(Flaw::TakesOutdatedSteps, ANY, Budget { tellings: 3, ..loss }, TRUE_USAGE);
    check_flaw(Flaw::RepeatsRecordAlone, TOLD, Budget { writes: 2, ..loss }, TRUE_BOOKS);
    check_flaw(Flaw::ResumesInDoubt, ANY, Budget { terms: 2, ..loss }, TRUE_BOOKS);
    check_flaw(Flaw::ResumesAfterAnother, ANY, Budget { terms: 3, ..none }, TRUE_BOOKS);
    check_flaw(Flaw::ForgetsFindings, PUT, Budget { writes: 2, ..none }, TRUE_BOOKS);
    check_flaw(Flaw::EvictsAgain, PUT, Budget { writes: 2, ..loss }, TRUE_BOOKS);
    let takeover = Budget { writes: 2, ..two };
    check_flaw(Flaw::BelievesOldRecords, PUT, takeover, TRUE_BOOKS);
    check_flaw(Flaw::IgnoresBacklog, PUT, Budget { writes: 3, ..none }, BOUNDED);
}
