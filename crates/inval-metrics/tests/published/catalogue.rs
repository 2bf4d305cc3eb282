//! The table of metrics keeps to the conventions, and what comes out is what stands in it.

use std::collections::{BTreeMap, BTreeSet};

use inval_metrics::{Kind, Readings, Unit, Value, catalogue, walk};

use crate::readings::full;

/// The labels there are. A new one is a decision: its values must come from a bounded set.
const LABELS: [&str; 8] =
    ["namespace", "cause", "strategy", "store", "kind", "operation", "status", "version"];

#[test]
fn exactly_the_metrics_of_the_catalogue_come_out_each_with_its_labels() {
    let mut told = BTreeSet::new();
    walk(&full(&["a", "b"]), |sample| {
        let name = sample.metric.name;
        assert_eq!(sample.labels.len(), sample.metric.labels.len(), "{name}");
        assert!(sample.labels.iter().all(|value| !value.is_empty()), "{name}");
        let is_histogram = matches!(sample.value, Value::Histogram(_));
        assert_eq!(is_histogram, matches!(sample.metric.kind, Kind::Histogram(_)), "{name}");
        told.insert(name);
    });
    let known: BTreeSet<_> = catalogue().map(|metric| metric.name).collect();
    assert_eq!(told, known);
}

#[test]
fn samples_come_by_metric_and_namespace_and_no_series_twice() {
    let mut series = Vec::new();
    walk(&full(&["b", "a"]), |sample| {
        series.push((sample.metric.name, sample.labels.join("|")));
    });
    let names: Vec<_> = series.iter().map(|(name, _)| name).collect();
    assert!(names.is_sorted());
    let hits: Vec<_> = series.iter().filter(|(name, _)| *name == "inval_hits_total").collect();
    assert_eq!(hits.iter().map(|(_, labels)| labels.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let distinct: BTreeSet<_> = series.iter().collect();
    assert_eq!(distinct.len(), series.len());
}

#[test]
fn what_is_not_there_is_not_told() {
    let mut names = Vec::new();
    walk(&Readings::default(), |sample| names.push(sample.metric.name));
    assert_eq!(names, ["inval_build_info"]);

    let mut readings = full(&["a"]);
    let reading = &mut readings.namespaces[0];
    reading.stats = None;
    reading.upkeep = None;
    reading.config = inval_core::Config::builder().max_entries(1).build().unwrap();
    let mut of_namespace = Vec::new();
    walk(&readings, |sample| {
        if sample.metric.labels.contains(&"namespace") {
            of_namespace.push(sample.metric.name);
        }
    });
    assert_eq!(of_namespace, ["inval_limit_entries", "inval_namespace_info"]);
}

#[test]
fn names_say_unit_and_kind() {
    for metric in catalogue() {
        let name = metric.name;
        assert!(name.starts_with("inval_"), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        assert_eq!(name.ends_with("_total"), metric.kind == Kind::Counter, "{name}");
        let stem = name.trim_end_matches("_total");
        assert_eq!(stem.ends_with("_bytes"), metric.unit == Unit::Bytes, "{name}");
        assert_eq!(stem.ends_with("_seconds"), metric.unit == Unit::Seconds, "{name}");
        assert!(metric.help.ends_with('.') && !metric.help.contains('\n'), "{name}");
    }
    let mut by_name = BTreeMap::new();
    for metric in catalogue() {
        assert!(by_name.insert(metric.name, ()).is_none(), "{} stands there twice", metric.name);
    }
}

#[test]
fn labels_are_few_and_known() {
    for metric in catalogue() {
        for label in metric.labels {
            assert!(LABELS.contains(label), "{} has the label {label}", metric.name);
        }
    }
}

#[test]
fn bounds_rise_and_are_in_the_unit() {
    for metric in catalogue() {
        if let Kind::Histogram(scale) = metric.kind {
            let bounds: Vec<_> = scale.bounds().collect();
            assert!(bounds.is_sorted() && bounds.len() <= 12, "{}", metric.name);
        }
    }
    let age = catalogue().find(|metric| metric.name == "inval_evicted_age_seconds").unwrap();
    let Kind::Histogram(scale) = age.kind else { panic!("{:?}", age.kind) };
    assert_eq!(scale.bounds().next(), Some(1.023));
    assert_eq!(scale.bounds().last(), Some(4_294_967.295));
}
