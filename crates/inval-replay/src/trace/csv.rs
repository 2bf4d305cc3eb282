//! The CSV format: a header that names the columns, then one request a line.

use super::error::Malformed;
use super::number::{key_of, leading_digits, seconds_as_ms, whole};
use crate::Request;

/// What the fields of a column mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Time,
    Key,
    Size,
    /// `op`, since every request is a read that inserts on a miss, and columns of other tools.
    Ignored,
}

/// The columns of a trace, in their order.
pub(super) struct Columns(Vec<Column>);

impl Columns {
    /// The columns that a header line names.
    pub(super) fn from_header(line: &[u8]) -> Result<Self, Malformed> {
        let mut columns = Vec::new();
        let mut rest = Some(line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line));
        while let Some(text) = rest {
            let (field, after) = split_field(text)?;
            let column = match field.trim_ascii() {
                b"time_s" => Column::Time,
                b"key" => Column::Key,
                b"size_bytes" => Column::Size,
                _ => Column::Ignored,
            };
            if column != Column::Ignored && columns.contains(&column) {
                return Err(Malformed::ColumnTwice);
            }
            columns.push(column);
            rest = after;
        }
        if !columns.contains(&Column::Key) {
            return Err(Malformed::NoKeyColumn);
        }
        Ok(Self(columns))
    }

    /// The request that a line describes.
    pub(super) fn request(&self, line: &[u8]) -> Result<Request, Malformed> {
        let mut request = Request::of_key(0);
        let mut rest = Some(line);
        for column in &self.0 {
            let text = rest.ok_or(Malformed::TooFewFields)?;
            rest = match plain_number(text) {
                Some((number, after)) => {
                    column.store_number(number, &mut request)?;
                    after
                }
                None => {
                    let (field, after) = split_field(text)?;
                    column.store(field, &mut request)?;
                    after
                }
            };
        }
        if rest.is_some() {
            return Err(Malformed::TooManyFields);
        }
        Ok(request)
    }
}

impl Column {
    fn store(self, field: &[u8], request: &mut Request) -> Result<(), Malformed> {
        match self {
            Self::Key if field.is_empty() => return Err(Malformed::NoKey),
            Self::Key => request.key = key_of(field),
            Self::Time => request.time_ms = time(field)?,
            Self::Size => request.size = size(field)?,
            Self::Ignored => {}
        }
        Ok(())
    }

    fn store_number(self, number: u64, request: &mut Request) -> Result<(), Malformed> {
        match self {
            Self::Key => request.key = number,
            Self::Time => request.time_ms = Some(number.checked_mul(1000).ok_or(Malformed::Time)?),
            Self::Size => {
                request.size = Some(u32::try_from(number).map_err(|_| Malformed::SizeTooLarge)?);
            }
            Self::Ignored => {}
        }
        Ok(())
    }
}

/// The usual case in one pass: a first field that is a number of up to 19 digits without leading
/// zeros, and what follows its comma. `None` if the field is anything else.
#[inline]
fn plain_number(text: &[u8]) -> Option<(u64, Option<&[u8]>)> {
    let (number, digits) = leading_digits(text);
    if digits == 0 || (digits > 1 && text[0] == b'0') {
        return None;
    }
    match text.get(digits) {
        None => Some((number, None)),
        Some(b',') => Some((number, Some(&text[digits + 1..]))),
        Some(_) => None,
    }
}

fn time(field: &[u8]) -> Result<Option<u64>, Malformed> {
    if field.is_empty() {
        return Ok(None);
    }
    seconds_as_ms(field).map(Some).ok_or(Malformed::Time)
}

fn size(field: &[u8]) -> Result<Option<u32>, Malformed> {
    if field.is_empty() {
        return Ok(None);
    }
    let size = whole(field).ok_or(Malformed::Size)?;
    u32::try_from(size).map(Some).map_err(|_| Malformed::SizeTooLarge)
}

/// The first field of `text`, and what follows its comma; `None` if it is the last.
///
/// Of a quoted field this is what stands between the quotes. A doubled quote in it stays doubled,
/// which tells keys apart just as well.
fn split_field(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), Malformed> {
    if text.first() == Some(&b'"') {
        return split_quoted(&text[1..]);
    }
    // Fields are short: a plain loop beats a vectorised search.
    match text.iter().position(|b| *b == b',') {
        Some(comma) => Ok((&text[..comma], Some(&text[comma + 1..]))),
        None => Ok((text, None)),
    }
}

fn split_quoted(text: &[u8]) -> Result<(&[u8], Option<&[u8]>), Malformed> {
    let mut from = 0;
    while let Some(quote) = memchr::memchr(b'"', &text[from..]).map(|at| from + at) {
        match text.get(quote + 1) {
            None => return Ok((&text[..quote], None)),
            Some(b',') => return Ok((&text[..quote], Some(&text[quote + 2..]))),
            Some(b'"') => from = quote + 2,
            Some(_) => return Err(Malformed::Quote),
        }
    }
    Err(Malformed::Quote)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "time_s,key,size_bytes,op";

    fn check(header: &str, line: &str, want: Result<(Option<u64>, u64, Option<u32>), Malformed>) {
        let got = Columns::from_header(header.as_bytes())
            .and_then(|columns| columns.request(line.as_bytes()))
            .map(|request| (request.time_ms, request.key, request.size));
        assert_eq!(got, want, "{line:?} under {header:?}");
    }

    #[test]
    fn columns_are_found_by_name() {
        check(HEADER, "1.5,7,100,get", Ok((Some(1500), 7, Some(100))));
        check("key", "7", Ok((None, 7, None)));
        check("op,size_bytes,colour,key", "set,5,red,9", Ok((None, 9, Some(5))));
        check("\u{feff}key, time_s ", "1,2", Ok((Some(2000), 1, None)));
        check("\"key\",\"time_s\"", "1,2", Ok((Some(2000), 1, None)));
        check("time_s,size_bytes", "1,2", Err(Malformed::NoKeyColumn));
        check("Key", "1", Err(Malformed::NoKeyColumn));
        check("key,key", "1,1", Err(Malformed::ColumnTwice));
    }

    #[test]
    fn an_empty_field_is_unknown_but_a_key_is_needed() {
        check(HEADER, ",7,,", Ok((None, 7, None)));
        check(HEADER, "1,,5,", Err(Malformed::NoKey));
        check(HEADER, "1,\"\",5,", Err(Malformed::NoKey));
        check(HEADER, ",,,", Err(Malformed::NoKey));
    }

    #[test]
    fn a_line_has_as_many_fields_as_the_header() {
        check(HEADER, "1,2,3", Err(Malformed::TooFewFields));
        check(HEADER, "1,2,3,get,", Err(Malformed::TooManyFields));
        check("key", "", Err(Malformed::NoKey));
    }

    #[test]
    fn numbers_are_checked() {
        check(HEADER, "x,7,1,", Err(Malformed::Time));
        check(HEADER, "-1,7,1,", Err(Malformed::Time));
        check(HEADER, "1,7,1.5,", Err(Malformed::Size));
        check(HEADER, "1,7,4294967295,", Ok((Some(1000), 7, Some(u32::MAX))));
        check(HEADER, "1,7,4294967296,", Err(Malformed::SizeTooLarge));
        check(HEADER, "1,7,99999999999999999999,", Err(Malformed::Size));
    }

    #[test]
    fn quoted_keys_may_hold_commas_and_quotes() {
        check(HEADER, "1,\"7\",2,", Ok((Some(1000), 7, Some(2))));
        check(HEADER, "1,\"a,b\",2,", Ok((Some(1000), key_of(b"a,b"), Some(2))));
        check("key", "\"say \"\"hi\"\"\"", Ok((None, key_of(b"say \"\"hi\"\""), None)));
        check("key", "\"a", Err(Malformed::Quote));
        check("key", "\"a\"b", Err(Malformed::Quote));
        check("key", "\"", Err(Malformed::Quote));
    }
}
