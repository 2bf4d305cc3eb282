//! The command `inval stats`: what to read, and how it looks.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::endpoint::Endpoint;
use super::print::{self, number, rate, ratio, text};
use super::statistics::{Amount, Quantiles, Rates, State, Statistics};
use super::values::Span;
use super::watch::{Point, Reading, Screen, watch};
use crate::args::{Form, StatsArgs};
use crate::output::{aligned, grouped};

/// Prints the statistics of one namespace or of all, once or at intervals.
pub(crate) fn stats(args: &StatsArgs) -> anyhow::Result<()> {
    let endpoint = Endpoint::open(&args.access.origin)?;
    let read = || Ok(endpoint.statistics(args.namespace.as_ref())?);
    let mut out = io::stdout().lock();
    if let Some(interval) = args.watch {
        let screen = Screen::new(out, args.access.output);
        return watch(read, screen, interval, args.count);
    }
    let statistics: BTreeMap<_, _> = read()?;
    match (args.access.output, args.namespace.as_ref()) {
        (Form::Json, None) => print::json(&mut out, &json!({ "namespaces": statistics }))?,
        (Form::Json, Some(_)) => {
            statistics.values().try_for_each(|statistics| print::json(&mut out, statistics))?;
        }
        (Form::Table, None) => table(&mut out, &statistics)?,
        (Form::Table, Some(_)) => statistics
            .iter()
            .try_for_each(|(name, statistics)| everything(&mut out, name, statistics))?,
    }
    Ok(out.flush()?)
}

/// Writes a heading, and a row for each namespace.
fn table(out: &mut impl Write, statistics: &BTreeMap<String, Statistics>) -> io::Result<()> {
    const HEADING: [&str; 12] = [
        "namespace",
        "entries",
        "limit",
        "bytes",
        "limit",
        "hits",
        "misses",
        "miss ratio",
        "evicted",
        "expired",
        "backlog",
        "lag",
    ];
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    for (name, statistics) in statistics {
        rows.push(vec![
            name.clone(),
            grouped(statistics.usage.entries),
            number(statistics.limits.max_entries),
            grouped(statistics.usage.bytes),
            number(statistics.limits.max_bytes),
            grouped(statistics.hits),
            grouped(statistics.misses),
            ratio(statistics.miss_ratio),
            grouped(statistics.removed.evicted.entries),
            grouped(statistics.removed.expired.entries),
            number(statistics.backlog),
            lag(statistics),
        ]);
    }
    aligned(out, &rows)
}

/// Writes a heading, and for each namespace a row of what happened in a second since the reading before.
pub(super) fn rates_table(out: &mut impl Write, reading: &Reading) -> io::Result<()> {
    const HEADING: [&str; 11] = [
        "namespace",
        "entries",
        "bytes",
        "hits/s",
        "misses/s",
        "miss ratio",
        "writes/s",
        "evicted/s",
        "expired/s",
        "backlog",
        "lag",
    ];
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    for (name, Point { statistics, rates, .. }) in reading {
        let per_s = |of: fn(&Rates) -> f64| rate(rates.as_ref().map(of));
        rows.push(vec![
            name.clone(),
            grouped(statistics.usage.entries),
            grouped(statistics.usage.bytes),
            per_s(|rates| rates.hits),
            per_s(|rates| rates.misses),
            ratio(rates.and_then(|rates| rates.miss_ratio)),
            per_s(|rates| rates.inserted),
            per_s(|rates| rates.evicted),
            per_s(|rates| rates.expired),
            number(statistics.backlog),
            lag(statistics),
        ]);
    }
    aligned(out, &rows)
}

/// Writes everything that is known of one namespace.
fn everything(out: &mut impl Write, name: &str, statistics: &Statistics) -> io::Result<()> {
    let row = |name: &str, Amount { entries, bytes }: Amount| {
        vec![name.to_owned(), grouped(entries), grouped(bytes)]
    };
    let peak = statistics.peak;
    let Statistics { limits, removed, .. } = statistics;
    let rows = [
        [name, "entries", "bytes"].map(str::to_owned).to_vec(),
        row("usage", statistics.usage),
        vec!["limit".to_owned(), number(limits.max_entries), number(limits.max_bytes)],
        vec![
            "peak".to_owned(),
            number(peak.map(|peak| peak.entries)),
            number(peak.map(|peak| peak.bytes)),
        ],
        row("inserted", statistics.inserted),
        row("expired", removed.expired),
        row("evicted", removed.evicted),
        row("invalidated", removed.invalidated),
        row("replaced", removed.replaced),
        row("vanished", removed.vanished),
    ];
    aligned(out, &rows)?;
    writeln!(out)?;
    let fields = [
        ("strategy", text(statistics.strategy)),
        ("state", text(statistics.state.map(State::name))),
        ("hits", grouped(statistics.hits)),
        ("misses", grouped(statistics.misses)),
        ("miss ratio", ratio(statistics.miss_ratio)),
        ("rejected", grouped(statistics.rejected)),
        ("backlog", number(statistics.backlog)),
        ("lag", lag(statistics)),
        ("max lag", text(statistics.max_lag_ms.map(Span::of_millis))),
    ];
    print::fields(out, &fields)?;
    writeln!(out)?;
    evicted_times(out, statistics)
}

/// Writes how long ago evicted entries had been written, and last been used.
fn evicted_times(out: &mut impl Write, statistics: &Statistics) -> io::Result<()> {
    let row = |name: &str, Quantiles { p50, p90, p99 }: Quantiles| {
        let times = [p50, p90, p99].map(|ms| text(ms.map(Span::of_millis)));
        [vec![name.to_owned()], times.to_vec()].concat()
    };
    let rows = [
        ["evicted", "p50", "p90", "p99"].map(str::to_owned).to_vec(),
        row("age", statistics.evicted_age_ms),
        row("idle", statistics.evicted_idle_ms),
    ];
    aligned(out, &rows)
}

fn lag(statistics: &Statistics) -> String {
    text(statistics.lag_ms.map(Span::of_millis))
}
