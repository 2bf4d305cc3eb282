//! How a check says that a store does not keep the contract.

use std::fmt::{Debug, Display};
use std::time::Duration;

use thiserror::Error;

use crate::stats::{Stats, Usage};
use crate::units::KeyError;

/// The most characters of a value that a complaint shows.
const SHOWN: usize = 200;

/// A check that a store has not passed.
#[derive(Debug, Error)]
#[error("{check}: {complaint}")]
pub struct Failure {
    /// The name of the check.
    pub check: String,
    /// What was wrong.
    pub complaint: Complaint,
}

/// What a check has to complain of. What it shows is the suite's own data.
#[derive(Debug, Error)]
pub enum Complaint {
    /// A store said something else than it should have.
    #[error("{what}: expected {expected}, got {got}")]
    Unexpected {
        /// What was asked, and when.
        what: String,
        /// What it should have said.
        expected: String,
        /// What it said.
        got: String,
    },
    /// What was bound to come did not come in time.
    #[error("{what}: not so after {waited:?}, but {}", counts(stats))]
    Unsettled {
        /// What was waited for.
        what: String,
        /// How long.
        waited: Duration,
        /// What the store told last.
        stats: Box<Stats>,
    },
    /// An operation failed.
    #[error("an operation failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no check of that name.
    #[error("there is no such check")]
    Unknown,
}

/// What comes of a check.
pub(super) type Outcome<T = ()> = Result<T, Complaint>;

impl From<KeyError> for Complaint {
    fn from(error: KeyError) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// Complains unless `got` is `want`.
pub(super) fn expect<T: PartialEq + Debug>(what: impl Display, got: T, want: T) -> Outcome {
    require(what, got == want, || shown(&want), &got)
}

/// Complains unless `holds`, which is true of `got` where it is as `expected`.
pub(super) fn expect_that<T: Debug>(
    what: impl Display,
    got: &T,
    expected: &str,
    holds: impl FnOnce(&T) -> bool,
) -> Outcome {
    require(what, holds(got), || expected.to_owned(), got)
}

fn require(
    what: impl Display,
    holds: bool,
    expected: impl FnOnce() -> String,
    got: &impl Debug,
) -> Outcome {
    if holds {
        return Ok(());
    }
    Err(Complaint::Unexpected { what: what.to_string(), expected: expected(), got: shown(got) })
}

/// Complains unless `got` is `want`, of the first that differs.
pub(super) fn expect_all<T: PartialEq + Debug>(
    what: impl Display,
    got: &[T],
    want: &[T],
) -> Outcome {
    expect(format!("{what}, how many"), got.len(), want.len())?;
    for (at, (got, want)) in got.iter().zip(want).enumerate() {
        expect(format!("{what}, number {at}"), got, want)?;
    }
    Ok(())
}

/// The counters as text, without the histograms.
fn counts(stats: &Stats) -> String {
    let usage = |name: &str, usage: Usage| match usage {
        Usage { entries: 0, bytes: 0 } => String::new(),
        Usage { entries, bytes } => format!(", {name} {entries} of {bytes} bytes"),
    };
    let Stats { hits, misses, rejected, .. } = stats;
    [
        format!("{hits} hits, {misses} misses, {rejected} rejected"),
        usage("inserted", stats.inserted),
        usage("expired", stats.expired),
        usage("evicted", stats.evicted),
        usage("invalidated", stats.invalidated),
        usage("replaced", stats.replaced),
        usage("vanished", stats.vanished),
        usage("held", stats.usage),
    ]
    .concat()
}

fn shown(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if text.chars().count() > SHOWN {
        text = text.chars().take(SHOWN).chain("…".chars()).collect();
    }
    text
}
