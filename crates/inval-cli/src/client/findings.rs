//! How what an analysis has found looks: quantiles, bars, the largest entries, prefixes.

use std::io::{self, Write};

use serde_json::Value;

use super::report::{Bucket, Findings, Report, Spread};
use super::statistics::Amount;
use crate::output::{aligned, grouped};

/// The most rows of a distribution; more are put together.
const MOST_ROWS: usize = 12;
/// How long the longest bar is.
const BAR: f64 = 30.0;
/// How many characters of a key are shown.
const SHOWN: usize = 100;

/// What a distribution is of, and how a value looks.
type Quantity<'a> = (&'static str, &'a Spread, fn(u64) -> String);

/// Writes everything that was found.
pub(super) fn print(out: &mut impl Write, namespace: &str, report: &Report) -> io::Result<()> {
    let Some(found) = &report.result else { return Ok(()) };
    summary(out, namespace, report, found)?;
    let quantities: [Quantity<'_>; 4] = [
        ("size", &found.bytes, size),
        ("time to live", &found.remaining_ms, time),
        ("idle for", &found.idle_ms, time),
        ("written ago", &found.age_ms, time),
    ];
    writeln!(out)?;
    quantiles(out, &quantities)?;
    for quantity in &quantities {
        bars(out, quantity)?;
    }
    largest(out, found)?;
    prefixes(out, found)
}

fn summary(
    out: &mut impl Write,
    namespace: &str,
    report: &Report,
    found: &Findings,
) -> io::Result<()> {
    let [entries, bytes] = [found.seen.entries, found.seen.bytes].map(grouped);
    let pages = report.progress.map_or(0, |steps| steps.pages);
    writeln!(out, "{namespace}: {entries} entries of {bytes} bytes")?;
    let (took, share) = (time(found.took_ms), percent(found.duty_cycle));
    writeln!(out, "{} pages in {took}, for {share} of which the server was held", grouped(pages))?;
    if found.estimated > 0 {
        let of = grouped(found.estimated);
        writeln!(
            out,
            "the sizes of {of} entries are the server's estimates: nobody here has the books"
        )?;
    }
    Ok(())
}

/// Below what the half of all entries are, and so on.
fn quantiles(out: &mut impl Write, quantities: &[Quantity<'_>]) -> io::Result<()> {
    let heading = ["below", "50%", "90%", "99%", "entries", "without"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for (name, spread, show) in quantities {
        let quantile = |bound: Option<u64>| match bound {
            Some(bound) => show(bound.saturating_add(1)),
            None => "-".to_owned(),
        };
        let mut row = vec![(*name).to_owned()];
        row.extend([spread.p50, spread.p90, spread.p99].map(quantile));
        row.extend([spread.count, spread.missing].map(grouped));
        rows.push(row);
    }
    aligned(out, &rows)
}

/// A row for each bucket, with a bar for how many entries are in it.
fn bars(out: &mut impl Write, (name, spread, show): &Quantity<'_>) -> io::Result<()> {
    let buckets = fewer(&spread.buckets);
    let Some(most) = buckets.iter().map(|bucket| bucket.count).max() else { return Ok(()) };
    let label = |bucket: &Bucket| match bucket.up_to {
        Some(bound) => format!("< {}", show(bound.saturating_add(1))),
        None => "more".to_owned(),
    };
    let rows: Vec<[String; 3]> = buckets
        .iter()
        .map(|bucket| {
            let share = bucket.count as f64 / spread.count.max(1) as f64;
            [label(bucket), grouped(bucket.count), percent(share)]
        })
        .collect();
    let width = |at: usize| rows.iter().map(|row| row[at].len()).max().unwrap_or(0);
    let widths = [width(0).max(name.len()), width(1).max("entries".len()), width(2)];
    let [first, second, third] = widths;
    writeln!(out, "\n{name:>first$}  {:>second$}", "entries")?;
    for ([label, count, share], bucket) in rows.iter().zip(&buckets) {
        // Whatever there is can be seen.
        let length = (bucket.count as f64 / most.max(1) as f64 * BAR).ceil() as usize;
        let line =
            format!("{label:>first$}  {count:>second$}  {share:>third$}  {}", "#".repeat(length));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The same in no more rows than are shown.
fn fewer(buckets: &[Bucket]) -> Vec<Bucket> {
    let together = buckets.len().div_ceil(MOST_ROWS).max(1);
    let merged = buckets.chunks(together).map(|buckets| Bucket {
        up_to: buckets.last().and_then(|bucket| bucket.up_to),
        count: buckets.iter().map(|bucket| bucket.count).sum(),
    });
    merged.collect()
}

fn largest(out: &mut impl Write, found: &Findings) -> io::Result<()> {
    let rows = found.largest.iter().map(|large| (vec![grouped(large.bytes)], shown(&large.key)));
    with_text(out, &["bytes"], "largest entries", rows.collect())
}

fn prefixes(out: &mut impl Write, found: &Findings) -> io::Result<()> {
    let share = |bytes: u64| percent(bytes as f64 / found.seen.bytes.max(1) as f64);
    let mut rows = Vec::new();
    for prefix in &found.prefixes {
        let numbers = vec![
            grouped(prefix.bytes),
            share(prefix.bytes),
            grouped(prefix.error),
            grouped(prefix.entries),
        ];
        rows.push((numbers, shown(&prefix.prefix)));
    }
    if found.unprefixed.entries > 0 {
        let Amount { entries, bytes } = found.unprefixed;
        let numbers = vec![grouped(bytes), share(bytes), "0".to_owned(), grouped(entries)];
        rows.push((numbers, "(no prefix)".to_owned()));
    }
    with_text(out, &["bytes", "share", "error", "entries"], "prefixes by weight", rows)?;
    if found.most_uncounted > 0 {
        let most = grouped(found.most_uncounted);
        writeln!(out, "no prefix that was not counted weighs more than {most} bytes")?;
    }
    Ok(())
}

/// A table with numbers to the right and a text behind them, which may be of any width.
fn with_text(
    out: &mut impl Write,
    names: &[&str],
    text: &str,
    rows: Vec<(Vec<String>, String)>,
) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let heading = (names.iter().map(|name| (*name).to_owned()).collect(), text.to_owned());
    let rows: Vec<(Vec<String>, String)> = std::iter::once(heading).chain(rows).collect();
    let width = |at: usize| rows.iter().map(|(row, _)| row[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    for (numbers, text) in &rows {
        for (number, width) in numbers.iter().zip(&widths) {
            write!(out, "{number:>width$}  ")?;
        }
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// A key or prefix on one line: without what a terminal would obey, and no longer than is of use.
fn shown(bytes: &Value) -> String {
    let text = match bytes {
        Value::String(text) => text.clone(),
        other => format!("base64:{}", other["base64"].as_str().unwrap_or_default()),
    };
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at == SHOWN {
            shown.push('…');
            break;
        }
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    shown
}

/// A number of bytes in the largest unit of which it is one at least, to a tenth.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.iter().find(|(unit, _)| bytes >= *unit);
    unit.map_or(format!("{bytes} B"), |(unit, name)| tenths(bytes as f64 / *unit as f64, name, " "))
}

/// A time in its largest unit, to a tenth.
fn time(ms: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let unit = UNITS.iter().find(|(unit, _)| ms >= *unit);
    unit.map_or(format!("{ms}ms"), |(unit, name)| tenths(ms as f64 / *unit as f64, name, ""))
}

fn tenths(number: f64, unit: &str, space: &str) -> String {
    let number = format!("{number:.1}");
    format!("{}{space}{unit}", number.strip_suffix(".0").unwrap_or(&number))
}

fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        percent if percent < 0.01 => "< 0.01%".to_owned(),
        percent if percent < 1.0 => format!("{percent:.2}%"),
        percent => format!("{percent:.1}%"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_told_in_their_largest_unit() {
        let check = |got: String, want: &str| assert_eq!(got, want);
        check(size(0), "0 B");
        check(size(1023), "1023 B");
        check(size(1024), "1 KiB");
        check(size(3 << 19), "1.5 MiB");
        check(size(1 << 42), "4 TiB");
        check(time(999), "999ms");
        check(time(1024), "1s");
        check(time(16_384), "16.4s");
        check(time(90_000), "1.5m");
        check(time(7_200_000), "2h");
        check(time(1 << 41), "25451.7d");
        check(percent(0.0), "0%");
        check(percent(0.000_01), "< 0.01%");
        check(percent(0.002), "0.20%");
        check(percent(0.5), "50.0%");
    }

    #[test]
    fn keys_are_shown_on_one_line_and_obeyed_by_no_terminal() {
        let check = |key: Value, want: &str| assert_eq!(shown(&key), want);
        check(json!("user:é"), "user:é");
        check(json!("a\u{1b}[2J\nb"), "a\\u{1b}[2J\\nb");
        check(json!({"base64": "/wA="}), "base64:/wA=");
        check(json!("k".repeat(101)), &format!("{}…", "k".repeat(100)));
    }

    #[test]
    fn many_buckets_are_put_together() {
        let buckets: Vec<Bucket> =
            (0..25).map(|n| Bucket { up_to: (n < 24).then_some(n), count: n }).collect();
        let fewer = fewer(&buckets);
        assert_eq!(fewer.len(), 9);
        assert_eq!(fewer[0], Bucket { up_to: Some(2), count: 3 });
        assert_eq!(fewer[8], Bucket { up_to: None, count: 24 });
    }
}
