//! The files under monitoring/, as far as tests have to understand them.

use std::fs;
use std::path::{Path, PathBuf};

use inval_metrics::{Kind, Metric, catalogue};

/// A rule of alerts.yml.
pub(crate) struct Rule {
    /// `alert` or `record`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) expression: String,
    /// All of it.
    pub(crate) text: String,
}

pub(crate) fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../monitoring")
}

pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(directory().join(name)).unwrap()
}

/// The rules of alerts.yml in their order. Its form is ours: `promtool` sees to it that it is valid.
pub(crate) fn rules() -> Vec<Rule> {
    let text = read("alerts.yml");
    let starts: Vec<_> = text.match_indices("      - ").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(&start, end)| rule(&text[start..end])).collect()
}

fn rule(text: &str) -> Rule {
    let head = text.trim_start_matches("      - ");
    let (kind, rest) = head.split_once(": ").unwrap();
    let kind = ["alert", "record"].into_iter().find(|known| *known == kind).unwrap();
    let (_, from_expression) = text.split_once("expr:").unwrap();
    let mut expression = String::new();
    for (i, line) in from_expression.lines().enumerate() {
        if i > 0 && !line.starts_with("          ") {
            break;
        }
        expression += line.trim().trim_start_matches(">-");
        expression.push(' ');
    }
    let name = rest.lines().next().unwrap().to_owned();
    Rule { kind, name, expression, text: text.to_owned() }
}

/// The metrics that a text names, each as it stands there and with the labels that are selected by.
pub(crate) fn uses(text: &str) -> Vec<(&str, Vec<&str>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut uses = Vec::new();
    for (at, _) in text.match_indices("inval_") {
        if text[..at].ends_with(is_name) {
            continue;
        }
        let rest = &text[at..];
        let (name, rest) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        let selector = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let matchers = selector.map_or("", |(matchers, _)| matchers).split(',');
        let labels = matchers.filter_map(|matcher| matcher.split(['=', '!']).next());
        uses.push((name, labels.map(str::trim).filter(|label| !label.is_empty()).collect()));
    }
    uses
}

/// The labels that a text aggregates by or without.
pub(crate) fn aggregated(text: &str) -> impl Iterator<Item = &str> {
    let lists = [" by (", " without ("].into_iter().flat_map(|word| text.split(word).skip(1));
    lists.filter_map(|rest| rest.split(')').next()).flat_map(|list| list.split(',')).map(str::trim)
}

/// The metric that a series belongs to.
pub(crate) fn metric_of(series: &str) -> Option<&'static Metric> {
    catalogue().find(|metric| match metric.kind {
        Kind::Histogram(_) => series
            .strip_prefix(metric.name)
            .is_some_and(|suffix| ["_bucket", "_sum", "_count"].contains(&suffix)),
        _ => series == metric.name,
    })
}
