//! The results as tables, for the terminal and for the documentation.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::cells::{Cell, Results};

const BEGIN: &str = "<!-- embedded: made by `cargo xtask bench embedded --write-docs` -->";
const END: &str = "<!-- embedded: end -->";

/// All tables, in Markdown: one row for each contender, one column for each task.
pub(crate) fn tables(results: &Results) -> String {
    let mut text = String::new();
    let mut tasks: Vec<(&str, usize)> = Vec::new();
    for cell in &results.throughput {
        if !tasks.contains(&(&cell.task, cell.threads)) {
            tasks.push((&cell.task, cell.threads));
        }
    }
    for (task, threads) in tasks {
        let plural = if threads == 1 { "" } else { "s" };
        let _ = writeln!(text, "{task}, {threads} thread{plural}\n");
        let _ = writeln!(text, "| cache | M operations/s | inval ÷ it | hit ratio |");
        let _ = writeln!(text, "| --- | ---: | ---: | ---: |");
        let is_it = |cell: &&Cell| cell.task == task && cell.threads == threads;
        for cell in results.throughput.iter().filter(is_it) {
            let Cell { contender, operations_per_second, inval_by_this, hit_ratio, .. } = cell;
            let millions = operations_per_second / 1e6;
            let row = format!("{contender} | {millions:.1} | {inval_by_this:.2} | {hit_ratio:.4}");
            let _ = writeln!(text, "| {row} |");
        }
        text.push('\n');
    }
    let _ = writeln!(text, "heap per entry, u64 keys and values, 1 M entries, filled twice over\n");
    let _ = writeln!(text, "| cache | bytes |\n| --- | ---: |");
    for row in &results.footprint {
        let _ = writeln!(text, "| {} | {:.1} |", row.contender, row.bytes_per_entry);
    }
    text
}

/// Puts the tables into a page between its markers.
pub(crate) fn write_into(page: &Path, tables: &str) -> Result<()> {
    let before = fs::read_to_string(page).with_context(|| page.display().to_string())?;
    let missing = || format!("{} lacks the line {BEGIN} or {END}", page.display());
    let (head, rest) = before.split_once(BEGIN).with_context(missing)?;
    let (_, tail) = rest.split_once(END).with_context(missing)?;
    fs::write(page, format!("{head}{BEGIN}\n\n{tables}\n{END}{tail}"))?;
    Ok(())
}
