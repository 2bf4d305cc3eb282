//! What is measured: the cells of the tables.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use inval_replay::Workload;
use inval_replay::trace::{Format, Reader};
use inval_rivals::{Contender, for_each_contender};
use serde::Serialize;

use crate::rounds::{self, Entrant, Score, serve};

/// Everything measured in one run.
#[derive(Serialize)]
pub(crate) struct Results {
    pub(crate) throughput: Vec<Cell>,
    pub(crate) footprint: Vec<Footprint>,
}

/// One contender at one task.
#[derive(Serialize)]
pub(crate) struct Cell {
    pub(crate) task: String,
    pub(crate) threads: usize,
    pub(crate) contender: &'static str,
    pub(crate) operations_per_second: f64,
    /// The speed of inval by that of this contender.
    pub(crate) inval_by_this: f64,
    pub(crate) hit_ratio: f64,
}

/// Heap per entry of one contender.
#[derive(Serialize)]
pub(crate) struct Footprint {
    pub(crate) contender: String,
    pub(crate) bytes_per_entry: f64,
}

type Requests = Arc<Vec<Vec<u64>>>;

/// Hits only, and get-or-insert, with one and two threads.
pub(crate) fn throughput(trace: Option<&Path>, rounds: usize) -> Result<Results> {
    let mut throughput = Vec::new();
    for keys in [100_000, 1_000_000] {
        let zipf: Workload =
            format!("zipf:keys={keys},skew=1.0,requests=4000000,seed=1").parse()?;
        let requests: Vec<u64> = zipf.requests().map(|request| request.key).collect();
        for threads in [1, 2] {
            let parts = split(&requests, threads);
            let scores = rounds::run(hit_entrants(keys, &parts), rounds);
            let task = format!("hits, Zipf(1.0) over {keys} keys");
            throughput.extend(cells(&task, threads, requests.len(), scores));
        }
    }
    let (name, requests, capacity) = trace_requests(trace)?;
    for threads in [1, 2] {
        let parts = split(&requests, threads);
        let scores = rounds::run(insert_entrants(capacity, &parts), rounds);
        let task = format!("get-or-insert, {name}, {capacity} entries");
        throughput.extend(cells(&task, threads, requests.len(), scores));
    }
    Ok(Results { throughput, footprint: Vec::new() })
}

fn cells(task: &str, threads: usize, requests: usize, scores: Vec<Score>) -> Vec<Cell> {
    let cell = |score: Score| Cell {
        task: task.to_owned(),
        threads,
        contender: score.name,
        operations_per_second: score.per_second,
        inval_by_this: score.first_by_this,
        hit_ratio: score.hits as f64 / requests as f64,
    };
    scores.into_iter().map(cell).collect()
}

/// Every contender with all `keys` in it, and a quarter more room, for shards are never quite even.
fn hit_entrants(keys: usize, requests: &Requests) -> Vec<Entrant> {
    let mut entrants = Vec::new();
    macro_rules! enter {
        ($cache:ty) => {
            let cache = <$cache>::with_capacity(keys + keys / 4);
            (0..keys as u64).for_each(|key| Contender::insert(&cache, key, key));
            Contender::settle(&cache);
            let requests = Arc::clone(requests);
            let run =
                move || serve(&cache, &requests, |cache, key| Contender::get(cache, key).is_some());
            entrants.push(Entrant { name: <$cache>::NAME, run: Box::new(run) });
        };
    }
    for_each_contender!(enter);
    entrants
}

/// Every contender, empty at the start of each round.
fn insert_entrants(capacity: usize, requests: &Requests) -> Vec<Entrant> {
    let mut entrants = Vec::new();
    macro_rules! enter {
        ($cache:ty) => {
            let requests = Arc::clone(requests);
            let run = move || {
                let cache = <$cache>::with_capacity(capacity);
                serve(&cache, &requests, Contender::get_or_insert)
            };
            entrants.push(Entrant { name: <$cache>::NAME, run: Box::new(run) });
        };
    }
    for_each_contender!(enter);
    entrants
}

/// The keys of the trace, or of a workload in its place, and a tenth of the unique ones.
fn trace_requests(trace: Option<&Path>) -> Result<(String, Vec<u64>, usize)> {
    let (name, keys) = match trace {
        Some(path) => {
            let requests: Result<Vec<_>, _> =
                Reader::open(path, Format::Csv)?.map(|r| r.map(|r| r.key)).collect();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            (name.split('.').next().unwrap_or_default().to_owned(), requests?)
        }
        None => {
            let spec = "zipf:keys=200000,skew=1.0,requests=1000000,seed=2";
            let workload: Workload = spec.parse()?;
            (spec.to_owned(), workload.requests().map(|request| request.key).collect())
        }
    };
    let unique = keys.iter().collect::<std::collections::HashSet<_>>().len();
    Ok((name, keys, unique / 10))
}

/// Deals the requests out to `threads`, in turn, as clients of one cache would send them.
fn split(requests: &[u64], threads: usize) -> Requests {
    let part = |first: usize| requests.iter().copied().skip(first).step_by(threads).collect();
    Arc::new((0..threads).map(part).collect())
}

/// Runs the program that counts what each contender allocates, and reads what it prints.
pub(crate) fn footprint() -> Result<Vec<Footprint>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["run", "--release", "--quiet", "--package", "inval-rivals", "--bin", "footprint"];
    let output = Command::new(cargo).args(arguments).output().context("running footprint")?;
    ensure!(output.status.success(), "footprint failed: {}", output.status);
    let row = |line: &str| {
        let (contender, bytes) = line.split_once('\t').context("a line without a tab")?;
        let bytes_per_entry = bytes.parse()?;
        Ok(Footprint { contender: contender.to_owned(), bytes_per_entry })
    };
    String::from_utf8(output.stdout)?.lines().map(row).collect()
}
