//! What is known of a key: whether its entry is there, and else why it went.

use std::time::Duration;

use inval_core::{Config, EntryInfo, RemovalCause, Usage, Weight};

/// What is known of a key, and of its namespace as far as that gives reasons.
#[derive(Clone, PartialEq, Debug)]
pub struct Explanation {
    /// The entry, if there is one.
    pub present: Option<EntryInfo>,
    /// The removals of entries under the key that are remembered, newest first. An entry that was overwritten has
    /// none: the key is still there.
    pub removals: Vec<PastRemoval>,
    /// Which removals are remembered; `None` if none are, because
    /// [`removal_memory`](crate::Builder::removal_memory) is 0.
    pub remembered: Option<Remembered>,
    /// What the namespace keeps to.
    pub config: Config,
    /// What it holds, no older than the [`stats_age`](crate::Builder::stats_age).
    pub usage: Usage,
}

/// A removal that is remembered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PastRemoval {
    /// Why the entry left.
    pub cause: RemovalCause,
    /// What it was charged.
    pub weight: Weight,
    /// How long ago it left, or was found to have left.
    pub ago: Duration,
}

/// Which removals are remembered. There is room for so many; when they come so fast that it would not reach far
/// back, they are remembered of a part of the keys alone, always the same ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remembered {
    /// Of so many keys one is remembered: a power of two, 1 for all.
    pub one_in: u64,
    /// Whether this key is one of them.
    pub includes_key: bool,
    /// For how long all removals of the key have been remembered; if it is not included, of those that are.
    pub since: Duration,
    /// How many removals have not been noted, since the namespace was added, for others were just being noted.
    pub missed: u64,
}

impl Remembered {
    /// What is remembered of the entry of a key that may have gone by two names.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            includes_key: self.includes_key && other.includes_key,
            since: self.since.min(other.since),
            ..self
        }
    }
}
