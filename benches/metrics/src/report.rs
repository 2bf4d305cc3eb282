//! The results as a table, for the terminal and for the documentation.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

const BEGIN: &str = "<!-- metrics: made by `cargo xtask bench metrics --write-docs` -->";
const END: &str = "<!-- metrics: end -->";

/// One measure.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) measure: String,
    pub(crate) measured: String,
}

/// The table in Markdown.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| measure | measured |\n| --- | --- |\n");
    for Row { measure, measured } in rows {
        let _ = writeln!(text, "| {measure} | {measured} |");
    }
    text
}

/// Puts the table into a page between its markers.
pub(crate) fn write_into(page: &Path, table: &str) -> Result<()> {
    let before = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let missing = || format!("{} lacks the line {BEGIN} or {END}", page.display());
    let (head, rest) = before.split_once(BEGIN).with_context(missing)?;
    let (_, tail) = rest.split_once(END).with_context(missing)?;
    fs::write(page, format!("{head}{BEGIN}\n\n{table}\n{END}{tail}"))?;
    Ok(())
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
