//! What a user of a server has to be allowed: the least that each role needs, as rules of `ACL SETUSER`.

mod needs;
mod scope;
mod render;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use needs::Need;
pub use scope::{Deployment, Layout, Reading, Scope, ScopeError};

/// What a user is there for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Reads, writes and invalidates entries, of namespaces that are there.
    App,
    /// Reads entries and statistics, and tells of what it has read.
    Reader,
    /// Does the upkeep, and creates and changes configurations. Reads no values.
    Manager,
    /// Does all of it, and lists and deletes namespaces.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 4] = [Self::App, Self::Reader, Self::Manager, Self::Admin];

    /// The name that [`FromStr`] reads.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Reader => "reader",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no role.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("there is no such role; give app, reader, manager or admin")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// The kinds of keys that inval has on a server.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Part {
    /// Values.
    Entries,
    /// Journals.
    Journal,
    /// Access buffers.
    Accesses,
    /// Leases of managers.
    Lease,
    /// Accounts.
    Accounts,
    /// Configurations of namespaces.
    Config,
    /// The names by which servers are found whose keys are to be listed. Nothing is kept there but, perhaps, the
    /// configurations of namespaces with such names.
    Listing,
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 7] = [
        Self::Entries,
        Self::Journal,
        Self::Accesses,
        Self::Lease,
        Self::Accounts,
        Self::Config,
        Self::Listing,
    ];
}

/// What a command does with its keys, as far as servers tell it apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Access {
    /// It reads them, or asks about them.
    Read,
    /// It writes them.
    Write,
    /// Both.
    ReadWrite,
}

impl Access {
    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::ReadWrite }
    }
}

/// The rules for a user of a role: which commands it may use on which keys, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rules {
    layout: Layout,
    needs: Vec<Need>,
}

impl Rules {
    /// What `role` needs.
    pub fn new(role: Role, layout: Layout) -> Self {
        let mut merged: BTreeMap<String, BTreeMap<Part, Access>> = BTreeMap::new();
        for need in needs::of(role, &layout) {
            let parts = merged.entry(need.command).or_default();
            for (part, access) in need.keys {
                parts.entry(part).and_modify(|known| *known = known.and(access)).or_insert(access);
            }
        }
        let need = |(command, keys): (_, BTreeMap<_, _>)| Need {
            command,
            keys: keys.into_iter().collect(),
        };
        Self { layout, needs: merged.into_iter().map(need).collect() }
    }

    /// What they allow, each command once, in the order of their names.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// The same rules without a command, or, where a part is named, with another access or none to its keys.
    pub fn with_less(&self, command: &str, of: Option<(Part, Option<Access>)>) -> Self {
        let mut less = self.clone();
        match of {
            None => less.needs.retain(|need| need.command != command),
            Some((part, access)) => {
                for need in less.needs.iter_mut().filter(|need| need.command == command) {
                    need.keys.retain(|(other, _)| *other != part);
                    need.keys.extend(access.map(|access| (part, access)));
                }
                less.needs.retain(|need| !need.keys.is_empty() || need.command != command);
            }
        }
        less
    }

    /// The patterns of the names of a part's keys.
    pub fn patterns(&self, part: Part) -> Vec<String> {
        self.layout.patterns(part)
    }
}
