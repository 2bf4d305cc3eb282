//! A grant: operations on namespaces that are allowed or denied, and its text.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::operation::{Operation, Operations, UnknownOperation};
use super::pattern::{Pattern, PatternError};
use super::principal::Scope;

/// Whether a grant allows or denies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// It allows, unless another grant denies.
    Allow,
    /// It denies, whatever other grants allow.
    Deny,
}

/// Allows or denies operations on namespaces. As text: `allow read,write users`, `deny clear *`,
/// `allow all shop-*`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Grant {
    /// Whether it allows or denies.
    pub effect: Effect,
    /// What.
    pub operations: Operations,
    /// Where.
    pub namespaces: Pattern,
}

/// Why a text is not a [`Grant`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum GrantError {
    /// There are not three words.
    #[error(
        "a grant is three words: allow or deny, operations with commas between, a namespace; such as \
         allow read,write users"
    )]
    Form,
    /// The first word is something else.
    #[error("a grant begins with allow or deny")]
    Effect,
    /// The second word names an operation that there is not.
    #[error(transparent)]
    Operation(#[from] UnknownOperation),
    /// The third word is neither a name nor a pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Grant {
    /// Whether it has a say in `operation` on `scope`.
    pub fn concerns(&self, operation: Operation, scope: Scope<'_>) -> bool {
        self.operations.contains(operation)
            && match scope {
                Scope::Namespace(name) => self.namespaces.matches(name),
                Scope::All => self.namespaces == Pattern::All,
            }
    }
}

impl FromStr for Grant {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        let mut words = text.split_ascii_whitespace();
        let (Some(effect), Some(operations), Some(namespaces), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(GrantError::Form);
        };
        let effect = match effect {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            _ => return Err(GrantError::Effect),
        };
        Ok(Self { effect, operations: operations.parse()?, namespaces: namespaces.parse()? })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let effect = match self.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
        };
        write!(f, "{effect} {} {}", self.operations, self.namespaces)
    }
}
