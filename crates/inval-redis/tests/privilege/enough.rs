//! The suite of all stores passes with a user for those who read, one for those who write, and one for the manager.

use inval_core::testing::CHECKS;
use inval_redis::acl::Role;

use super::users::denials;
use crate::suite::harness::{Flavoured, run};
use crate::support::site::{own_server, valkey_world};

#[test]
fn apps_and_a_manager_pass_the_suite_on_redis() {
    check(Flavoured {
        server: own_server(&[]),
        partitions: 3,
        roles: Some([Role::App, Role::App]),
    });
}

#[test]
fn readers_apps_and_a_manager_pass_the_suite_on_redis() {
    check(Flavoured {
        server: own_server(&[]),
        partitions: 1,
        roles: Some([Role::Reader, Role::App]),
    });
}

#[test]
fn apps_and_a_manager_pass_the_suite_on_valkey() {
    if let Some(server) = valkey_world() {
        check(Flavoured { server, partitions: 3, roles: Some([Role::App, Role::App]) });
    }
}

fn check(harness: Flavoured) {
    let server = harness.server.clone();
    let outcomes = run(harness);
    assert_eq!(outcomes.len(), CHECKS.len());
    let failed: Vec<_> = outcomes.into_values().flatten().collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(denials(&server), [""; 0]);
}
