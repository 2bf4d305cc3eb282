//! The command `inval replay`: from the command line to outcomes, and out.

use std::fs;
use std::io::{self, Write};

use anyhow::Context;
use inval_core::{Config, Strategy};
use inval_replay::plot::miss_ratio_curves;
use inval_replay::{ByteSize, Capacity, CapacityError, Outcome, Replay, count_unique_keys};

use crate::args::{Output, Place, ReplayArgs};
use crate::failure::UsageError;
use crate::source::Source;
use crate::{output, remote};

const DEFAULT_CAPACITY: &str = "10%";
/// The capacities of a plot: evenly spread on its logarithmic axis.
const CURVE: [&str; 8] = ["0.1%", "0.3%", "1%", "3%", "10%", "20%", "30%", "50%"];

/// Replays what the command line asks for and prints the outcomes to standard output.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let source = Source::from_args(args)?;
    let limits = entry_limits(&source, &capacities(args)?)?;
    let outcomes = replay(args, &source, &limits)?;

    if let Some(path) = &args.plot {
        let cannot_write = || format!("cannot write {}", path.display());
        fs::write(path, miss_ratio_curves(&outcomes)).with_context(cannot_write)?;
    }
    let mut out = io::stdout().lock();
    match args.output {
        Output::Table => output::table(&mut out, &outcomes)?,
        Output::Json => output::json(&mut out, &outcomes)?,
        Output::Csv => output::csv(&mut out, &outcomes)?,
    }
    out.flush()?;
    if args.trace.is_none() && args.workload.is_none() && args.output == Output::Table {
        let _ = writeln!(io::stderr(), "\n{}", lesson(&outcomes));
    }
    Ok(())
}

/// The capacities asked for; none if only a limit in bytes is.
fn capacities(args: &ReplayArgs) -> Result<Vec<Capacity>, CapacityError> {
    if let Some(capacity) = args.max_entries {
        return Ok(vec![capacity]);
    }
    if !args.sizes.is_empty() {
        return Ok(args.sizes.clone());
    }
    match (&args.max_bytes, &args.plot) {
        (Some(_), _) => Ok(Vec::new()),
        (None, Some(_)) => CURVE.iter().map(|text| text.parse()).collect(),
        (None, None) => Ok(vec![DEFAULT_CAPACITY.parse()?]),
    }
}

/// The capacities in entries, each once, in the order given; counts the keys of the source if need be.
fn entry_limits(source: &Source, capacities: &[Capacity]) -> anyhow::Result<Vec<Option<u64>>> {
    if capacities.is_empty() {
        return Ok(vec![None]);
    }
    let mut unique_keys = 0;
    if capacities.iter().any(|capacity| capacity.needs_unique_keys()) {
        if !source.is_repeatable() {
            return Err(UsageError::PercentOfStream.into());
        }
        unique_keys = count_unique_keys(source.open("counting keys")?)?;
    }
    let mut limits = Vec::new();
    for capacity in capacities {
        let limit = Some(capacity.entries(unique_keys));
        if !limits.contains(&limit) {
            limits.push(limit);
        }
    }
    Ok(limits)
}

/// Replays the source through a cache for each limit and strategy, wherever the caches are.
fn replay(
    args: &ReplayArgs,
    source: &Source,
    limits: &[Option<u64>],
) -> anyhow::Result<Vec<Outcome>> {
    let strategies = args.strategies();
    let pairs = limits.iter().flat_map(|limit| strategies.iter().map(|s| (*limit, *s)));
    let configs = pairs.map(|(limit, strategy)| config(args, limit, strategy));
    let configs = configs.collect::<Result<Vec<_>, _>>()?;
    let outcomes = match &args.store {
        None | Some(Ok(Place::Memory)) => replay_in_memory(args, source, configs)?,
        Some(Ok(Place::Server(target))) => remote::replay(args, source, &configs, target)?,
        Some(Err(error)) => return Err(UsageError::Target(*error).into()),
    };
    if outcomes.iter().all(|outcome| outcome.requests == 0) {
        return Err(UsageError::NoRequests.into());
    }
    Ok(outcomes)
}

/// One pass over the source, through all caches at once.
fn replay_in_memory(
    args: &ReplayArgs,
    source: &Source,
    configs: Vec<Config>,
) -> anyhow::Result<Vec<Outcome>> {
    let mut requests = source.open("replaying")?;
    let mut replay = Replay::new(&source.name(), configs, args.shards as usize);
    replay.run(requests.by_ref())?;
    tell_skipped(requests.skipped());
    drop(requests);
    Ok(replay.finish())
}

/// Says on standard error how many lines were passed over, if any.
pub(crate) fn tell_skipped(skipped: u64) {
    if skipped > 0 {
        let _ = writeln!(io::stderr(), "inval: malformed lines passed over: {skipped}");
    }
}

fn config(
    args: &ReplayArgs,
    max_entries: Option<u64>,
    strategy: Strategy,
) -> Result<Config, UsageError> {
    let mut builder = Config::builder().strategy(strategy);
    if let Some(entries) = max_entries {
        builder = builder.max_entries(entries);
    }
    if let Some(ByteSize(bytes)) = args.max_bytes {
        builder = builder.max_bytes(bytes);
    }
    if let Some(ttl) = args.ttl {
        builder = builder.ttl(ttl);
    }
    Ok(builder.build()?)
}

/// What the built-in workload shows, from the outcomes themselves.
fn lesson(outcomes: &[Outcome]) -> String {
    const INTRO: &str = "The built-in workload mixes popular keys with scans";
    const OUTRO: &str = "Replay your own requests with --trace FILE.";
    let best = outcomes.iter().min_by_key(|o| o.misses);
    let lru = best.and_then(|best| {
        let peer = |o: &&Outcome| o.strategy == Strategy::Lru && o.max_entries == best.max_entries;
        outcomes.iter().find(peer)
    });
    match (best, lru) {
        (Some(best), Some(lru)) if best.misses < lru.misses => {
            let fewer = 100.0 * (1.0 - best.misses as f64 / lru.misses as f64);
            let name = best.strategy;
            let room = best.max_entries.map_or(String::new(), |n| {
                format!("with room for {} entries, ", output::grouped(n))
            });
            format!(
                "{INTRO}: {room}{name} keeps the popular ones through a scan and misses {fewer:.0} % \
                 less often than lru.\n{OUTRO}"
            )
        }
        _ => format!("{INTRO}. {OUTRO}"),
    }
}
