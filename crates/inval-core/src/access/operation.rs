//! What can be allowed or denied, one by one or as a set.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// What somebody may want to do. None of them includes another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Operation {
    /// Read values, and look whether and how long they are there.
    Read,
    /// Write values. One that cannot be kept, or depends on what is there, tells whether something was.
    Write,
    /// Delete entries by their keys.
    Invalidate,
    /// Delete all entries at once.
    Clear,
    /// Run, pause and resume upkeep.
    Maintain,
    /// Read statistics.
    Stats,
    /// Make, change and delete namespaces; have the configuration read again.
    Administer,
}

/// A text that names no operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error(
    "unknown operation; known are read, write, invalidate, clear, maintain, stats and administer, or all"
)]
pub struct UnknownOperation;

impl Operation {
    /// All operations.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Write,
        Self::Invalidate,
        Self::Clear,
        Self::Maintain,
        Self::Stats,
        Self::Administer,
    ];

    /// The name by which grants know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Invalidate => "invalidate",
            Self::Clear => "clear",
            Self::Maintain => "maintain",
            Self::Stats => "stats",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.into_iter().find(|operation| operation.name() == name).ok_or(UnknownOperation)
    }
}

/// A set of operations. As text it is their names with commas between, or `all`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Operations(u8);

impl Operations {
    /// All of them.
    pub const ALL: Self = Self((1 << Operation::ALL.len()) - 1);

    /// Whether `operation` is one of them.
    pub const fn contains(self, operation: Operation) -> bool {
        self.0 & Self::bit(operation) != 0
    }

    /// Those that are in it, in the order of [`Operation::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Operation> {
        Operation::ALL.into_iter().filter(move |operation| self.contains(*operation))
    }

    const fn bit(operation: Operation) -> u8 {
        1 << operation as u8
    }
}

impl FromIterator<Operation> for Operations {
    fn from_iter<T: IntoIterator<Item = Operation>>(operations: T) -> Self {
        Self(operations.into_iter().fold(0, |bits, operation| bits | Self::bit(operation)))
    }
}

impl FromStr for Operations {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        match text {
            "all" => Ok(Self::ALL),
            names => names.split(',').map(str::parse).collect(),
        }
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        for (at, operation) in self.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{operation}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
