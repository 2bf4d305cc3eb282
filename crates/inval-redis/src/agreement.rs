//! What all clients of a namespace must agree on, as it is kept on the server.

use std::fmt::{self, Write};
use std::time::Duration;

use inval_core::Config;
use thiserror::Error;

use crate::error::Error as CallError;

/// The version of the text that this program reads and writes.
const VERSION: u32 = 1;

/// The configuration of a namespace as far as its clients must agree: `1` and then a word
/// `field=value` for each field, `-` where nothing is set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Agreement(Vec<(&'static str, String)>);

/// Why a client cannot work with a namespace.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Disagreement {
    /// The namespace was made by a program that writes another version of the configuration.
    #[error(
        "the namespace's configuration has version {0}, this program knows only {VERSION}; upgrade it"
    )]
    UnknownVersion(u32),
    /// What is on the server is no configuration.
    #[error(
        "the namespace's configuration on the server cannot be read; something else wrote there"
    )]
    Unreadable,
    /// A field differs.
    #[error(
        "{field} is {ours} here but {theirs} on the server; all clients of a namespace must agree"
    )]
    Field {
        /// The field that differs.
        field: &'static str,
        /// Its value in this client.
        ours: Setting,
        /// Its value on the server.
        theirs: Setting,
    },
}

/// Why a namespace cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum OpenError {
    /// The server could not be asked.
    #[error(transparent)]
    Server(#[from] CallError),
    /// The namespace keeps to another configuration.
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    /// Both a TTL and a time to idle: the one command that reads could not keep to both.
    #[error("ttl and time_to_idle cannot be had together on Redis; leave one of them out")]
    IdleWithTtl,
    /// No such number of partitions, or one that would leave a partition without any room.
    #[error("{0} partitions: give 1 to 16384, and no more than the limits have room for")]
    Partitions(u32),
}

/// The value of a field of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Setting(String);

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 == "-" { "not set" } else { &self.0 })
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Agreement {
    /// What a client with this configuration has to agree on.
    pub(crate) fn new(config: &Config, partitions: u32, journal_cap: u64) -> Self {
        let number = |value: Option<u64>| value.map_or("-".to_owned(), |value| value.to_string());
        let millis = |time: Option<Duration>| number(time.map(|time| time.as_millis() as u64));
        Self(vec![
            ("strategy", config.strategy().name().to_owned()),
            ("max_entries", number(config.max_entries())),
            ("max_bytes", number(config.max_bytes())),
            ("ttl_ms", millis(config.ttl())),
            ("time_to_idle_ms", millis(config.time_to_idle())),
            ("partitions", partitions.to_string()),
            ("journal_cap", journal_cap.to_string()),
        ])
    }

    /// The text that is kept on the server.
    pub(crate) fn text(&self) -> String {
        let mut text = VERSION.to_string();
        for (field, value) in &self.0 {
            // Writing into a string cannot fail.
            let _ = write!(text, " {field}={value}");
        }
        text
    }

    /// Compares with the text on the server. Fields that only the server has are passed over: they
    /// are of a later program that found them not worth another version.
    pub(crate) fn check(&self, text: &[u8]) -> Result<(), Disagreement> {
        let text = std::str::from_utf8(text).map_err(|_| Disagreement::Unreadable)?;
        let mut words = text.split(' ');
        match words.next().map(str::parse) {
            Some(Ok(VERSION)) => {}
            Some(Ok(version)) => return Err(Disagreement::UnknownVersion(version)),
            _ => return Err(Disagreement::Unreadable),
        }
        let theirs: Option<Vec<_>> = words.map(|word| word.split_once('=')).collect();
        let theirs = theirs.ok_or(Disagreement::Unreadable)?;
        for (field, ours) in &self.0 {
            let (_, value) = theirs
                .iter()
                .find(|(name, _)| name == field)
                .filter(|(_, value)| value.len() <= 32 && value.is_ascii())
                .ok_or(Disagreement::Unreadable)?;
            if value != ours {
                let (ours, theirs) = (Setting(ours.clone()), Setting((*value).to_owned()));
                return Err(Disagreement::Field { field, ours, theirs });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreement() -> Agreement {
        let config =
            Config::builder().max_entries(100).ttl(Duration::from_secs(60)).build().unwrap();
        Agreement::new(&config, 1, 1000)
    }

    const TEXT: &str = "1 strategy=s3-fifo max_entries=100 max_bytes=- ttl_ms=60000 \
                        time_to_idle_ms=- partitions=1 journal_cap=1000";

    #[test]
    fn the_text_is_that_of_the_documentation() {
        assert_eq!(agreement().text(), TEXT);
        assert_eq!(agreement().check(TEXT.as_bytes()), Ok(()));
        assert_eq!(agreement().check(format!("{TEXT} colour=red").as_bytes()), Ok(()));
    }

    #[test]
    fn a_difference_is_told_by_the_fields_name() {
        let check = |from: &str, to: &str, want: &str| {
            let error = agreement().check(TEXT.replace(from, to).as_bytes()).unwrap_err();
            assert!(error.to_string().contains(want), "{error}");
        };
        check(
            "max_entries=100",
            "max_entries=200",
            "max_entries is 100 here but 200 on the server",
        );
        check("max_bytes=-", "max_bytes=5", "max_bytes is not set here but 5");
        check("s3-fifo", "lru", "strategy is s3-fifo here but lru");
        check("1 strategy", "2 strategy", "version 2");
        check("1 strategy", "one strategy", "cannot be read");
        check("max_entries=100 ", "", "cannot be read");
        check("partitions=1", "partitions=\u{7f}é", "cannot be read");
        check(TEXT, "", "cannot be read");
    }
}
