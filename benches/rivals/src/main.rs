//! Compares the embedded store with other caches, all in one run, round by round.

mod cells;
mod report;
mod rounds;

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;

/// Measures the embedded store and its rivals side by side.
#[derive(Parser)]
enum Args {
    /// Throughput, hit ratio and bytes per entry of in-process caches
    Embedded {
        /// The trace for get-or-insert, as CSV; without it a synthetic workload stands in
        #[arg(long)]
        trace: Option<PathBuf>,
        /// Also write the results to this file
        #[arg(long)]
        json: Option<PathBuf>,
        /// Also write the tables into this page, between its markers
        #[arg(long)]
        docs: Option<PathBuf>,
        /// Rounds to take the median of
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
}

#[expect(clippy::print_stdout, reason = "a report is what the program is for")]
fn main() -> Result<()> {
    let Args::Embedded { trace, json, docs, rounds } = Args::parse();
    let mut results = cells::throughput(trace.as_deref(), rounds)?;
    results.footprint = cells::footprint()?;
    let tables = report::tables(&results);
    println!("{tables}");
    if let Some(path) = json {
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(file, &results)?;
    }
    docs.map_or(Ok(()), |page| report::write_into(&page, &tables))
}
