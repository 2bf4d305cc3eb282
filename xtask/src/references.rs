//! Our miss ratios on real traces beside the published ones of another simulator, with a verdict.

mod table;
mod replay;
mod verdict;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;
use crate::workspace::Workspace;
use verdict::Comparison;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Holds reference.csv and the traces it names, as .csv.zst or .csv
    directory: PathBuf,
}

/// How a strategy's miss ratio is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The algorithm leaves no choice: the ratios are equal but for rounding.
    Equal,
    /// Implementations differ in detail: ours may be better, or worse by little.
    AtMost,
    /// Only shown.
    Shown,
}

/// A strategy and the name the reference knows it by.
#[derive(Debug)]
struct Judged {
    strategy: &'static str,
    reference: &'static str,
    rule: Rule,
}

/// Every strategy that is replayed. LFU is only shown: the reference's never forgets, ours does.
const JUDGED: &[Judged] = &[
    Judged { strategy: "fifo", reference: "fifo", rule: Rule::Equal },
    Judged { strategy: "lru", reference: "lru", rule: Rule::Equal },
    Judged { strategy: "sieve", reference: "sieve", rule: Rule::AtMost },
    Judged { strategy: "s3-fifo", reference: "s3fifo", rule: Rule::AtMost },
    Judged { strategy: "w-tinylfu", reference: "wtinylfu", rule: Rule::AtMost },
    Judged { strategy: "lfu", reference: "lfu", rule: Rule::Shown },
];

/// The policy that knows the future: what no strategy can beat.
const OPTIMUM: &str = "belady";

/// Replays every trace of the reference and prints the whole table; an error lists each violation.
pub(crate) fn run(args: &Args) -> Result<()> {
    let references = table::read(&args.directory.join("reference.csv"))?;
    let binary = build_binary()?;
    let mut comparisons = Vec::new();
    for (trace, sizes) in table::traces(&references) {
        let file = trace_file(&args.directory, trace)?;
        println!("replaying {trace} at {} entries", replay::comma_separated(&sizes));
        let replays = replay::run(&binary, &file, &sizes)?;
        for &entries in &sizes {
            comparisons.push(Comparison::of(trace, entries, &references, &replays)?);
        }
    }
    verdict::print_table(&comparisons);
    let violations: Vec<String> = comparisons.iter().flat_map(Comparison::violations).collect();
    if violations.is_empty() {
        println!("\nverdict: {} trace sizes agree with the reference", comparisons.len());
        return Ok(());
    }
    bail!("{} violations of the reference:\n  {}", violations.len(), violations.join("\n  "))
}

/// Builds the release binary `inval` and says where it lies.
fn build_binary() -> Result<PathBuf> {
    Invocation::cargo("build --release --package inval-cli").run()?;
    let name = format!("inval{}", std::env::consts::EXE_SUFFIX);
    Ok(Workspace::load()?.target.join("release").join(name))
}

fn trace_file(directory: &Path, trace: &str) -> Result<PathBuf> {
    ["csv.zst", "csv"]
        .iter()
        .map(|extension| directory.join(format!("{trace}.{extension}")))
        .find(|file| file.is_file())
        .with_context(|| {
            format!("{} has neither {trace}.csv.zst nor {trace}.csv", directory.display())
        })
}
