//! Outcomes as text: a table for people, JSON and CSV for programs.

use std::io::{self, Write};

use inval_replay::{OnServer, Outcome};

/// A column of the table: its heading, and what stands below.
type Column = (&'static str, fn(&Outcome) -> String);

const COLUMNS: [Column; 8] = [
    ("strategy", |o| o.strategy.to_string()),
    ("requests", |o| grouped(o.requests)),
    ("hits", |o| grouped(o.hits)),
    ("miss ratio", |o| format!("{:.4}", o.miss_ratio)),
    ("byte miss ratio", |o| o.byte_miss_ratio.map_or("-".into(), |ratio| format!("{ratio:.4}"))),
    ("evicted", |o| grouped(o.evicted)),
    ("expired", |o| grouped(o.expired)),
    ("time", |o| format!("{:.2} s", o.elapsed_s)),
];
/// What is known only of caches on a server.
const ON_SERVER: [Column; 3] = [
    ("over limit", |o| on_server(o).overshoot_max_entries.map_or("-".into(), grouped)),
    ("us/get", |o| on_server(o).server_us_per_get.map_or("-".into(), |us| format!("{us:.2}"))),
    ("us/put", |o| on_server(o).server_us_per_put.map_or("-".into(), |us| format!("{us:.2}"))),
];
const CAPACITY: Column = ("capacity", |o| o.max_entries.map_or("-".into(), grouped));

/// Writes aligned columns, names to the left and numbers to the right; a column for the capacity only
/// if it varies.
pub(crate) fn table(out: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    let mut columns = COLUMNS.to_vec();
    if outcomes.iter().any(|outcome| outcome.max_entries != outcomes[0].max_entries) {
        columns.insert(1, CAPACITY);
    }
    if is_on_server(outcomes) {
        columns.extend(ON_SERVER);
    }
    let mut rows = vec![columns.iter().map(|(heading, _)| (*heading).to_owned()).collect()];
    let cells = |outcome| columns.iter().map(|(_, cell)| cell(outcome)).collect::<Vec<_>>();
    rows.extend(outcomes.iter().map(cells));
    aligned(out, &rows)
}

/// Writes rows of equal length, the first column to the left and the others to the right.
pub(crate) fn aligned(out: &mut impl Write, rows: &[Vec<String>]) -> io::Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..columns).map(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0)).collect();
    for row in rows {
        let (name, others) = (&row[0], row.iter().zip(&widths).skip(1));
        write!(out, "{name:<width$}", width = widths[0])?;
        for (cell, width) in others {
            write!(out, "  {cell:>width$}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Writes one array of objects with the fields of [`Outcome`].
pub(crate) fn json(out: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, outcomes)?;
    writeln!(out)
}

/// Writes a header and a line an outcome, with the fields of [`Outcome`]; empty stands for null.
pub(crate) fn csv(out: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    let is_on_server = is_on_server(outcomes);
    let more = if is_on_server {
        ",overshoot_max_entries,server_us_per_get,server_us_per_put"
    } else {
        ""
    };
    writeln!(
        out,
        "trace,strategy,requests,hits,misses,miss_ratio,byte_miss_ratio,max_entries,max_bytes,\
         evicted,expired,elapsed_s{more}"
    )?;
    for o in outcomes {
        let mut fields = vec![
            quoted(&o.trace),
            o.strategy.to_string(),
            o.requests.to_string(),
            o.hits.to_string(),
            o.misses.to_string(),
            o.miss_ratio.to_string(),
            or_empty(o.byte_miss_ratio),
            or_empty(o.max_entries),
            or_empty(o.max_bytes),
            o.evicted.to_string(),
            o.expired.to_string(),
            o.elapsed_s.to_string(),
        ];
        if is_on_server {
            let OnServer { overshoot_max_entries, server_us_per_get, server_us_per_put } =
                on_server(o);
            fields.push(or_empty(overshoot_max_entries));
            fields.extend([server_us_per_get, server_us_per_put].map(or_empty));
        }
        writeln!(out, "{}", fields.join(","))?;
    }
    Ok(())
}

fn is_on_server(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| outcome.on_server.is_some())
}

fn on_server(outcome: &Outcome) -> OnServer {
    outcome.on_server.unwrap_or_default()
}

fn or_empty(number: Option<impl ToString>) -> String {
    number.map_or(String::new(), |number| number.to_string())
}

/// `text` as a CSV field (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// `number` with a comma before every three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        let check = |number, want| assert_eq!(grouped(number), want);
        check(0, "0");
        check(999, "999");
        check(1000, "1,000");
        check(1_234_567, "1,234,567");
    }

    #[test]
    fn only_what_needs_quotes_gets_them() {
        let check = |text, want| assert_eq!(quoted(text), want);
        check("a b.csv", "a b.csv");
        check("zipf:keys=1,seed=2", "\"zipf:keys=1,seed=2\"");
        check("a\"b", "\"a\"\"b\"");
    }
}
