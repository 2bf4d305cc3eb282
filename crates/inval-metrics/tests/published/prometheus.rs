//! The text that Prometheus reads.

use std::collections::BTreeMap;

use inval_metrics::{OperationReading, catalogue, render};

use crate::readings::{full, namespace, observations};

/// The samples of a text as their series and value.
fn samples(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(|line| line.rsplit_once(' '))
}

fn check(text: &str, series: &str, value: &str) {
    let found: Vec<_> = samples(text).filter(|(name, _)| *name == series).collect();
    assert_eq!(found, [(series, value)]);
}

#[test]
fn values_stand_in_base_units() {
    let text = render(&full(&["pages"]));
    check(&text, r#"inval_hits_total{namespace="pages"}"#, "900");
    check(&text, r#"inval_removed_bytes_total{namespace="pages",cause="vanished"}"#, "500");
    check(&text, r#"inval_limit_bytes{namespace="pages"}"#, "1048576");
    check(&text, r#"inval_ttl_seconds{namespace="pages"}"#, "1.5");
    check(&text, r#"inval_upkeep_held_seconds_total{namespace="pages"}"#, "0.00125");
    check(&text, r#"inval_clock_offset_seconds{namespace="pages"}"#, "-0.0015");
    check(&text, r#"inval_upkeep_failures_total{namespace="pages",kind="panicked"}"#, "15");
    check(&text, r#"inval_upkeep_paused{namespace="pages"}"#, "1");
    let info = r#"inval_namespace_info{namespace="pages",strategy="sieve",store="redis"}"#;
    check(&text, info, "1");
    check(&text, r#"inval_http_requests_total{operation="put_entry",status="4xx"}"#, "32");
    check(&text, "inval_stats_age_seconds", "0.75");
    check(&text, "inval_upkeep_duty_cycle_ratio", "0.015");
}

#[test]
fn buckets_hold_exactly_what_was_counted() {
    let mut readings = full(&["n"]);
    let stats = std::sync::Arc::make_mut(readings.namespaces[0].stats.as_mut().unwrap());
    stats.evicted_age = observations(&[1_023, 1_024, 50_000, 1 << 41]);
    let text = render(&readings);
    let bucket = |le, count: &str| {
        let series = format!("inval_evicted_age_seconds_bucket{{namespace=\"n\",le=\"{le}\"}}");
        check(&text, &series, count);
    };
    bucket("1.023", "1");
    bucket("4.095", "2");
    bucket("16.383", "2");
    bucket("65.535", "3");
    bucket("4294967.295", "3");
    bucket("+Inf", "4");
    check(&text, r#"inval_evicted_age_seconds_count{namespace="n"}"#, "4");
    check(&text, r#"inval_evicted_age_seconds_sum{namespace="n"}"#, "2199023307.599");
}

#[test]
fn each_metric_has_one_help_and_one_type_right_before_its_samples() {
    let text = render(&full(&["b", "a"]));
    let mut open = "";
    let mut seen = Vec::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            open = help.split(' ').next().unwrap();
            seen.push(open);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let metric = catalogue().find(|metric| metric.name == open).unwrap();
            assert_eq!(kind, format!("{open} {}", metric.kind.name()));
        } else {
            assert!(line.starts_with(open), "{line} stands under {open}");
        }
    }
    assert!(seen.is_sorted());
    assert_eq!(seen.len(), catalogue().count());
}

#[test]
fn the_text_does_not_depend_on_the_order_of_namespaces() {
    assert_eq!(render(&full(&["b", "a", "c"])), render(&full(&["c", "b", "a"])));
}

#[test]
fn the_series_of_a_namespace_go_with_it() {
    let mut readings = full(&["a", "b"]);
    assert!(render(&readings).contains(r#"namespace="b""#));
    readings.namespaces.pop();
    assert!(!render(&readings).contains(r#"namespace="b""#));
}

#[test]
fn every_namespace_and_every_operation_adds_a_bounded_number_of_series() {
    let count = |namespaces: usize, operations: &[&'static str]| {
        let names: Vec<_> = (0..namespaces).map(|i| format!("n{i}")).collect();
        let mut readings = full(&[]);
        readings.namespaces = names.iter().map(|name| namespace(name)).collect();
        let of_operation = readings.process.http[0].clone();
        readings.process.http = operations
            .iter()
            .map(|&operation| OperationReading {
                operation,
                answers: ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| (class, 1)).into(),
                ..of_operation.clone()
            })
            .collect();
        samples(&render(&readings)).count()
    };
    // The figures that docs/metrics.md gives.
    let base = count(0, &[]);
    assert_eq!(count(50, &[]), base + 50 * 77);
    assert_eq!(count(3, &["get", "put"]), base + 3 * 77 + 2 * 18);
}

#[test]
fn no_series_stands_there_twice() {
    let text = render(&full(&["a", "b"]));
    let mut times = BTreeMap::new();
    samples(&text).for_each(|(series, _)| *times.entry(series).or_insert(0) += 1);
    assert!(times.values().all(|&times| times == 1));
}

#[test]
fn label_values_are_escaped() {
    let mut readings = full(&[]);
    readings.process.server.as_mut().unwrap().errors = vec![("a\"b\nc\\d", 1)];
    check(&render(&readings), r#"inval_store_errors_total{kind="a\"b\nc\\d"}"#, "1");
}
