//! How often properties are tried: what the environment asks for, few under Miri, else a number each.

use proptest::test_runner::{Config, RngAlgorithm};

/// A configuration for `cases` cases. A find is not kept in a file but becomes a named test.
pub(crate) fn cases(cases: u32) -> Config {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases,
        None if cfg!(miri) => 2,
        None => cases,
    };
    // Under Miri the default, ChaCha, would take most of the time.
    let rng_algorithm = if cfg!(miri) { RngAlgorithm::XorShift } else { RngAlgorithm::default() };
    Config { cases, failure_persistence: None, rng_algorithm, ..Config::default() }
}
