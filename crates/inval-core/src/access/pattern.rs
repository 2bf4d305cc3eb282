//! Which namespaces a grant is about.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::units::{Namespace, NamespaceError};

/// Namespaces by their names: as text `name`, `prefix*` or `*`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Pattern {
    /// Every namespace, and what concerns none.
    All,
    /// Those whose names begin so.
    Prefix(Namespace),
    /// The one of this name.
    Exact(Namespace),
}

/// Why a text is not a [`Pattern`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum PatternError {
    /// There is a `*` before the end.
    #[error("a * stands only at the end, as in shop-*")]
    Star,
    /// What stands before the `*`, or all of it, is no name.
    #[error(transparent)]
    Name(#[from] NamespaceError),
}

impl Pattern {
    /// Whether `namespace` is meant, whether or not there is such a namespace.
    pub fn matches(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => namespace.starts_with(prefix.as_str()),
            Self::Exact(name) => namespace == name.as_str(),
        }
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        match text.strip_suffix('*') {
            Some("") => Ok(Self::All),
            Some(prefix) if prefix.contains('*') => Err(PatternError::Star),
            Some(prefix) => Ok(Self::Prefix(prefix.parse()?)),
            None if text.contains('*') => Err(PatternError::Star),
            None => Ok(Self::Exact(text.parse()?)),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Exact(name) => write!(f, "{name}"),
        }
    }
}
