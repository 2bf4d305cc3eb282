//! Principals with their roles, and the decision whether one may do something.

use std::fmt;
use std::sync::Arc;

use super::grant::{Effect, Grant};
use super::name::Name;
use super::operation::Operation;

/// Grants under a name, for all who have the role.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Role {
    name: Name,
    grants: Box<[Grant]>,
}

/// Somebody who wants to do something. Without roles, nothing is allowed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Principal {
    name: Name,
    roles: Box<[Arc<Role>]>,
}

/// What an operation is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope<'a> {
    /// The namespace of this name, whether or not there is one.
    Namespace(&'a str),
    /// No namespace, or all at once: to reload, to ask for a version. Only grants on `*` have a say.
    All,
}

/// Whether an operation is allowed, and why. Its text is for an audit log: it names roles and grants,
/// which are nothing to tell the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Decision<'a> {
    /// This grant allows it and none denies it.
    Allowed {
        /// The role that has the grant.
        role: &'a Name,
        /// The first that allows it.
        grant: &'a Grant,
    },
    /// This grant denies it, whatever others allow.
    Denied {
        /// The role that has the grant.
        role: &'a Name,
        /// The first that denies it.
        grant: &'a Grant,
    },
    /// No grant says anything about it.
    Ungranted(Operation),
}

impl Role {
    /// A role with these grants, whose order does not matter to what is allowed.
    pub fn new(name: Name, grants: impl IntoIterator<Item = Grant>) -> Self {
        Self { name, grants: grants.into_iter().collect() }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its grants.
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }
}

/// The grants as a configuration lists them, with commas between.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, grant) in self.grants.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}\"{grant}\"")?;
        }
        Ok(())
    }
}

impl Principal {
    /// A principal with these roles.
    pub fn new(name: Name, roles: impl IntoIterator<Item = Arc<Role>>) -> Self {
        Self { name, roles: roles.into_iter().collect() }
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Its roles.
    pub fn roles(&self) -> &[Arc<Role>] {
        &self.roles
    }

    /// Whether it may do `operation` on `scope`: a grant that denies it wins, else one must allow it. Allocates
    /// nothing, and takes the same grants into account whether or not there is such a namespace.
    pub fn decide(&self, operation: Operation, scope: Scope<'_>) -> Decision<'_> {
        let mut decision = Decision::Ungranted(operation);
        for role in &self.roles {
            for grant in role.grants.iter().filter(|grant| grant.concerns(operation, scope)) {
                match grant.effect {
                    Effect::Deny => return Decision::Denied { role: &role.name, grant },
                    Effect::Allow if decision.is_allowed() => {}
                    Effect::Allow => decision = Decision::Allowed { role: &role.name, grant },
                }
            }
        }
        decision
    }

    /// Whether it may know that there is a namespace of this name and what it keeps to: if anything at all is
    /// allowed there.
    pub fn sees(&self, namespace: &str) -> bool {
        let may = |operation| self.decide(operation, Scope::Namespace(namespace)).is_allowed();
        Operation::ALL.into_iter().any(may)
    }
}

impl Decision<'_> {
    /// Whether the operation may be done.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { role, grant } | Self::Denied { role, grant } => {
                write!(f, "role {role}: {grant}")
            }
            Self::Ungranted(operation) => write!(f, "no grant allows {operation}"),
        }
    }
}
