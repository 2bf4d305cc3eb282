//! Decisions against a model that is slow and plain: it looks at texts.

use std::sync::Arc;

use inval_core::access::{Operation, Principal, Role, Scope};
use proptest::collection::vec;
use proptest::prelude::{Strategy as Generate, any};
use proptest::sample::{select, subsequence};
use proptest::test_runner::TestRunner;

use crate::cases::cases;

/// A grant in words.
#[derive(Clone, PartialEq, Debug)]
struct Words {
    allows: bool,
    operations: Vec<&'static str>,
    pattern: &'static str,
}

const OPERATIONS: [&str; 7] =
    ["read", "write", "invalidate", "clear", "maintain", "stats", "administer"];
const PATTERNS: [&str; 6] = ["*", "a*", "ab*", "a", "ab", "b"];
/// The last stands for what concerns no namespace.
const PLACES: [&str; 6] = ["a", "ab", "abc", "b", "c", ""];

fn grants() -> impl Generate<Value = Vec<Vec<Words>>> {
    let operations = subsequence(OPERATIONS.to_vec(), 1..=OPERATIONS.len());
    let grant = (any::<bool>(), operations, select(&PATTERNS[..]))
        .prop_map(|(allows, operations, pattern)| Words { allows, operations, pattern });
    vec(vec(grant, 0..4), 0..4)
}

fn principal(roles: &[Vec<Words>]) -> Principal {
    let role = |grants: &Vec<Words>| {
        let grants = grants.iter().map(|Words { allows, operations, pattern }| {
            let effect = if *allows { "allow" } else { "deny" };
            format!("{effect} {} {pattern}", operations.join(",")).parse().unwrap()
        });
        Arc::new(Role::new("r".parse().unwrap(), grants))
    };
    Principal::new("p".parse().unwrap(), roles.iter().map(role))
}

/// All grants that say something, whatever role has them: one must allow, and none deny.
fn is_allowed(roles: &[Vec<Words>], operation: &str, place: &str) -> bool {
    let meant = |pattern: &str| match (place, pattern.strip_suffix('*')) {
        (_, Some("")) => true,
        ("", _) => false,
        (place, Some(beginning)) => place.starts_with(beginning),
        (place, None) => place == pattern,
    };
    let says = |grant: &&Words| grant.operations.contains(&operation) && meant(grant.pattern);
    let said: Vec<bool> = roles.iter().flatten().filter(says).map(|grant| grant.allows).collect();
    !said.is_empty() && said.into_iter().all(|allows| allows)
}

#[test]
fn decisions_are_those_of_the_model() {
    let outcome = TestRunner::new(cases(512)).run(&grants(), |roles| {
        let principal = principal(&roles);
        for (operation, name) in Operation::ALL.into_iter().zip(OPERATIONS) {
            assert_eq!(operation.name(), name);
            for place in PLACES {
                let scope = if place.is_empty() { Scope::All } else { Scope::Namespace(place) };
                let decision = principal.decide(operation, scope);
                assert_eq!(
                    decision.is_allowed(),
                    is_allowed(&roles, name, place),
                    "{name} {place}"
                );
            }
        }
        for place in PLACES.iter().filter(|place| !place.is_empty()) {
            let any = OPERATIONS.iter().any(|operation| is_allowed(&roles, operation, place));
            assert_eq!(principal.sees(place), any, "{place}");
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn another_order_of_roles_and_grants_allows_the_same() {
    let outcome = TestRunner::new(cases(128)).run(&grants(), |roles| {
        let mut turned = roles.clone();
        turned.reverse();
        turned.iter_mut().for_each(|grants| grants.reverse());
        let (one, other) = (principal(&roles), principal(&turned));
        for operation in Operation::ALL {
            for place in PLACES {
                let allowed = |principal: &Principal| {
                    principal.decide(operation, Scope::Namespace(place)).is_allowed()
                };
                assert_eq!(allowed(&one), allowed(&other), "{operation} {place}");
            }
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}
