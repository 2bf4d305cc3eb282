//! `cargo xtask`: the project's own commands, so that people and CI run the very same checks.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this program's purpose is to talk to the person who runs it"
)]

mod test;
mod servers;
mod architecture;
mod references;
mod bench;
mod fuzz;
mod chaos;
mod miri;
mod mutants;

mod workspace;
mod toolchain;
mod invocation;

use std::process::ExitCode;

use clap::Parser;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Run everything that must pass before a change lands; stops at the first failure
    Test(test::Args),
    /// Make sure that the programs which tests start (Redis, Prometheus, Chromium) are installed
    Servers,
    /// Check the rules of the design that the compiler does not know
    Architecture,
    /// Run the benchmarks, all or one suite
    Bench(bench::Args),
    /// Fuzz each target for a while; a finding fails
    Fuzz(fuzz::Args),
    /// Break servers, managers, networks and clocks on purpose and check what clients were told
    Chaos(chaos::Args),
    /// Interpret the tests of inval-core under Miri (needs nightly, takes long)
    Miri(miri::Args),
    /// Mutate the core and the eviction on Redis, and run the tests on each mutant; takes hours
    Mutants(mutants::Args),
    /// Replay reference traces and compare our miss ratios with the published ones
    References(references::Args),
}

fn main() -> ExitCode {
    let result = match Command::parse() {
        Command::Test(args) => test::run(&args),
        Command::Servers => servers::run(),
        Command::Architecture => architecture::run(),
        Command::Bench(args) => bench::run(&args),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Chaos(args) => chaos::run(&args),
        Command::Miri(args) => miri::run(&args),
        Command::Mutants(args) => mutants::run(&args),
        Command::References(args) => references::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
