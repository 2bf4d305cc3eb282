//! The tests of inval-core under Miri, which finds undefined behaviour, also in what we build on.

use anyhow::{Result, bail};

use crate::invocation::Invocation;
use crate::toolchain;

/// Few random cases: each one costs about a thousand times its native time.
const PROPERTY_CASES: &str = "4";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Run only the tests whose name contains this
    filter: Option<String>,
}

/// Runs the tests, or those whose name contains the filter.
pub(crate) fn run(args: &Args) -> Result<()> {
    require()?;
    let invocation = invocation(args.filter.as_deref());
    println!("{invocation}");
    invocation.run()
}

/// Fails with the command to type if nightly or its Miri is not installed.
pub(crate) fn require() -> Result<()> {
    if toolchain::toolchain_runs("nightly", "miri --version") {
        return Ok(());
    }
    bail!(
        "Miri is not installed; to install it: rustup toolchain install nightly && \
         rustup component add --toolchain nightly miri rust-src"
    )
}

/// Isolation is off because proptest asks for the current directory and reads the environment.
pub(crate) fn invocation(filter: Option<&str>) -> Invocation {
    Invocation::cargo("+nightly miri test --package inval-core --lib --tests")
        .args(filter)
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", PROPERTY_CASES)
}
