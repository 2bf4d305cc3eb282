//! What an analysis goes by, and what of it is possible.

use std::ops::RangeInclusive;

use thiserror::Error;

/// What an analysis goes by. `Default` tells the ten largest entries, and prefixes up to the first `:`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnalysisSettings {
    /// How many of the largest entries are told, 1 to 1,000.
    pub top: u32,
    /// The bytes that end a part of a key, 1 to 16.
    pub delimiter: Vec<u8>,
    /// Up to and including which delimiter a prefix goes, 1 to 8. Up to the last one in keys that have fewer.
    pub depth: u32,
    /// How many prefixes are counted at the same time, 1 to 65,536. Weights are exact if there are no more.
    pub prefixes: u32,
}

impl Default for AnalysisSettings {
    fn default() -> Self {
        Self { top: 10, delimiter: b":".to_vec(), depth: 1, prefixes: 1024 }
    }
}

/// Why an analysis cannot go by its settings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AnalysisError {
    /// A number is out of its range.
    #[error("{field} must be from {least} to {most}")]
    OutOfRange {
        /// Its name.
        field: &'static str,
        /// The least that is possible.
        least: u32,
        /// The most.
        most: u32,
    },
    /// The delimiter has no bytes, or too many.
    #[error(
        "a delimiter has 1 to {most} bytes, this one has {len}",
        most = AnalysisSettings::LONGEST_DELIMITER
    )]
    Delimiter {
        /// How many it has.
        len: usize,
    },
}

impl AnalysisSettings {
    /// The most bytes of a delimiter.
    pub const LONGEST_DELIMITER: usize = 16;
    /// The most bytes of a prefix. Longer ones that begin alike are counted as one.
    pub const LONGEST_PREFIX: usize = 256;

    /// Finds the first thing that is not possible.
    pub fn validate(&self) -> Result<(), AnalysisError> {
        check("top", self.top, 1..=1_000)?;
        check("depth", self.depth, 1..=8)?;
        check("prefixes", self.prefixes, 1..=65_536)?;
        match self.delimiter.len() {
            1..=Self::LONGEST_DELIMITER => Ok(()),
            len => Err(AnalysisError::Delimiter { len }),
        }
    }

    /// The prefix of a key; `None` if there is no delimiter in it.
    pub fn prefix_of<'a>(&self, key: &'a [u8]) -> Option<&'a [u8]> {
        let mut end = 0;
        for _ in 0..self.depth {
            let Some(at) = find(&key[end..], &self.delimiter) else { break };
            end += at + self.delimiter.len();
        }
        (end > 0).then(|| &key[..end.min(Self::LONGEST_PREFIX)])
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len().max(1)).position(|window| window == part)
}

fn check(field: &'static str, value: u32, range: RangeInclusive<u32>) -> Result<(), AnalysisError> {
    let (least, most) = (*range.start(), *range.end());
    range.contains(&value).then_some(()).ok_or(AnalysisError::OutOfRange { field, least, most })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(delimiter: &str, depth: u32) -> AnalysisSettings {
        AnalysisSettings { delimiter: delimiter.into(), depth, ..AnalysisSettings::default() }
    }

    #[test]
    fn a_prefix_ends_with_its_last_delimiter() {
        let check = |delimiter: &str, depth: u32, key: &str, want: Option<&str>| {
            let settings = settings(delimiter, depth);
            assert_eq!(settings.prefix_of(key.as_bytes()), want.map(str::as_bytes), "{key}");
        };
        check(":", 1, "user:17:name", Some("user:"));
        check(":", 2, "user:17:name", Some("user:17:"));
        check(":", 3, "user:17:name", Some("user:17:"));
        check(":", 1, "user", None);
        check(":", 1, ":user", Some(":"));
        check(":", 2, "::user", Some("::"));
        check("::", 1, "a:b::c", Some("a:b::"));
        check("::", 2, ":::::", Some("::::"));
        check("/", 1, "user:17", None);
        check("long", 1, "a", None);
        let long = "a".repeat(300) + ":b";
        check(":", 1, &long, Some(&long[..256]));
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        let check = |change: fn(&mut AnalysisSettings), want: Result<(), &str>| {
            let mut settings = AnalysisSettings::default();
            change(&mut settings);
            let outcome = settings.validate().map_err(|error| error.to_string());
            assert_eq!(outcome, want.map_err(str::to_owned));
        };
        check(|_| {}, Ok(()));
        check(|s| s.top = 0, Err("top must be from 1 to 1000"));
        check(|s| s.top = 1001, Err("top must be from 1 to 1000"));
        check(|s| s.depth = 9, Err("depth must be from 1 to 8"));
        check(|s| s.prefixes = 0, Err("prefixes must be from 1 to 65536"));
        check(|s| s.delimiter.clear(), Err("a delimiter has 1 to 16 bytes, this one has 0"));
        check(
            |s| s.delimiter = vec![b':'; 17],
            Err("a delimiter has 1 to 16 bytes, this one has 17"),
        );
    }
}
