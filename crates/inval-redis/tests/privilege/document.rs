//! The rules that the documentation shows are those that are made.

use inval_redis::acl::{Role, Rules};

use super::users::layout;

const DOCUMENT: &str = include_str!("../../../../docs/redis-keyspace.md");

#[test]
fn the_rules_of_each_role_stand_in_the_documentation() {
    for role in Role::ALL {
        let line = Rules::new(role, layout()).line(role.name());
        assert!(DOCUMENT.lines().any(|other| other == line), "{line}");
    }
}
