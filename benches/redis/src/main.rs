//! Measures inval on a real Redis server beside the plain commands, all in one run.

mod bed;
mod cost;
mod upkeep;
mod misses;
mod report;

use std::alloc::System;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use report::Row;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures the Redis store beside the plain commands.
#[derive(Parser)]
enum Args {
    /// Server CPU, throughput, memory, eviction, expiry, rebuild and miss ratios on a server started for it
    Redis {
        /// The trace for miss ratios, as CSV; without it they are left out
        #[arg(long)]
        trace: Option<PathBuf>,
        /// Also write the results to this file
        #[arg(long)]
        json: Option<PathBuf>,
        /// Also write the table into this page, between its markers
        #[arg(long)]
        docs: Option<PathBuf>,
        /// Rounds to take the median of
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Operations in each round
        #[arg(long, default_value_t = 200_000)]
        operations: usize,
        /// Entries for eviction, expiry and rebuild
        #[arg(long, default_value_t = 1_000_000)]
        entries: usize,
        /// Measure only rows whose name holds this text
        #[arg(long, default_value = "")]
        only: String,
    },
}

#[expect(clippy::print_stdout, reason = "a report is what the program is for")]
fn main() -> Result<()> {
    let Args::Redis { trace, json, docs, rounds, operations, entries, only } = Args::parse();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut rows: Vec<Row> = Vec::new();
    if "cost".contains(&*only) {
        rows.extend(runtime.block_on(cost::measure(rounds, operations))?);
    }
    if "upkeep".contains(&*only) {
        rows.extend(runtime.block_on(upkeep::measure(entries, HEAP))?);
    }
    if let Some(trace) = trace.filter(|_| "misses".contains(&*only)) {
        rows.extend(runtime.block_on(misses::measure(rounds, &trace))?);
    }
    let table = report::table(&rows);
    println!("{table}");
    if let Some(path) = json {
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(file, &rows)?;
    }
    docs.map_or(Ok(()), |page| report::write_into(&page, &table))
}
