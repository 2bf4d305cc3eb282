//! Mutation testing: what could be broken in the core and in a keeper's work without a test failing.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValuesParser;

use crate::invocation::Invocation;
use crate::toolchain;
use crate::workspace::{Package, Workspace};

/// What is mutated; `.cargo/mutants.toml` says what of it is not.
const TARGETS: &[Target] = &[
    // The model of the protocol stands in the test itself, so that no mutant could fail it.
    Target { package: "inval-core", files: &[], spared: &["protocol_model"] },
    // A keeper evicts, `wire` is what it says to a server. The tests spared ask for neither.
    Target {
        package: "inval-redis",
        files: &["crates/inval-redis/src/keeper.rs", "crates/inval-redis/src/wire.rs"],
        spared: &["connect", "input", "key_secrets", "keyspace", "least_privilege"],
    },
];

/// Random cases of each property: what few cases let through, further mutants' tests pay for in time.
const PROPERTY_CASES: &str = "64";

struct Target {
    package: &'static str,
    /// The files to mutate; all of the package if none is named.
    files: &'static [&'static str],
    /// Tests that are not run.
    spared: &'static [&'static str],
}

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package to mutate; both if none is named
    #[arg(value_parser = PossibleValuesParser::new(TARGETS.iter().map(|target| target.package)))]
    package: Option<String>,
    /// Passed on to cargo-mutants as they are
    #[arg(last = true)]
    extra: Vec<OsString>,
}

/// Mutates one target after the other; an error if a mutant survived or hung.
pub(crate) fn run(args: &Args) -> Result<()> {
    let workspace = Workspace::load()?;
    install_tool()?;
    let is_wanted = |package| args.package.as_deref().is_none_or(|wanted| wanted == package);
    let mut failed = Vec::new();
    for target in TARGETS.iter().filter(|target| is_wanted(target.package)) {
        let output = workspace.target.join("mutants").join(target.package);
        fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
        let package = workspace.package(target.package).context("no such package")?;
        let invocation = target.invocation(&tests(package)?, &output).args(&args.extra);
        println!("{invocation}");
        if let Err(error) = invocation.run() {
            failed.push(format!("{error:#}; see {}", output.join("mutants.out").display()));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{}\ndocs/mutation-testing.md lists the survivors that are known", failed.join("\n"))
}

fn install_tool() -> Result<()> {
    if toolchain::has_subcommand("mutants") {
        return Ok(());
    }
    println!("cargo-mutants is missing; installing it");
    Invocation::cargo("install --locked cargo-mutants").run()
}

/// The integration tests of a package, by name.
fn tests(package: &Package) -> Result<Vec<String>> {
    let directory = package.directory().join("tests");
    let entries =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut tests: Vec<String> = paths
        .filter(|path| path.extension() == Some(OsStr::new("rs")))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    tests.sort();
    Ok(tests)
}

impl Target {
    /// Builds and runs the unit tests and those of `tests` that are not spared.
    fn invocation(&self, tests: &[String], output: &Path) -> Invocation {
        let run = tests.iter().filter(|test| !self.spared.contains(&test.as_str()));
        Invocation::cargo("mutants --jobs 1 --package")
            .arg(self.package)
            .arg("--output")
            .arg(output)
            .args(self.files.iter().map(|file| format!("--file={file}")))
            .arg("--cargo-arg=--lib")
            .args(run.map(|test| format!("--cargo-arg=--test={test}")))
            .env("PROPTEST_CASES", PROPERTY_CASES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_the_tests_that_are_not_spared() {
        let target = Target { package: "core", files: &["core/a.rs"], spared: &["slow"] };
        let tests = ["quick", "slow"].map(str::to_owned);
        assert_eq!(
            target.invocation(&tests, Path::new("out")).to_string(),
            "PROPTEST_CASES=64 cargo mutants --jobs 1 --package core --output out --file=core/a.rs \
             --cargo-arg=--lib --cargo-arg=--test=quick"
        );
    }

    #[test]
    fn what_is_named_is_there() {
        let workspace = Workspace::load().expect("a workspace");
        for target in TARGETS {
            let package = workspace.package(target.package).expect("a package");
            let tests = tests(package).expect("tests");
            let is_there = |test: &&str| tests.iter().any(|there| there == test);
            assert!(target.spared.iter().all(is_there), "{:?} of {tests:?}", target.spared);
            for file in target.files {
                assert!(workspace.root.join(file).is_file(), "{file}");
            }
        }
    }
}
