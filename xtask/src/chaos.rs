//! The suite that breaks inval on purpose, in its long form or a part of it.

use anyhow::Result;

use crate::invocation::Invocation;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What the suite is given: scenarios and options; `--help` lists both
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the suite with an optimised daemon. What the tests run of it is its short form.
pub(crate) fn run(args: &Args) -> Result<()> {
    let suite = Invocation::cargo("test --release --package inval-cli --test chaos --");
    suite.args(&args.rest).run()
}
