//! What is wrong with the settings, where it stands, and how that is shown.

use std::fmt;
use std::ops::Range;

use inval_core::access::{GrantError, NameError};
use inval_core::pacing::PacingError;
use inval_core::{ConfigError, NamespaceError};
use thiserror::Error;

use super::excerpt::Excerpt;
use super::value::Wrong;

/// More than these are counted and not shown.
const MOST_SHOWN: usize = 20;

/// Everything that is wrong with a file and its variables, in the order of the lines. Shows no password.
#[derive(Debug)]
pub(crate) struct ConfigFileError {
    file: Box<str>,
    errors: Vec<(Spot, Problem)>,
}

/// Where something stands.
#[derive(Clone, Debug)]
pub(super) enum Origin {
    File(Range<usize>),
    Variable(Box<str>),
}

/// Where something stands, ready to be shown.
#[derive(Debug)]
enum Spot {
    Line(Excerpt),
    Variable(Box<str>),
}

/// What is wrong, and what would be right.
#[derive(Clone, Debug, Error)]
pub(super) enum Problem {
    /// What the TOML reader says, which repeats nothing of the text.
    #[error("this is not TOML: {0}")]
    Syntax(Box<str>),
    #[error("this is not UTF-8")]
    NotUtf8,
    #[error("this stands here for the second time; leave one of them out")]
    Twice,
    #[error("{}", unknown_field(.name.as_deref(), *.near, .known))]
    UnknownField {
        /// `None` if it has characters that belong into no name.
        name: Option<Box<str>>,
        near: Option<&'static str>,
        known: Vec<&'static str>,
    },
    #[error("{field}: {wrong}")]
    Value { field: &'static str, wrong: Wrong },
    #[error("{small} ({low}) must not be above {share}{large} ({high})")]
    Above {
        small: &'static str,
        low: Box<str>,
        share: &'static str,
        large: &'static str,
        high: Box<str>,
    },
    /// What the rules let through, so another rule must have come up.
    #[error(transparent)]
    Pacing(#[from] PacingError),
    #[error("{lonely} needs {missing}; add it, or leave out both")]
    HalfAPair { lonely: &'static str, missing: &'static str },
    #[error(transparent)]
    NamespaceName(#[from] NamespaceError),
    #[error("a namespace is a table, such as [namespaces.sessions]")]
    NotATable,
    #[error(transparent)]
    RoleName(#[from] NameError),
    #[error(
        "a role is a table with grants, such as [access.roles.reader] and grants = [\"allow read *\"]"
    )]
    NotARole,
    #[error("grants are a list of texts, such as [\"allow read,write users\", \"deny clear *\"]")]
    NotAList,
    #[error(transparent)]
    Grant(#[from] GrantError),
    #[error("roles are for holders of tokens; name the file of tokens in access.tokens")]
    RolesWithoutTokens,
    #[error("a section belongs here, such as [http]")]
    NotASection,
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("ttl and time_to_idle cannot be had together on a server; leave one of them out")]
    IdleWithTtl,
    #[error("old_key_secret needs key_secret, which takes its place; add it")]
    OldKeySecretAlone,
    #[error("{wanted} partitions: give 1 to {most}, and no more than the limits have room for")]
    Partitions { wanted: u32, most: u32 },
    #[error("{}", unknown_variable(.near.as_deref()))]
    UnknownVariable { near: Option<Box<str>> },
}

fn unknown_field(name: Option<&str>, near: Option<&str>, known: &[&str]) -> String {
    let name = name
        .map_or_else(|| "there is no such field".to_owned(), |n| format!("there is no field {n}"));
    match near {
        Some(near) => format!("{name} here; is it {near}?"),
        None => format!("{name} here; known are {}", known.join(", ")),
    }
}

fn unknown_variable(near: Option<&str>) -> String {
    match near {
        Some(near) => format!("there is no such setting; is it {near}?"),
        None => "there is no such setting; see `inval config example`".to_owned(),
    }
}

impl ConfigFileError {
    /// `errors` in the file called `file` that holds `text`, or in variables.
    pub(super) fn new(file: &str, text: &str, mut errors: Vec<(Origin, Problem)>) -> Self {
        errors.sort_by_key(|(origin, _)| match origin {
            Origin::File(span) => (0, span.start),
            Origin::Variable(_) => (1, 0),
        });
        let spot = |origin| match origin {
            Origin::File(span) => Spot::Line(Excerpt::new(text, span)),
            Origin::Variable(name) => Spot::Variable(name),
        };
        let errors = errors.into_iter().map(|(origin, problem)| (spot(origin), problem));
        Self { file: file.into(), errors: errors.collect() }
    }

    /// For `text` in which something was replaced as it is not UTF-8, for the first time at `at`.
    pub(super) fn not_utf8(file: &str, text: &str, at: usize) -> Self {
        Self::new(file, text, vec![(Origin::File(at..at + 1), Problem::NotUtf8)])
    }
}

impl fmt::Display for ConfigFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (spot, problem)) in self.errors.iter().take(MOST_SHOWN).enumerate() {
            if at > 0 {
                f.write_str("\n\n")?;
            }
            match spot {
                Spot::Variable(name) => write!(f, "{name}: {problem}")?,
                Spot::Line(excerpt) => {
                    let (line, column) = excerpt.position();
                    write!(f, "{}:{line}:{column}: {problem}\n{excerpt}", self.file)?;
                }
            }
        }
        match self.errors.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigFileError {}
