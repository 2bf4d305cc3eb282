//! Rules and dashboard speak of the metrics there are, and `promtool` agrees with all of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use inval_metrics::render;
use serde_json::Value;

use crate::readings::full;
use crate::rules::{aggregated, directory, metric_of, read, rules, uses};

/// The labels that Prometheus adds to what it reads, and that of buckets.
const ADDED: [&str; 3] = ["job", "instance", "le"];

/// Whether `text` speaks of nothing but metrics of the catalogue, with labels that they have.
fn check(text: &str) {
    let mut known: BTreeSet<&str> = ADDED.into();
    for (series, labels) in uses(text) {
        let metric = metric_of(series).unwrap_or_else(|| panic!("no {series}, in {text}"));
        known.extend(metric.labels);
        for label in labels {
            let is_there = metric.labels.contains(&label) || ADDED.contains(&label);
            assert!(is_there, "{series} has no label {label}, in {text}");
        }
    }
    for label in aggregated(text) {
        assert!(known.contains(label), "nothing has the label {label}, in {text}");
    }
}

fn panels(dashboard: &Value) -> impl Iterator<Item = &Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row")
}

fn expressions(dashboard: &Value) -> Vec<&str> {
    let targets = panels(dashboard).flat_map(|panel| panel["targets"].as_array().unwrap());
    targets.map(|target| target["expr"].as_str().unwrap()).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana-dashboard.json")).unwrap()
}

/// Runs `promtool`, which must be pleased. `input` comes from a file.
fn promtool(arguments: &[&str], input: Option<&Path>) {
    let input = input.map_or_else(Stdio::null, |path| fs::File::open(path).unwrap().into());
    let mut command = Command::new("promtool");
    let output = command.args(arguments).current_dir(directory()).stdin(input).output();
    let output = match output {
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "promtool is not installed; to install it: `cargo xtask servers` or \
             `apt-get install -y --no-install-recommends prometheus`"
        ),
        output => output.unwrap(),
    };
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "promtool {arguments:?}: {}", said.concat());
}

#[test]
fn rules_speak_of_metrics_there_are() {
    for rule in rules() {
        check(&rule.text);
    }
    check(&read("alerts_test.yml"));
}

#[test]
fn every_alert_says_how_bad_it_is_what_is_wrong_and_what_to_do() {
    let alerts: Vec<_> = rules().into_iter().filter(|rule| rule.kind == "alert").collect();
    assert!(alerts.len() >= 10);
    for alert in alerts {
        let severities = ["severity: warning", "severity: critical"];
        assert!(severities.iter().any(|severity| alert.text.contains(severity)), "{}", alert.name);
        for field in ["summary: ", "description: >-"] {
            assert!(alert.text.contains(field), "{} has no {field}", alert.name);
        }
    }
}

#[test]
fn every_alert_is_tried_out() {
    let tests = read("alerts_test.yml");
    for rule in rules() {
        match rule.kind {
            "alert" => {
                let (_, test) = tests.split_once(&format!("  - name: {}\n", rule.name)).unwrap();
                let test = test.split("  - name: ").next().unwrap();
                assert!(test.contains(&format!("alertname=\"{}\"", rule.name)), "{}", rule.name);
                assert!(test.contains("exp_samples: []"), "{} is never silent", rule.name);
            }
            _ => assert!(tests.contains(&format!("expr: '{}", rule.name)), "{}", rule.name),
        }
    }
}

#[test]
fn the_dashboard_speaks_of_metrics_there_are() {
    let dashboard = dashboard();
    expressions(&dashboard).into_iter().for_each(check);
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        // Here a metric stands before the label whose values are wanted.
        let query = variable["definition"].as_str().unwrap_or_default();
        for (series, _) in uses(query) {
            let wanted = query.rsplit_once(", ").unwrap().1.trim_end_matches(')');
            let labels = metric_of(series).unwrap().labels;
            assert!(labels.contains(&wanted) || ADDED.contains(&wanted), "{query}");
        }
    }
}

#[test]
fn its_panels_ask_the_chosen_source_and_lie_side_by_side() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_empty() && !panel["description"].as_str().unwrap().is_empty());
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let [x, y, w, h] =
            ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
        assert!(x + w <= 24, "{title}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(taken.insert(place), "{title} lies over another panel");
        }
    }
    let ids: BTreeSet<_> = panels(&dashboard).map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels(&dashboard).count());
}

#[test]
fn promtool_takes_the_rules_and_their_tests() {
    promtool(&["check", "rules", "alerts.yml"], None);
    promtool(&["test", "rules", "alerts_test.yml"], None);
}

#[test]
fn promtool_takes_every_expression_of_the_dashboard() {
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (i, expression) in expressions(&dashboard()).into_iter().enumerate() {
        let expression = expression.replace("$__rate_interval", "5m");
        rules += &format!("      - {{record: 'panel:{i}', expr: '{expression}'}}\n");
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, rules).unwrap();
    promtool(&["check", "rules", file.path().to_str().unwrap()], None);
}

#[test]
fn promtool_takes_the_text() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, render(&full(&["a", "b"]))).unwrap();
    promtool(&["check", "metrics"], Some(file.path()));
}
