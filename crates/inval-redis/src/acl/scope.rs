//! Which keys rules are about: namespaces, partitions, and how the servers are arranged.

use std::fmt;
use std::str::FromStr;

use inval_core::Namespace;
use inval_core::keyspace::Keyspace;
use thiserror::Error;

use super::Part;

const MOST_LEN: usize = 64;

/// A namespace by its name, or all whose names match a pattern with `*` and `?`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope(Box<str>);

/// A text is neither the name of a namespace nor a pattern of such names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "a namespace has 1 to 64 letters, digits, '.', '_' or '-'; in a pattern of names * and ? may \
     stand as well"
)]
pub struct ScopeError;

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-*?".contains(&byte);
        let is_valid = (1..=MOST_LEN).contains(&text.len()) && text.bytes().all(is_allowed);
        is_valid.then(|| Self(text.into())).ok_or(ScopeError)
    }
}

impl From<&Namespace> for Scope {
    fn from(namespace: &Namespace) -> Self {
        Self(namespace.as_str().into())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How values are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reading {
    /// The namespaces have no time to idle.
    #[default]
    Plain,
    /// They have one, so that a read extends the life of an entry.
    Idle,
}

/// How the servers are arranged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deployment {
    /// One server.
    #[default]
    Single,
    /// A Cluster.
    Cluster,
    /// Servers that sentinels watch.
    Sentinel,
}

/// What rules depend on besides the role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// The namespaces.
    pub scopes: Vec<Scope>,
    /// The most partitions that one of them has.
    pub partitions: u32,
    /// How their values are read.
    pub reading: Reading,
    /// How the servers are arranged.
    pub deployment: Deployment,
    /// The number of the database; 0 in a Cluster.
    pub db: u32,
}

impl Layout {
    /// Namespaces of one partition and without a time to idle, on one server.
    pub fn of(scopes: Vec<Scope>) -> Self {
        let (reading, deployment) = (Reading::Plain, Deployment::Single);
        Self { scopes, partitions: 1, reading, deployment, db: 0 }
    }

    /// The patterns of the names of a part's keys.
    pub(super) fn patterns(&self, part: Part) -> Vec<String> {
        let name: fn(&Keyspace) -> String = match part {
            Part::Entries => |names| [names.entries(), "*"].concat(),
            Part::Journal => |names| names.journal().to_owned(),
            Part::Accesses => |names| names.accesses().to_owned(),
            Part::Lease => |names| names.lease().to_owned(),
            Part::Accounts => |names| names.accounts().to_owned(),
            Part::Config => {
                return self
                    .scopes
                    .iter()
                    .map(|scope| Keyspace::config_pattern(&scope.0))
                    .collect();
            }
            Part::Listing => {
                let number = if self.deployment == Deployment::Cluster { "[0-9]*" } else { "0" };
                return vec![Keyspace::config_pattern(number)];
            }
        };
        let patterns =
            |scope| self.numbers().map(move |number| name(&Keyspace::pattern(scope, &number)));
        self.scopes.iter().flat_map(|scope| patterns(&scope.0)).collect()
    }

    /// Patterns of the numbers of partitions. A `*` would also match what follows in the names of entries.
    fn numbers(&self) -> impl Iterator<Item = String> {
        let last = self.partitions.saturating_sub(1);
        let digits = last.checked_ilog10().map_or(1, |log| log as usize + 1);
        let number = move |digits| if last == 0 { "0".to_owned() } else { "[0-9]".repeat(digits) };
        (1..=digits).map(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_cannot_reach_beyond_names_of_namespaces() {
        let check =
            |text: &str, is_valid| assert_eq!(text.parse::<Scope>().is_ok(), is_valid, "{text}");
        check("users", true);
        check("team-*", true);
        check("*", true);
        for wrong in ["", "a:0}:k:*", "a}", "{a", "[a-z]", "a b", "a\\*", "ü", "a)"] {
            check(wrong, false);
        }
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
    }

    #[test]
    fn numbers_of_partitions_have_as_many_digits_as_need_be() {
        let check = |partitions, want: &[&str]| {
            let layout = Layout { partitions, ..Layout::of(vec!["users".parse().unwrap()]) };
            let want: Vec<_> =
                want.iter().map(|number| format!("inval:{{users:{number}}}:j")).collect();
            assert_eq!(layout.patterns(Part::Journal), want, "{partitions}");
        };
        check(0, &["0"]);
        check(1, &["0"]);
        check(2, &["[0-9]"]);
        check(10, &["[0-9]"]);
        check(11, &["[0-9]", "[0-9][0-9]"]);
        check(100, &["[0-9]", "[0-9][0-9]"]);
        check(101, &["[0-9]", "[0-9][0-9]", "[0-9][0-9][0-9]"]);
    }
}
