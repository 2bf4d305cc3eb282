//! Everything that must pass before a change lands, cheapest first, stopping at the first failure.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;
use crate::toolchain::{self, MinorVersion};
use crate::workspace::Workspace;
use crate::{architecture, miri, servers};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also interpret the tests of inval-core under Miri; takes long
    #[arg(long)]
    miri: bool,
}

/// One thing that must hold.
struct Step {
    title: &'static str,
    work: Work,
}

enum Work {
    /// Passes if the command exits with zero.
    Command(Invocation),
    /// Passes if no architecture rule is broken.
    Architecture,
    /// Passes if the programs that tests start are installed, or can be.
    Servers,
    /// Needs no work: the text says why it holds already.
    Holds(String),
    /// Cannot be done here, which is no failure: the text says why and how to change that.
    Unverified(String),
}

enum Outcome {
    Passed(Duration),
    Holds,
    Unverified(String),
}

/// Runs every step; an error names the step that failed and the command to run it again.
pub(crate) fn run(args: &Args) -> Result<()> {
    toolchain::require_components()?;
    let workspace = Workspace::load()?;
    let steps = steps(&workspace, args)?;
    let began = Instant::now();
    let mut outcomes = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        println!("\n== {}/{} {}", number + 1, steps.len(), step.title);
        outcomes.push((step.title, perform(step, &workspace)?));
    }
    print_summary(&outcomes, began.elapsed());
    Ok(())
}

fn steps(workspace: &Workspace, args: &Args) -> Result<Vec<Step>> {
    let cargo = |line| Invocation::cargo(line).args(workspace.selection());
    let command = |title, invocation| Step { title, work: Work::Command(invocation) };
    let mut steps = vec![
        Step { title: "servers and browser", work: Work::Servers },
        command("formatting", Invocation::cargo("fmt --all --check")),
        command("formatting of the fuzz targets", fuzz_formatting(workspace)),
        Step { title: "architecture", work: Work::Architecture },
        command("clippy", cargo("clippy --all-targets").args(["--", "-D", "warnings"])),
        command("tests", cargo("test")),
        command("documentation", cargo("doc --no-deps").env("RUSTDOCFLAGS", "-D warnings")),
    ];
    steps.extend(shuttle(workspace));
    steps.push(oldest_compiler(workspace)?);
    steps.push(licences());
    if args.miri {
        steps.push(Step { title: "miri", work: miri_work() });
    }
    Ok(steps)
}

/// The fuzz targets are a workspace of their own, which `--all` does not reach.
fn fuzz_formatting(workspace: &Workspace) -> Invocation {
    Invocation::cargo("fmt --check --manifest-path").arg(workspace.root.join("fuzz/Cargo.toml"))
}

/// The concurrency model of the embedded store. Its target directory is its own, since its `--cfg`
/// would otherwise throw away everybody else's build.
fn shuttle(workspace: &Workspace) -> Option<Step> {
    let model = workspace.root.join("crates/inval-memory/tests/shuttle.rs");
    model.is_file().then(|| {
        let invocation = Invocation::cargo("test --release --package inval-memory --test shuttle")
            .env("RUSTFLAGS", "--cfg shuttle")
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_TARGET_DIR", workspace.target.join("shuttle"));
        Step { title: "shuttle model of inval-memory", work: Work::Command(invocation) }
    })
}

fn oldest_compiler(workspace: &Workspace) -> Result<Step> {
    let declared = workspace
        .package("inval-core")
        .and_then(|core| core.rust_version.as_deref())
        .context("inval-core declares no rust-version")?;
    let current = MinorVersion::of_current_rustc()?;
    let work = if MinorVersion::parse(declared) == Some(current) {
        Work::Holds(format!("this is Rust {declared}: clippy and the tests above have verified it"))
    } else if toolchain::toolchain_runs(declared, "--version") {
        let check = Invocation::cargo(&format!("+{declared} check")).args(workspace.selection());
        Work::Command(check.env("CARGO_TARGET_DIR", workspace.target.join("msrv")))
    } else {
        Work::Unverified(format!(
            "Rust {declared} is not installed; to verify: \
             rustup toolchain install {declared} --profile minimal"
        ))
    };
    Ok(Step { title: "oldest supported compiler", work })
}

fn licences() -> Step {
    let work = if toolchain::has_subcommand("deny") {
        Work::Command(Invocation::cargo("deny check --hide-inclusion-graph licenses bans sources"))
    } else {
        Work::Unverified(
            "cargo-deny is not installed; to verify: cargo install --locked cargo-deny".to_owned(),
        )
    };
    Step { title: "licences, bans and sources", work }
}

fn miri_work() -> Work {
    match miri::require() {
        Ok(()) => Work::Command(miri::invocation(None)),
        Err(missing) => Work::Unverified(missing.to_string()),
    }
}

fn perform(step: &Step, workspace: &Workspace) -> Result<Outcome> {
    let began = Instant::now();
    let (result, again) = match &step.work {
        Work::Command(invocation) => {
            println!("   {invocation}");
            (invocation.run(), invocation.to_string())
        }
        Work::Architecture => {
            (architecture::check(workspace), "cargo xtask architecture".to_owned())
        }
        Work::Servers => (servers::run(), "cargo xtask servers".to_owned()),
        Work::Holds(why) => {
            println!("   {why}");
            return Ok(Outcome::Holds);
        }
        Work::Unverified(why) => {
            println!("   not verified: {why}");
            return Ok(Outcome::Unverified(why.clone()));
        }
    };
    if let Err(error) = result {
        bail!("{} failed: {error:#}\nTo run this step again:\n    {again}", step.title);
    }
    let elapsed = began.elapsed();
    println!("   passed in {}", seconds(elapsed).trim_start());
    Ok(Outcome::Passed(elapsed))
}

fn print_summary(outcomes: &[(&str, Outcome)], total: Duration) {
    println!("\n== summary");
    for (title, outcome) in outcomes {
        match outcome {
            Outcome::Passed(elapsed) => println!("{} passed        {title}", seconds(*elapsed)),
            Outcome::Holds => println!("{:>9} holds         {title}", ""),
            Outcome::Unverified(why) => println!("{:>9} not verified  {title}: {why}", ""),
        }
    }
    println!("{} total", seconds(total));
}

fn seconds(elapsed: Duration) -> String {
    format!("{:>7.1} s", elapsed.as_secs_f64())
}
