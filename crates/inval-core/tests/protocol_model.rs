//! A model check of the protocol between writers, managers and server: every order of events within
//! small bounds, and one flaw at a time to see that it would be found.
#![cfg(test)]

mod support {
    pub(crate) mod protocol {
        pub(crate) mod manager;
        pub(crate) mod server;
        pub(crate) mod world;
    }
}

use std::collections::BTreeSet;

use stateright::{Checker, HasDiscoveries, Model};
use support::protocol::server::Flaw;
use support::protocol::world::{
    BOUNDED, Budget, FENCED, Protocol, READ_FIRST, REBUILT, RISING, SEEN_FIRST, TAKEN_OVER,
    TRUE_BOOKS, TRUE_USAGE,
};

/// What must never happen, whatever the bounds.
const ALWAYS: [&str; 7] = [FENCED, READ_FIRST, SEEN_FIRST, RISING, TRUE_BOOKS, TRUE_USAGE, BOUNDED];

/// Goes through everything that is possible within `budget`; `reached` must be among it.
#[track_caller]
fn check(budget: Budget, reached: &[&'static str]) {
    let t = std::time::Instant::now();
    let checker = Protocol { budget, flaw: None }.checker().spawn_bfs().join();
    println!("{} states, depth {} {:?}", checker.unique_state_count(), checker.max_depth(), t.elapsed());
    ALWAYS.iter().for_each(|name| checker.assert_no_discovery(name));
    for name in reached {
        checker.assert_any_discovery(name);
    }
}

/// With `flaw`, the first thing to go wrong is `name`.
#[track_caller]
fn check_flaw(flaw: Flaw, budget: Budget, name: &'static str) {
    let found = HasDiscoveries::AnyOf(BTreeSet::from(ALWAYS));
    let t = std::time::Instant::now();
    let protocol = Protocol { budget, flaw: Some(flaw) };
    let checker = protocol.checker().finish_when(found).spawn_bfs().join();
    println!("{} states, depth {} {:?}", checker.unique_state_count(), checker.max_depth(), t.elapsed());
    let names: Vec<_> = ALWAYS.into_iter().filter(|name| checker.discovery(name).is_some()).collect();
    for name in &names { println!("{name}: {:#?}", checker.discovery(name).unwrap().into_actions()); }
    assert_eq!(names, [name], "{flaw:?}");
}

#[test]
fn lone() {
    check(Budget { writes: 2, losses: 1, terms: 1, expiries: 1, seconds: 1, victims: 1 }, &[]);
}
#[test]
fn two() {
    check(Budget { writes: 2, losses: 1, terms: 2, expiries: 0, seconds: 1, victims: 1 }, &[TAKEN_OVER]);
}
#[test]
fn drop() {
    check(Budget { writes: 3, losses: 0, terms: 1, expiries: 0, seconds: 0, victims: 0 }, &[REBUILT]);
}
