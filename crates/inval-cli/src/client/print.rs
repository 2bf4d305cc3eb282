//! How results look: cells of tables, lists of fields, JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::output::grouped;

/// A number, or a dash for none.
pub(crate) fn number(number: Option<u64>) -> String {
    number.map_or_else(dash, grouped)
}

/// A ratio from 0 to 1, or a dash for none.
pub(crate) fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(dash, |ratio| format!("{ratio:.4}"))
}

/// How often something happens in a second, or a dash where nobody knows.
pub(crate) fn rate(rate: Option<f64>) -> String {
    rate.map_or_else(dash, |rate| match rate {
        0.0..9.95 => format!("{rate:.1}"),
        _ => grouped(rate.round() as u64),
    })
}

/// Anything, or a dash for none.
pub(crate) fn text(value: Option<impl ToString>) -> String {
    value.map_or_else(dash, |value| value.to_string())
}

fn dash() -> String {
    "-".to_owned()
}

/// Writes names and what they stand for, a line each.
pub(super) fn fields(out: &mut impl Write, fields: &[(&str, String)]) -> io::Result<()> {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    fields.iter().try_for_each(|(name, value)| writeln!(out, "{name:<width$}  {value}"))
}

/// Writes a value as JSON of several lines.
pub(super) fn json(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_decimal_where_it_matters() {
        let check = |value, want: &str| assert_eq!(rate(value), want);
        check(None, "-");
        check(Some(0.0), "0.0");
        check(Some(9.94), "9.9");
        check(Some(9.96), "10");
        check(Some(1234.5), "1,235");
    }
}
