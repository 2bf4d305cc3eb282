//! Measures what publishing metrics costs the reads of a cache, and what it costs by itself.

mod hits;
mod publishing;
mod cpu;
mod report;

use std::fs::File;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;

/// Measures what publishing metrics costs.
#[derive(Parser)]
enum Suite {
    /// Hits of a cache that is watched beside one that is not; rendering and publishing many namespaces
    Metrics {
        /// Not used: hits of a trace would be those of its distribution
        #[arg(long)]
        trace: Option<PathBuf>,
        /// Also write the results to this file
        #[arg(long)]
        json: Option<PathBuf>,
        /// Also write the table into this page, between its markers
        #[arg(long)]
        docs: Option<PathBuf>,
        /// Rounds to take the median of
        #[arg(long, default_value_t = 11)]
        rounds: usize,
    },
}

#[expect(clippy::print_stdout, reason = "a report is what the program is for")]
fn main() -> Result<()> {
    let Suite::Metrics { json, docs, rounds, .. } = Suite::parse();
    let mut rows = publishing::without_a_recorder(rounds)?;
    let recorder = PrometheusBuilder::new().install_recorder()?;
    rows.extend(publishing::with_a_recorder(rounds, &recorder)?);
    for threads in [1, 2] {
        rows.extend(hits::measure(rounds, threads, &recorder)?);
    }
    let table = report::table(&rows);
    println!("{table}");
    if let Some(path) = json {
        let file = File::create(&path).with_context(|| path.display().to_string())?;
        serde_json::to_writer_pretty(file, &rows)?;
    }
    docs.map_or(Ok(()), |page| report::write_into(&page, &table))
}
