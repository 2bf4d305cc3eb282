//! What came of the trials: lines for whoever waits, and the table of the documentation.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::site::Topology;

const BEGIN: &str = "<!-- begin: written by cargo xtask chaos --write-docs -->";
const END: &str = "<!-- end -->";
/// How many violations of a trial are shown.
const SHOWN: usize = 8;

/// What came of one trial.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    pub(crate) does: &'static str,
    pub(crate) topology: Topology,
    pub(crate) seed: u64,
    /// Calls of clients, and how many of them failed.
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    /// What was broken, and what doors did to what passed.
    pub(crate) faults: u64,
    /// Reads that only lost or undone writes explain.
    pub(crate) excused: u64,
    /// From the end of the last fault until all clients are served and all books are exact.
    pub(crate) recovery: Duration,
    /// The most entries above the limit at any time.
    pub(crate) overshoot: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) remarks: Vec<String>,
}

/// Tells of a trial that has ended.
#[expect(clippy::print_stdout, reason = "this is what the command is asked for")]
pub(crate) fn print(row: &Row) {
    let Row { scenario, topology, calls, failed, faults, excused, overshoot, .. } = row;
    println!(
        "{:9} {scenario:26} {topology:9} {calls:8} calls ({failed} failed, {excused} excused), {faults:6} faults, \
         recovered in {:5.2} s, {overshoot} above the limit",
        if row.violations.is_empty() { "ok" } else { "VIOLATED" },
        row.recovery.as_secs_f64(),
    );
    row.remarks.iter().for_each(|remark| println!("          {remark}"));
    for violation in row.violations.iter().take(SHOWN) {
        println!("          {violation}");
    }
    let more = row.violations.len().saturating_sub(SHOWN);
    if more > 0 {
        println!("          and {more} more");
    }
    if !row.violations.is_empty() {
        println!(
            "          again: cargo xtask chaos {scenario} --site {topology} --seed {}",
            row.seed
        );
    }
}

/// Puts the table between the markers of a page.
pub(crate) fn write(rows: &[Row], settings: &str, page: &Path) -> Result<()> {
    let text = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let (before, rest) = text.split_once(BEGIN).context("the page lacks its first marker")?;
    let (_, after) = rest.split_once(END).context("the page lacks its second marker")?;
    let table = table(rows, settings);
    fs::write(page, format!("{before}{BEGIN}\n{table}{END}{after}"))?;
    Ok(())
}

fn table(rows: &[Row], settings: &str) -> String {
    let mut text = format!(
        "\n{settings}\n\n\
         | scenario | what is broken | site | calls | failed | faults | violations | excused | worst recovery | worst overshoot |\n\
         | --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |\n"
    );
    for row in rows {
        let Row { scenario, does, topology, calls, failed, faults, excused, .. } = row;
        let (violations, recovery) = (row.violations.len(), row.recovery.as_secs_f64());
        let _infallible = writeln!(
            text,
            "| `{scenario}` | {does} | {topology} | {calls} | {failed} | {faults} | {violations} | {excused} | \
             {recovery:.2} s | {} |",
            row.overshoot
        );
    }
    let remarks: Vec<String> = rows
        .iter()
        .flat_map(|row| row.remarks.iter().map(move |remark| (row, remark)))
        .map(|(row, remark)| format!("- `{}`, {}: {remark}", row.scenario, row.topology))
        .collect();
    if !remarks.is_empty() {
        text += &format!("\n{}\n", remarks.join("\n"));
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_between_the_markers() {
        let row = Row {
            scenario: "calm",
            does: "nothing is broken",
            topology: Topology::Single,
            seed: 7,
            calls: 100,
            failed: 1,
            faults: 2,
            excused: 3,
            recovery: Duration::from_millis(1230),
            overshoot: 4,
            violations: Vec::new(),
            remarks: vec!["all was well".to_owned()],
        };
        let directory = tempfile::tempdir().unwrap();
        let page = directory.path().join("page.md");
        fs::write(&page, format!("before\n{BEGIN}\nold\n{END}\nafter\n")).unwrap();
        write(&[row], "Seed 7.", &page).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("after\n"), "{text}");
        assert!(
            text.contains(
                "| `calm` | nothing is broken | single | 100 | 1 | 2 | 0 | 3 | 1.23 s | 4 |"
            ),
            "{text}"
        );
        assert!(text.contains("- `calm`, single: all was well") && !text.contains("old"), "{text}");
        fs::write(&page, "no markers").unwrap();
        assert!(write(&[], "", &page).is_err());
    }
}
