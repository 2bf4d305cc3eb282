//! The page docs/metrics.md, made from the catalogue and the rules, and the test that it is up to date.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use inval_metrics::{Kind, Metric, Unit, catalogue};

use crate::rules::{metric_of, rules, uses};

const INTRO: &str = include_str!("page.md");

fn page() -> String {
    let mut page = INTRO.to_owned();
    let (of_namespaces, of_process): (Vec<_>, Vec<_>) =
        catalogue().partition(|metric| metric.labels.contains(&"namespace"));
    page += "\n## Of each namespace\n\n";
    page += &table(&of_namespaces);
    page += "\n## Of the process\n\n";
    page += &table(&of_process);
    page += "\n## Buckets\n\nThe upper bounds of each histogram, in its unit; each is one less than a power of two of what is counted.\n\n";
    for metric in catalogue() {
        if let Kind::Histogram(scale) = metric.kind {
            let bounds: Vec<_> = scale.bounds().map(|bound| bound.to_string()).collect();
            writeln!(page, "- `{}`: {}", metric.name, bounds.join(", ")).unwrap();
        }
    }
    page
}

fn table(metrics: &[&Metric]) -> String {
    let mut table =
        "| metric | kind | unit | labels | | alerts |\n| --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for metric in metrics {
        let unit = match metric.unit {
            Unit::Bytes => "bytes",
            Unit::Seconds => "seconds",
            _ => "",
        };
        let Metric { name, kind, labels, help, .. } = metric;
        let (kind, labels, alerts) = (kind.name(), in_code(labels), in_code(&alerts(name)));
        writeln!(table, "| `{name}` | {kind} | {unit} | {labels} | {help} | {alerts} |").unwrap();
    }
    table
}

fn in_code<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<_> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    words.join(", ")
}

/// The alerts that go by a metric, those that do by way of a recorded one among them.
fn alerts(name: &str) -> Vec<String> {
    let rules = rules();
    let goes_by = |expression: &str| {
        uses(expression).iter().any(|(series, _)| metric_of(series).is_some_and(|m| m.name == name))
    };
    let recorded: Vec<_> = rules
        .iter()
        .filter(|rule| rule.kind == "record" && goes_by(&rule.expression))
        .map(|rule| rule.name.as_str())
        .collect();
    let fires = |expression: &str| {
        goes_by(expression) || recorded.iter().any(|recorded| expression.contains(recorded))
    };
    let alerts = rules.iter().filter(|rule| rule.kind == "alert" && fires(&rule.expression));
    alerts.map(|rule| rule.name.clone()).collect()
}

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    if env::var_os("WRITE_DOCS").is_some() {
        fs::write(&path, page()).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "write it anew: WRITE_DOCS=1 cargo test -p inval-metrics --test published page"
    );
}
