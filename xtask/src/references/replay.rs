//! Our own miss ratios: running `inval replay` and reading what it prints.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::JUDGED;
use crate::invocation::Invocation;

/// The part of a replay's result that the comparison needs.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Replay {
    pub(super) strategy: String,
    pub(super) requests: u64,
    pub(super) miss_ratio: f64,
    pub(super) max_entries: Option<u64>,
}

impl Replay {
    /// Whether this is the strategy's result at this size.
    pub(super) fn is_of(&self, strategy: &str, entries: u64) -> bool {
        self.strategy == strategy && self.max_entries == Some(entries)
    }
}

/// Replays `trace` through every strategy at each of the sizes.
pub(super) fn run(binary: &Path, trace: &Path, sizes: &[u64]) -> Result<Vec<Replay>> {
    let strategies: Vec<&str> = JUDGED.iter().map(|judged| judged.strategy).collect();
    let invocation = Invocation::new(binary).args(["replay", "--trace"]).arg(trace).args([
        "--strategy",
        &strategies.join(","),
        "--sizes",
        &comma_separated(sizes),
        "--output",
        "json",
    ]);
    parse(&invocation.read()?)
        .with_context(|| format!("cannot understand what `{invocation}` printed"))
}

pub(super) fn comma_separated(sizes: &[u64]) -> String {
    sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
}

/// The rows may come as one array or as one object after the other.
fn parse(json: &str) -> Result<Vec<Replay>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Document {
        All(Vec<Replay>),
        One(Replay),
    }
    let mut replays = Vec::new();
    for document in serde_json::Deserializer::from_str(json).into_iter::<Document>() {
        match document? {
            Document::All(rows) => replays.extend(rows),
            Document::One(row) => replays.push(row),
        }
    }
    if replays.is_empty() {
        bail!("it holds no result");
    }
    Ok(replays)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"trace":"a","strategy":"lru","requests":10,"hits":4,"misses":6,
        "miss_ratio":0.6,"byte_miss_ratio":null,"max_entries":2,"max_bytes":null,"evicted":4,
        "expired":0,"elapsed_s":0.1}"#;

    fn check(json: &str, rows: usize) {
        let row =
            Replay { strategy: "lru".into(), requests: 10, miss_ratio: 0.6, max_entries: Some(2) };
        assert_eq!(parse(json).expect("valid"), vec![row; rows]);
    }

    #[test]
    fn reads_an_array_or_a_stream() {
        check(&format!("[{ROW}, {ROW}]"), 2);
        check(&format!("{ROW}\n{ROW}\n{ROW}"), 3);
    }

    #[test]
    fn refuses_what_is_no_result() {
        for json in ["", "[]", "{}", "[{\"strategy\": \"lru\"}]", "trace,strategy"] {
            assert!(parse(json).is_err(), "{json:?}");
        }
    }
}
