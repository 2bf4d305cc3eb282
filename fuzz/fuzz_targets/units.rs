//! Names and keys out of any bytes: taken in exactly if they keep to their rules, and then unchanged.
#![no_main]

use inval_core::{Key, KeyError, Namespace, NamespaceError, Strategy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    key(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        namespace(text);
        strategy(text);
    }
});

fn key(bytes: &[u8]) {
    match Key::new(bytes) {
        Ok(key) => {
            assert_eq!(key.as_bytes(), bytes);
            assert_eq!(format!("{key:?}"), format!("Key({} bytes)", bytes.len()));
        }
        Err(KeyError::Empty) => assert!(bytes.is_empty()),
        Err(KeyError::TooLong { len }) => assert!(len == bytes.len() && len > Key::MAX_LEN),
    }
}

fn namespace(text: &str) {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    match text.parse::<Namespace>() {
        Ok(name) => {
            assert!((1..=64).contains(&text.len()) && text.chars().all(is_allowed));
            assert_eq!((name.as_str(), name.to_string().as_str()), (text, text));
        }
        Err(NamespaceError::Empty) => assert!(text.is_empty()),
        Err(NamespaceError::TooLong { len }) => assert!(len == text.len() && len > 64),
        Err(NamespaceError::Forbidden { at }) => {
            assert!(text[..at].chars().all(is_allowed));
            assert!(text[at..].chars().next().is_some_and(|c| !is_allowed(c)));
        }
    }
}

fn strategy(text: &str) {
    match text.parse::<Strategy>() {
        Ok(strategy) => assert_eq!((strategy.name(), strategy.to_string().as_str()), (text, text)),
        Err(_) => assert!(Strategy::ALL.iter().all(|strategy| strategy.name() != text)),
    }
}
