//! The results as a table, for the terminal and for the documentation.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

/// One measure, with what it has to reach and what it would like to.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) measured: String,
    pub(crate) must: &'static str,
    pub(crate) goal: &'static str,
}

impl Row {
    pub(crate) fn new(
        measure: &str,
        measured: impl Into<String>,
        must: &'static str,
        goal: &'static str,
    ) -> Self {
        Self { measure: measure.to_owned(), measured: measured.into(), must, goal }
    }
}

/// The table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| measure | measured | must | goal |\n| --- | --- | --- | --- |\n");
    for Row { measure, measured, must, goal } in rows {
        let _ = writeln!(text, "| {measure} | {measured} | {must} | {goal} |");
    }
    text
}

/// Puts the table into a page between the markers of its suite.
pub(crate) fn write_into(page: &Path, suite: &str, table: &str) -> Result<()> {
    let begin = format!("<!-- {suite}: made by `cargo xtask bench {suite} --write-docs` -->");
    let end = format!("<!-- {suite}: end -->");
    let before = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let missing = || format!("{} lacks the line {begin} or {end}", page.display());
    let (head, rest) = before.split_once(&begin).with_context(missing)?;
    let (_, tail) = rest.split_once(&end).with_context(missing)?;
    fs::write(page, format!("{head}{begin}\n\n{table}\n{end}{tail}"))?;
    Ok(())
}
