//! How often properties are tried: a number per property, few under Miri, and what the environment asks for first.

use proptest::test_runner::Config;

/// A configuration for `cases` cases. A find is not kept in a file but becomes a named test.
pub(crate) fn cases(cases: u32) -> Config {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases,
        None if cfg!(miri) => 2,
        None => cases,
    };
    Config { cases, failure_persistence: None, ..Config::default() }
}
