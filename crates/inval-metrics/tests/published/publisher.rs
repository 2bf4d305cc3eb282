//! Publishing through the facade, to the recorder of the Prometheus exporter.

use std::collections::BTreeSet;
use std::sync::Arc;

use inval_core::Stats;
use inval_metrics::{Kind, NamespaceReading, Publisher, Readings, catalogue, render};
use metrics::with_local_recorder;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};

use crate::readings::{full, observations};

/// A program with a recorder and a publisher of its own.
struct Program {
    recorder: PrometheusRecorder,
    publisher: Publisher,
}

impl Program {
    fn new() -> Self {
        let mut builder = PrometheusBuilder::new();
        for metric in catalogue() {
            if let Kind::Histogram(scale) = metric.kind {
                let bounds: Vec<_> = scale.bounds().collect();
                let name = Matcher::Full(metric.name.to_owned());
                builder = builder.set_buckets_for_metric(name, &bounds).unwrap();
            }
        }
        Self { recorder: builder.build_recorder(), publisher: Publisher::new() }
    }

    fn publish(&mut self, readings: &Readings) {
        with_local_recorder(&self.recorder, || self.publisher.publish(readings));
    }

    fn text(&self) -> String {
        let handle = self.recorder.handle();
        handle.run_upkeep();
        handle.render()
    }

    fn value(&self, series: &str) -> Option<f64> {
        let text = self.text();
        let line =
            text.lines().find(|line| line.rsplit_once(' ').is_some_and(|(s, _)| s == series));
        line?.rsplit_once(' ')?.1.parse().ok()
    }
}

/// The lines of a text that say something, as a set; sums of floating-point numbers to nine digits.
fn lines(text: &str) -> BTreeSet<String> {
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((series, sum)) if series.contains("_sum") => {
            format!("{series} {:.8e}", sum.parse::<f64>().unwrap())
        }
        _ => line.to_owned(),
    };
    text.lines().filter(|line| !line.is_empty()).map(line).collect()
}

fn with_stats(namespace: &NamespaceReading, stats: Stats) -> Readings {
    let reading = NamespaceReading { stats: Some(Arc::new(stats)), ..namespace.clone() };
    Readings { namespaces: vec![reading], ..Readings::default() }
}

#[test]
fn a_recorder_says_the_same_as_the_text() {
    let readings = full(&["a", "b"]);
    let mut program = Program::new();
    program.publish(&readings);
    program.publish(&readings);
    let as_gauge = "# TYPE inval_upkeep_held_seconds_total";
    let told = program.text().replace(&format!("{as_gauge} gauge"), &format!("{as_gauge} counter"));
    let told = lines(&told);
    let written = lines(&render(&readings));
    assert_eq!(told.difference(&written).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(written.difference(&told).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn counters_never_fall_and_go_on_when_they_start_anew() {
    let namespace = &full(&["n"]).namespaces[0];
    let mut program = Program::new();
    let mut check = |hits: u64, told: f64| {
        program.publish(&with_stats(namespace, Stats { hits, ..Stats::default() }));
        assert_eq!(program.value(r#"inval_hits_total{namespace="n"}"#), Some(told));
    };
    check(10, 10.0);
    check(15, 15.0);
    check(3, 18.0);
    check(4, 19.0);
}

#[test]
fn counters_of_a_namespace_that_comes_back_go_on() {
    let namespace = &full(&["n"]).namespaces[0];
    let mut program = Program::new();
    program.publish(&with_stats(namespace, Stats { hits: 10, ..Stats::default() }));
    program.publish(&Readings::default());
    program.publish(&with_stats(namespace, Stats { hits: 2, ..Stats::default() }));
    assert_eq!(program.value(r#"inval_hits_total{namespace="n"}"#), Some(12.0));
}

#[test]
fn gauges_that_are_gone_are_set_to_zero_once() {
    let mut readings = full(&["n"]);
    let mut program = Program::new();
    program.publish(&readings);
    let usage = r#"inval_usage_entries{namespace="n"}"#;
    let limit = r#"inval_limit_bytes{namespace="n"}"#;
    assert_eq!(program.value(limit), Some(1_048_576.0));

    readings.namespaces[0].config =
        inval_core::Config::builder().max_entries(1_000).build().unwrap();
    program.publish(&readings);
    assert_eq!((program.value(limit), program.value(usage)), (Some(0.0), Some(100.0)));

    readings.namespaces.clear();
    program.publish(&readings);
    assert_eq!(program.value(usage), Some(0.0));
    // Left alone from now on, whatever somebody else makes of it.
    with_local_recorder(&program.recorder, || {
        metrics::gauge!("inval_usage_entries", "namespace" => "n").set(7.0);
    });
    program.publish(&readings);
    assert_eq!(program.value(usage), Some(7.0));
}

#[test]
fn histograms_are_told_what_has_come() {
    let namespace = &full(&["n"]).namespaces[0];
    let mut program = Program::new();
    let mut observed = Stats::default();
    for new in [&[1_000, 2_000_000][..], &[], &[5, 70_000, 70_001]] {
        new.iter().for_each(|&age| observed.evicted_age.record(age));
        program.publish(&with_stats(namespace, observed.clone()));
    }
    let told = |suffix, le| {
        program.value(&format!("inval_evicted_age_seconds_{suffix}{{namespace=\"n\"{le}}}"))
    };
    assert_eq!(told("count", ""), Some(5.0));
    assert_eq!(told("bucket", ",le=\"1.023\""), Some(2.0));
    assert_eq!(told("bucket", ",le=\"262.143\""), Some(4.0));
    let sum = told("sum", "").unwrap();
    assert!((sum - 2_141.006).abs() < 1e-6, "{sum}");
}

#[test]
fn publishing_without_a_recorder_does_nothing() {
    let mut readings = full(&["n"]);
    let mut publisher = Publisher::new();
    publisher.publish(&readings);
    readings.process.manager.as_mut().unwrap().slice_held = observations(&[1]);
    publisher.publish(&readings);
}
