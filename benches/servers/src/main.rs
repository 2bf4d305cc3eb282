//! Measures the Redis store and the daemon beside plain servers, each suite in one run.

mod bed;
mod cost;
mod upkeep;
mod statistics;
mod misses;
mod burst;
mod http;
mod report;

use std::alloc::System;
use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Parser};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tokio::runtime::Builder;

use report::Row;

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Measures the Redis store and the daemon beside plain servers.
#[derive(Parser)]
enum Suite {
    /// Server CPU, throughput, memory, eviction, expiry, rebuild, statistics and miss ratios on a server started for it
    Redis {
        #[command(flatten)]
        common: Common,
        /// Rounds to take the median of
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Operations in each round
        #[arg(long, default_value_t = 200_000)]
        operations: usize,
    },
    /// Background upkeep under a burst of expiry, and the HTTP API beside a Redis server
    Daemon {
        #[command(flatten)]
        common: Common,
        /// Requests of clients in a second while the burst is worked off
        #[arg(long, default_value_t = 10_000)]
        rate: u32,
        /// Seconds of each measurement over HTTP
        #[arg(long, default_value_t = 10)]
        seconds: u32,
    },
}

#[derive(Args)]
struct Common {
    /// The trace for miss ratios, as CSV; without it they are left out
    #[arg(long)]
    trace: Option<PathBuf>,
    /// Also write the results to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Also write the table into this page, between its markers
    #[arg(long)]
    docs: Option<PathBuf>,
    /// Entries for eviction, expiry and rebuild
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    /// Measure only parts whose name holds this text
    #[arg(long, default_value = "")]
    only: String,
}

impl Common {
    fn wants(&self, part: &str) -> bool {
        part.contains(&*self.only)
    }
}

fn main() -> Result<()> {
    match Suite::parse() {
        Suite::Redis { common, rounds, operations } => {
            let rows = redis(&common, rounds, operations)?;
            tell(&common, "redis", &rows)
        }
        Suite::Daemon { common, rate, seconds } => {
            let rows = daemon(&common, rate, seconds)?;
            tell(&common, "daemon", &rows)
        }
    }
}

fn redis(common: &Common, rounds: usize, operations: usize) -> Result<Vec<Row>> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut rows = Vec::new();
    if common.wants("cost") {
        rows.extend(runtime.block_on(cost::measure(rounds, operations))?);
    }
    if common.wants("upkeep") {
        rows.extend(runtime.block_on(upkeep::measure(common.entries, HEAP))?);
    }
    if common.wants("statistics") {
        rows.extend(runtime.block_on(statistics::measure(common.entries))?);
    }
    if let Some(trace) = common.trace.as_deref().filter(|_| common.wants("misses")) {
        rows.extend(runtime.block_on(misses::measure(rounds, trace))?);
    }
    Ok(rows)
}

fn daemon(common: &Common, rate: u32, seconds: u32) -> Result<Vec<Row>> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut rows = Vec::new();
    if common.wants("memory") {
        rows.extend(runtime.block_on(burst::in_memory(common.entries, rate))?);
    }
    if common.wants("server") {
        rows.extend(runtime.block_on(burst::on_redis(common.entries, rate))?);
    }
    if common.wants("http") {
        rows.extend(http::measure(seconds)?);
    }
    Ok(rows)
}

#[expect(clippy::print_stdout, reason = "a report is what the program is for")]
fn tell(common: &Common, suite: &str, rows: &[Row]) -> Result<()> {
    let table = report::table(rows);
    println!("{table}");
    if let Some(path) = &common.json {
        let file = File::create(path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(file, rows)?;
    }
    match &common.docs {
        Some(page) => report::write_into(page, suite, &table),
        None => Ok(()),
    }
}
