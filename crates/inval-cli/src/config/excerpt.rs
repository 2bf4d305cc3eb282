//! A line of the file with carets under what is wrong with it, and without anything that may be secret.

use std::fmt;
use std::ops::Range;

use super::fields::{FIELDS, GRANTS, NAMESPACE_FIELDS};

const HIDDEN: &str = "***";
/// The most characters of a line that are shown.
const WIDEST: usize = 100;
/// Fields whose values are never shown.
const SECRET: [&str; 3] = ["store", "store_credentials", "sentinel_credentials"];

/// Part of a line.
#[derive(Debug)]
pub(super) struct Excerpt {
    line: usize,
    /// Counted in characters, from 1.
    column: usize,
    shown: String,
    /// Where the carets stand under `shown`.
    carets: Range<usize>,
}

impl Excerpt {
    /// The line of `text` where `span` begins.
    pub(super) fn new(text: &str, span: Range<usize>) -> Self {
        let at = text.floor_char_boundary(span.start);
        let (before, after) = text.split_at(at);
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let end = after.find('\n').map_or(text.len(), |len| at + len);
        let line = text.get(start..end).unwrap_or_default().trim_end_matches('\r');

        let column = before.get(start..).unwrap_or_default().chars().count();
        let marked = line.get(at - start..).unwrap_or_default();
        let width = span.end.saturating_sub(at).min(marked.len());
        let width = marked.get(..marked.floor_char_boundary(width)).unwrap_or_default();
        let has_long_texts = text.contains("\"\"\"") || text.contains("'''");
        let kept = if has_long_texts { 0 } else { kept(line) };
        let (shown, carets) = hide(line, kept, column..column + width.chars().count());
        // Where exactly in what is hidden would tell how long it is.
        let column = if shown.ends_with(HIDDEN) { column.min(carets.start) } else { column };
        Self { line: line_number(before), column: column + 1, shown, carets }
    }

    /// Line and column, counted from 1.
    pub(super) fn position(&self) -> (usize, usize) {
        (self.line, self.column)
    }
}

/// The number, counted from 1, of the line that `before` leads to.
pub(super) fn line_number(before: &str) -> usize {
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, shown, carets, .. } = self;
        let margin = line.to_string().len();
        let indent = carets.start;
        let carets = "^".repeat(carets.len());
        write!(f, "{:margin$} |\n{line} | {shown}\n{:margin$} | {:indent$}{carets}", "", "", "")
    }
}

/// How many bytes of a line's beginning can be shown: all of a header, all of a field that is known and
/// not secret, of another field its name.
fn kept(line: &str) -> usize {
    let is_suspect = |part: &str| part.contains("://") || part.contains(['@', '\\']);
    let Some((key, value)) = line.split_once('=') else {
        let is_header = line.trim_start().starts_with('[') && !is_suspect(line);
        return if is_header || line.trim().is_empty() { line.len() } else { 0 };
    };
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '\t');
    if !key.chars().all(is_bare) {
        return 0;
    }
    let name = key.rsplit('.').next().unwrap_or(key).trim();
    let is_open =
        is_known(name) && !SECRET.contains(&name) && !is_suspect(value) && !value.contains('=');
    if is_open { line.len() } else { line.len() - value.trim_start().len() }
}

fn is_known(name: &str) -> bool {
    let mut names = FIELDS.iter().map(|field| field.place().1);
    name == GRANTS.0
        || names.any(|known| known == name)
        || NAMESPACE_FIELDS.iter().any(|field| field.place().1 == name)
}

/// The first `kept` bytes of `line`, something for the rest, and `marked` moved to where it stands then.
fn hide(line: &str, kept: usize, marked: Range<usize>) -> (String, Range<usize>) {
    let (open, rest) = line.split_at(line.floor_char_boundary(kept));
    let open: Vec<char> = open.chars().map(plain).collect();
    let hidden = match open.get(..WIDEST) {
        Some(_) => "…",
        None if rest.trim().is_empty() => "",
        None => HIDDEN,
    };
    let width = open.len().min(WIDEST);
    let shown: String = open.into_iter().take(WIDEST).chain(hidden.chars()).collect();
    let carets = if marked.start < width {
        marked.start..marked.end.min(width).max(marked.start + 1)
    } else {
        width..width + hidden.chars().count().max(1)
    };
    (shown, carets)
}

/// `c`, or something harmless for what would not be one visible character.
fn plain(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, marked: &str, want: &str) {
        let start = text.find(marked).unwrap();
        let excerpt = Excerpt::new(text, start..start + marked.len());
        let (line, column) = excerpt.position();
        assert_eq!(format!("{line}:{column}\n{excerpt}"), want, "{text:?}");
    }

    #[test]
    fn the_line_is_shown_with_carets_under_the_place() {
        check("a\nttl = 1\nb", "1", "2:7\n  |\n2 | ttl = 1\n  |       ^");
        check("ttl = 1\r\n", "1\r\n", "1:7\n  |\n1 | ttl = 1\n  |       ^");
        check("ttl = \"é\" #x", "#", "1:11\n  |\n1 | ttl = \"é\" #x\n  |           ^");
        check("\tttl=\u{1b}", "\u{1b}", "1:6\n  |\n1 |  ttl=\u{fffd}\n  |      ^");
        check("[a\n]", "]", "2:1\n  |\n2 | ***\n  | ^^^");
        check("", "", "1:1\n  |\n1 | \n  | ^");
        let (text, a, b) = ("\n".repeat(9) + "ttl = 1", "  ", "        ");
        check(&text, "1", &format!("10:7\n{a} |\n10 | ttl = 1\n{a} | {}^", &b[2..]));
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = format!("ttl = \"{}!\"", "x".repeat(200));
        let shown = format!("ttl = \"{}…", "x".repeat(93));
        let want = format!("1:208\n  |\n1 | {shown}\n  | {}^", " ".repeat(100));
        check(&text, "!", &want);
    }

    #[test]
    fn what_may_be_secret_is_hidden_and_its_length_as_well() {
        check("store = \"hush!\"", "!", "1:9\n  |\n1 | store = ***\n  |         ^^^");
        check("other = \"hush!\"", "!", "1:9\n  |\n1 | other = ***\n  |         ^^^");
        check("ttl = \"a://hush!\"", "!", "1:7\n  |\n1 | ttl = ***\n  |       ^^^");
        check("ttl = \"\"\"\nhush!", "!", "2:1\n  |\n2 | ***\n  | ^^^");
    }
}
