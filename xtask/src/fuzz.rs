//! Fuzzing: each target for a while, and for each finding the command that reproduces it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::invocation::Invocation;
use crate::toolchain;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The target to run; all of them if none is named
    target: Option<String>,
    /// How long each target runs; all targets together take this many seconds times their number
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u32,
}

/// Runs the targets one after the other, also past a finding; an error if anything was found.
pub(crate) fn run(args: &Args) -> Result<()> {
    let fuzz = Workspace::load()?.root.join("fuzz");
    install_tools()?;
    let targets = targets(&fuzz, args.target.as_deref())?;
    let mut findings = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        println!("\n== {}/{} {target}, {} s", number + 1, targets.len(), args.seconds);
        findings.extend(fuzz_target(&fuzz, target, args.seconds));
    }
    report(&findings)
}

/// What a failed target left behind; no artifact means that it did not even start.
struct Finding {
    target: String,
    artifacts: Vec<PathBuf>,
}

/// Asks for nightly, which only the user should install, and installs cargo-fuzz if need be.
fn install_tools() -> Result<()> {
    if !toolchain::toolchain_runs("nightly", "--version") {
        bail!("fuzzing needs nightly Rust; install it with:\n    rustup toolchain install nightly");
    }
    if toolchain::has_subcommand("fuzz") {
        return Ok(());
    }
    println!("cargo-fuzz is missing; installing it");
    Invocation::cargo("install --locked cargo-fuzz").run()
}

fn targets(fuzz: &Path, wanted: Option<&str>) -> Result<Vec<String>> {
    let list = Invocation::cargo("fuzz list --fuzz-dir").arg(fuzz).read()?;
    let all: Vec<String> =
        list.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    match wanted {
        None if all.is_empty() => bail!("there is no fuzz target yet"),
        None => Ok(all),
        Some(wanted) if all.iter().any(|target| target == wanted) => Ok(vec![wanted.to_owned()]),
        Some(wanted) => bail!("there is no fuzz target {wanted}; there are: {}", all.join(", ")),
    }
}

fn fuzz_target(fuzz: &Path, target: &str, seconds: u32) -> Option<Finding> {
    let before = artifacts(fuzz, target);
    let invocation = Invocation::cargo("+nightly fuzz run --fuzz-dir")
        .arg(fuzz)
        .arg(target)
        .arg("--")
        .arg(format!("-max_total_time={seconds}"));
    println!("{invocation}");
    invocation.run().err().map(|error| {
        println!("{error}");
        let artifacts = artifacts(fuzz, target).difference(&before).cloned().collect();
        Finding { target: target.to_owned(), artifacts }
    })
}

fn artifacts(fuzz: &Path, target: &str) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(fuzz.join("artifacts").join(target)).into_iter().flatten();
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect()
}

fn report(findings: &[Finding]) -> Result<()> {
    if findings.is_empty() {
        println!("\nnothing found");
        return Ok(());
    }
    println!("\n== findings");
    for Finding { target, artifacts } in findings {
        if artifacts.is_empty() {
            println!("{target}: failed and left no new artifact; its output above says why");
        }
        for artifact in artifacts {
            println!("{target}: {}", artifact.display());
            println!("    reproduce: cargo +nightly fuzz run {target} {}", artifact.display());
            println!("    shrink:    cargo +nightly fuzz tmin {target} {}", artifact.display());
        }
    }
    bail!("{} of the fuzz targets failed", findings.len())
}
