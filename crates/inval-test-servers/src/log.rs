//! The end of a server's log, as far as an error may show it.

use std::fmt;
use std::fs;
use std::path::Path;

const LINES: usize = 12;

/// Settings whose values are secret. A server that cannot read its settings quotes the line.
const SECRETS: &[&str] = &["user", "requirepass", "masterauth", "sentinel auth-pass"];

/// The last lines a server wrote, without any that quote a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogTail(Box<str>);

impl LogTail {
    /// Empty if the log cannot be read.
    pub(crate) fn read(log: &Path) -> Self {
        Self::of(&fs::read(log).unwrap_or_default())
    }

    fn of(log: &[u8]) -> Self {
        let log = String::from_utf8_lossy(log);
        let lines: Vec<&str> = log.lines().filter(|line| !quotes_a_secret(line)).collect();
        Self(lines[lines.len().saturating_sub(LINES)..].join("\n").into())
    }

    /// Whether the server ended because somebody else listens on its port.
    pub(crate) fn tells_that_the_port_is_taken(&self) -> bool {
        self.0.contains("Address already in use")
    }
}

impl fmt::Display for LogTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("(its log is empty)") } else { f.write_str(&self.0) }
    }
}

fn quotes_a_secret(line: &str) -> bool {
    let quoted = line.trim_start().strip_prefix(">>> '");
    quoted.is_some_and(|setting| SECRETS.iter().any(|secret| setting.starts_with(secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: &str) {
        assert_eq!(LogTail::of(log.as_bytes()).to_string(), expected);
    }

    #[test]
    fn shows_the_last_lines_without_passwords() {
        check("", "(its log is empty)");
        check("one\ntwo\n", "one\ntwo");
        check("at line 2\n>>> 'user default on >hush'\nbad", "at line 2\nbad");
        check("at line 2\n>>> 'maxmemory much'\nbad", "at line 2\n>>> 'maxmemory much'\nbad");
        let long: String = (0..20).map(|line| format!("{line}\n")).collect();
        check(&long, "8\n9\n10\n11\n12\n13\n14\n15\n16\n17\n18\n19");
    }
}
