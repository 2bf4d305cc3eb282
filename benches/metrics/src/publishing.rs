//! What it costs to render and to publish many namespaces, whoever does it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use inval_memory::{Config, Stats};
use inval_metrics::{NamespaceReading, Publisher, Readings, UpkeepReading, render};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::cpu;
use crate::report::{Row, median};

/// Namespaces in the readings.
const NAMESPACES: usize = 1_000;
/// Evictions between two publications.
const EVICTIONS: u64 = 100_000;

pub(crate) fn without_a_recorder(rounds: usize) -> Result<Vec<Row>> {
    let readings = readings()?;
    let text = render(&readings);
    let series = text.lines().filter(|line| !line.starts_with('#')).count();
    let size = text.len() as f64 / 1e6;
    let took = time(rounds, || drop(black_box(render(&readings))));
    let mut publisher = Publisher::new();
    let silent = time(rounds, || publisher.publish(&readings));
    Ok(vec![
        row(&format!("text of {NAMESPACES} namespaces, {series} series, {size:.1} MB"), took),
        row(&format!("publishing {NAMESPACES} namespaces where no recorder is installed"), silent),
    ])
}

pub(crate) fn with_a_recorder(rounds: usize, recorder: &PrometheusHandle) -> Result<Vec<Row>> {
    let mut readings = readings()?;
    let mut publisher = Publisher::new();
    let took = time(rounds, || publisher.publish(&readings));
    recorder.run_upkeep();
    readings.namespaces.truncate(1);
    let mut publisher = Publisher::new();
    let evictions = time(rounds, || {
        if let Some(stats) = readings.namespaces.iter_mut().find_map(|one| one.stats.as_mut()) {
            (0..EVICTIONS).for_each(|age| Arc::make_mut(stats).evicted_age.record(age));
        }
        publisher.publish(&readings);
    });
    recorder.run_upkeep();
    let one = format!("publishing 1 namespace after {EVICTIONS} evictions to the same recorder");
    let all = "to the recorder of metrics-exporter-prometheus";
    Ok(vec![row(&format!("publishing {NAMESPACES} namespaces {all}"), took), row(&one, evictions)])
}

/// Namespaces in which everything was counted that can be.
fn readings() -> Result<Readings> {
    let config =
        Config::builder().max_entries(1_000).max_bytes(1 << 20).ttl(Duration::from_secs(1));
    let config = config.build()?;
    let mut stats = Stats { hits: 123_456, misses: 7_890, ..Stats::default() };
    (0..1_000).for_each(|i| stats.evicted_age.record(i * i));
    let stats = Arc::new(stats);
    let upkeep =
        UpkeepReading { rebuilt: Some(0.5), clock_offset_us: Some(10), ..UpkeepReading::default() };
    let reading = |i| {
        Ok(NamespaceReading {
            namespace: format!("namespace-{i}").parse()?,
            store: "redis",
            config,
            stats: Some(Arc::clone(&stats)),
            upkeep: Some(upkeep.clone()),
        })
    };
    let namespaces = (0..NAMESPACES).map(reading).collect::<Result<_>>()?;
    Ok(Readings { namespaces, ..Readings::default() })
}

/// Milliseconds of CPU that `work` takes, the median of the rounds after one to warm up.
fn time(rounds: usize, mut work: impl FnMut()) -> f64 {
    let mut round = || {
        let begun = cpu::spent();
        work();
        cpu::spent().saturating_sub(begun).as_secs_f64() * 1e3
    };
    round();
    median((0..rounds).map(|_| round()).collect())
}

fn row(measure: &str, ms: f64) -> Row {
    Row { measure: measure.to_owned(), measured: format!("{ms:.1} ms") }
}
