//! A text names a strategy exactly if that strategy prints as this text.
#![no_main]

use inval_core::Strategy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| match text.parse::<Strategy>() {
    Ok(strategy) => assert_eq!(strategy.name(), text),
    Err(_) => assert!(Strategy::ALL.iter().all(|strategy| strategy.name() != text)),
});
