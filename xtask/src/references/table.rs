//! The published miss ratios: reading `reference.csv` by the names of its columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result, bail};

/// One published miss ratio.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) trace: String,
    pub(super) requests: u64,
    pub(super) entries: u64,
    pub(super) policy: String,
    pub(super) miss_ratio: f64,
}

pub(super) fn read(file: &Path) -> Result<Vec<Reference>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    parse(&text).with_context(|| format!("cannot understand {}", file.display()))
}

/// Each trace with the sizes it has rows for, both in order.
pub(super) fn traces(references: &[Reference]) -> BTreeMap<&str, Vec<u64>> {
    let mut sizes: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for row in references {
        sizes.entry(&row.trace).or_default().insert(row.entries);
    }
    sizes.into_iter().map(|(trace, sizes)| (trace, sizes.into_iter().collect())).collect()
}

/// Columns may come in any order and further ones are ignored; a field cannot hold a comma.
fn parse(text: &str) -> Result<Vec<Reference>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next().context("it is empty")?;
    let header = Header::parse(header)?;
    let rows = lines
        .map(|(at, line)| header.row(line).with_context(|| format!("line {}: {line:?}", at + 1)));
    rows.collect()
}

/// Where each column stands.
struct Header<'a> {
    columns: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn parse(line: &'a str) -> Result<Self> {
        let header = Self { columns: line.split(',').map(str::trim).collect() };
        for column in ["trace", "requests", "capacity_entries", "policy", "miss_ratio"] {
            header.position(column)?;
        }
        Ok(header)
    }

    fn row(&self, line: &str) -> Result<Reference> {
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        if fields.len() != self.columns.len() {
            bail!("{} fields where the header has {}", fields.len(), self.columns.len());
        }
        let miss_ratio: f64 = self.field(&fields, "miss_ratio")?;
        if !(0.0..=1.0).contains(&miss_ratio) {
            bail!("the miss ratio {miss_ratio} is not between 0 and 1");
        }
        Ok(Reference {
            trace: self.field(&fields, "trace")?,
            requests: self.field(&fields, "requests")?,
            entries: self.field(&fields, "capacity_entries")?,
            policy: self.field(&fields, "policy")?,
            miss_ratio,
        })
    }

    fn field<T: FromStr>(&self, fields: &[&str], column: &str) -> Result<T> {
        let text = fields[self.position(column)?];
        text.parse().ok().with_context(|| format!("{text:?} is no valid {column}"))
    }

    fn position(&self, column: &str) -> Result<usize> {
        self.columns
            .iter()
            .position(|name| *name == column)
            .with_context(|| format!("it has no column {column}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "trace,requests,unique,fraction,capacity_entries,policy,policy_parameters,miss_ratio\n";

    fn check_error(text: &str, expected: &str) {
        let error = format!("{:#}", parse(text).expect_err("invalid"));
        assert!(error.contains(expected), "{error:?} should contain {expected:?}");
    }

    #[test]
    fn rows_are_read_and_grouped() {
        let rows = parse(&format!(
            "{HEADER}b,10,5,0.1,2,lru,LRU,0.5\r\na,20,9,0.1,4,fifo,FIFO,0.25\n\n\
             b,10,5,0.01,1,lru,LRU,0.75\n"
        ));
        let rows = rows.expect("valid");
        let first = Reference {
            trace: "b".into(),
            requests: 10,
            entries: 2,
            policy: "lru".into(),
            miss_ratio: 0.5,
        };
        assert_eq!(rows[0], first);
        assert_eq!(traces(&rows), BTreeMap::from([("a", vec![4]), ("b", vec![1, 2])]));
    }

    #[test]
    fn errors_say_where_and_what() {
        check_error("", "it is empty");
        check_error("trace,requests,policy,miss_ratio\n", "it has no column capacity_entries");
        check_error(&format!("{HEADER}a,1,1,0.1,x,lru,LRU,0.5"), "line 2: ");
        check_error(
            &format!("{HEADER}a,1,1,0.1,x,lru,LRU,0.5"),
            "\"x\" is no valid capacity_entries",
        );
        check_error(&format!("{HEADER}a,1,1,0.1,1,lru,LRU,1.5"), "not between 0 and 1");
        check_error(&format!("{HEADER}a,1,1"), "3 fields where the header has 8");
    }
}
