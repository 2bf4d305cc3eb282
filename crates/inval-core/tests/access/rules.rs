//! The rules of access, as a table to read.

use inval_core::access::{Principal, Role, Scope};

/// What a role of these grants makes of an operation on a namespace, or on `-`, which stands for none.
#[track_caller]
fn check(grants: &[&str], wish: &str, is_allowed: bool, why: &str) {
    let (operation, place) = wish.split_once(' ').unwrap();
    let scope = if place == "-" { Scope::All } else { Scope::Namespace(place) };
    let role = Role::new("r".parse().unwrap(), grants.iter().map(|grant| grant.parse().unwrap()));
    let principal = Principal::new("p".parse().unwrap(), [role.into()]);
    let decision = principal.decide(operation.parse().unwrap(), scope);
    assert_eq!((decision.is_allowed(), decision.to_string().as_str()), (is_allowed, why));
}

fn allows(grants: &[&str], wish: &str, why: &str) {
    check(grants, wish, true, why);
}

fn denies(grants: &[&str], wish: &str, why: &str) {
    check(grants, wish, false, why);
}

#[test]
fn what_no_grant_allows_is_denied() {
    denies(&[], "read users", "no grant allows read");
    denies(&["allow read users"], "write users", "no grant allows write");
    denies(&["allow read users"], "read orders", "no grant allows read");
}

#[test]
fn a_grant_allows_what_it_names_and_nothing_else() {
    allows(&["allow read,write users"], "read users", "role r: allow read,write users");
    allows(&["allow read,write users"], "write users", "role r: allow read,write users");
    denies(&["allow administer users"], "read users", "no grant allows read");
    denies(&["allow clear users"], "invalidate users", "no grant allows invalidate");
    allows(&["allow all users"], "administer users", "role r: allow all users");
}

#[test]
fn a_pattern_is_a_name_a_beginning_or_everything() {
    allows(&["allow read shop-*"], "read shop-carts", "role r: allow read shop-*");
    allows(&["allow read shop-*"], "read shop-", "role r: allow read shop-*");
    denies(&["allow read shop-*"], "read shop", "no grant allows read");
    denies(&["allow read shop"], "read shop-carts", "no grant allows read");
    denies(&["allow read shop"], "read Shop", "no grant allows read");
    allows(&["allow read *"], "read anything", "role r: allow read *");
}

#[test]
fn a_denial_wins_wherever_it_stands() {
    let grants = ["allow all *", "deny clear,administer users"];
    denies(&grants, "clear users", "role r: deny clear,administer users");
    allows(&grants, "clear orders", "role r: allow all *");
    allows(&grants, "read users", "role r: allow all *");
    let grants = ["deny clear *", "allow clear users"];
    denies(&grants, "clear users", "role r: deny clear *");
}

#[test]
fn what_concerns_no_namespace_is_for_grants_on_everything() {
    allows(&["allow administer *"], "administer -", "role r: allow administer *");
    denies(&["allow administer users"], "administer -", "no grant allows administer");
    denies(&["allow administer u*"], "administer -", "no grant allows administer");
    denies(&["allow all *", "deny stats *"], "stats -", "role r: deny stats *");
    allows(&["allow all *", "deny stats users"], "stats -", "role r: allow all *");
}

#[test]
fn roles_add_up_and_a_denial_in_any_wins() {
    let role =
        |name: &str, grant: &str| Role::new(name.parse().unwrap(), [grant.parse().unwrap()]).into();
    let roles = [
        role("reader", "allow read *"),
        role("writer", "allow write users"),
        role("careful", "deny write users"),
    ];
    let decide = |count: usize| {
        let roles = roles.iter().take(count).cloned();
        let principal = Principal::new("p".parse().unwrap(), roles);
        principal.decide("write".parse().unwrap(), Scope::Namespace("users")).to_string()
    };
    assert_eq!(decide(0), "no grant allows write");
    assert_eq!(decide(1), "no grant allows write");
    assert_eq!(decide(2), "role writer: allow write users");
    assert_eq!(decide(3), "role careful: deny write users");
}

#[test]
fn a_namespace_is_seen_by_whoever_may_do_anything_there() {
    let sees = |grants: &[&str], namespace: &str| {
        let grants = grants.iter().map(|grant| grant.parse().unwrap());
        let role = Role::new("r".parse().unwrap(), grants);
        Principal::new("p".parse().unwrap(), [role.into()]).sees(namespace)
    };
    assert!(sees(&["allow clear users"], "users"));
    assert!(!sees(&["allow clear users"], "orders"));
    assert!(!sees(&["allow read *", "deny all orders"], "orders"));
    assert!(!sees(&["deny read users"], "users"));
}
