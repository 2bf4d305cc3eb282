//! Grants and names as text.

use inval_core::access::{Grant, Name, Operation, Operations};
use inval_core::{Namespace, NamespaceError};
use proptest::collection::vec;
use proptest::prelude::{Strategy as Generate, any};
use proptest::test_runner::TestRunner;

use crate::cases::cases;

#[test]
fn a_grant_is_three_words() {
    let check = |text: &str, want: &str| {
        let got = text.parse::<Grant>().map_or_else(|e| e.to_string(), |grant| grant.to_string());
        assert!(got.starts_with(want), "{text:?}: {got}");
    };
    check("allow read users", "allow read users");
    check("  deny\twrite,read  shop-*", "deny read,write shop-*");
    check("allow read,read,read *", "allow read *");
    check("allow all a.b_c-*", "allow all a.b_c-*");
    check("deny read,write,invalidate,clear,maintain,stats,administer *", "deny all *");
    for text in ["", "allow", "allow read", "allow read users orders", "allow read, write users"] {
        check(text, "a grant is three words");
    }
    check("Allow read users", "a grant begins with allow or deny");
    for operations in ["reads", "read,", ",", "all,read", "*"] {
        check(&format!("allow {operations} users"), "unknown operation; known are read, write,");
    }
    for pattern in ["*users", "us*rs", "**"] {
        check(&format!("allow read {pattern}"), "a * stands only at the end");
    }
    check("allow read us/ers", "a namespace holds only letters");
    check(&format!("allow read {}*", "x".repeat(65)), "a namespace has at most 64 bytes");
}

#[test]
fn what_is_shown_is_read_back() {
    let pattern = "(\\*|[a-zA-Z0-9._-]{1,64}\\*?)";
    let operations = vec(0..Operation::ALL.len(), 1..9);
    let grants = (any::<bool>(), operations, pattern).prop_map(|(allows, operations, pattern)| {
        let operations: Operations = operations.into_iter().map(|at| Operation::ALL[at]).collect();
        format!("{} {operations} {pattern}", if allows { "allow" } else { "deny" })
    });
    let outcome = TestRunner::new(cases(256)).run(&grants, |text| {
        let grant: Grant = text.parse().unwrap();
        assert_eq!(grant.to_string(), text);
        assert_eq!(grant.to_string().parse(), Ok(grant));
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn any_text_is_read_or_refused() {
    let outcome = TestRunner::new(cases(256)).run(&".{0,40}", |text| {
        let _ = (text.parse::<Grant>(), text.parse::<Name>());
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn names_can_stand_in_a_log() {
    let check = |text: &str, want: &str| {
        let got = text.parse::<Name>().map_or_else(|e| e.to_string(), |name| name.to_string());
        assert!(got.starts_with(want), "{text:?}: {got}");
    };
    check("alice@example.org", "alice@example.org");
    check(&"x".repeat(64), "xxx");
    check("", "a name has from 1 to 64 bytes, this one has 0");
    check(&"x".repeat(65), "a name has from 1 to 64 bytes, this one has 65");
    check("a\nb", "a name holds only letters, digits, '.', '_', '-' and '@'; byte 1");
    check("a\u{1b}[2J", "a name holds only");
    assert_eq!("a@b".parse::<Namespace>(), Err(NamespaceError::Forbidden { at: 1 }));
}
