//! What is known of a key, in the form of the daemon's JSON.

use inval_core::{Config, EntryInfo, Lifetime, RemovalCause, Usage};
use inval_runtime::PastRemoval;
use serde::{Deserialize, Serialize};

use super::statistics::Amount;
use super::values::{Settings, millis};

/// What is known of a key, and of its namespace as far as that gives reasons.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Explanation {
    /// The entry, if there is one.
    pub(crate) present: Option<Present>,
    /// The removals of entries under the key that are remembered, newest first.
    pub(crate) removals: Vec<Removed>,
    /// Which removals are remembered; `None` if none are.
    pub(crate) remembered: Option<Remembered>,
    /// Whether whoever tells maintains all of the namespace. Of the rest it learns of no removals.
    pub(crate) maintained_here: bool,
    pub(crate) config: Settings,
    pub(crate) partitions: u32,
    pub(crate) usage: Amount,
}

/// An entry. `None` is what is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Present {
    pub(crate) weight: Option<u32>,
    /// `None` if it does not expire.
    pub(crate) expires_in_ms: Option<u64>,
    /// How long ago it was last read or written.
    pub(crate) idle_ms: Option<u64>,
    /// How long ago it was written.
    pub(crate) age_ms: Option<u64>,
}

/// An entry that left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) cause: Cause,
    pub(crate) weight: u32,
    pub(crate) ago_ms: u64,
}

/// Why an entry left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    Expired,
    Evicted,
    Invalidated,
    Replaced,
    Vanished,
}

/// Which removals are remembered.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// Of which share of all keys, from 0 to 1.
    pub(crate) share: f64,
    /// Whether this key is in it.
    pub(crate) includes_key: bool,
    /// How far back.
    pub(crate) since_ms: u64,
    /// How many removals there was no time to note.
    pub(crate) missed: u64,
}

impl Explanation {
    /// What a manager tells of a namespace of so many partitions.
    pub(crate) fn of_manager(
        told: &inval_runtime::Explanation,
        partitions: u32,
        maintained_here: bool,
    ) -> Self {
        Self {
            removals: told.removals.iter().map(Removed::from).collect(),
            remembered: told.remembered.map(|remembered| Remembered {
                share: 1.0 / remembered.one_in as f64,
                includes_key: remembered.includes_key,
                since_ms: millis(remembered.since),
                missed: remembered.missed,
            }),
            maintained_here,
            ..Self::of_store(told.present, &told.config, told.usage, partitions)
        }
    }

    /// What a store says itself, without a manager.
    pub(crate) fn of_store(
        present: Option<EntryInfo>,
        config: &Config,
        usage: Usage,
        partitions: u32,
    ) -> Self {
        Self {
            present: present.map(Present::from),
            removals: Vec::new(),
            remembered: None,
            maintained_here: false,
            config: config.into(),
            partitions,
            usage: usage.into(),
        }
    }
}

impl From<EntryInfo> for Present {
    fn from(info: EntryInfo) -> Self {
        Self {
            weight: info.weight.map(|weight| weight.bytes()),
            expires_in_ms: match info.lifetime {
                Lifetime::Remaining(left) => Some(millis(left)),
                Lifetime::Absent | Lifetime::Unlimited => None,
            },
            idle_ms: info.idle.map(millis),
            age_ms: info.age.map(millis),
        }
    }
}

impl From<&PastRemoval> for Removed {
    fn from(removal: &PastRemoval) -> Self {
        Self {
            cause: match removal.cause {
                RemovalCause::Expired => Cause::Expired,
                RemovalCause::Evicted => Cause::Evicted,
                RemovalCause::Invalidated => Cause::Invalidated,
                RemovalCause::Replaced => Cause::Replaced,
                RemovalCause::Vanished => Cause::Vanished,
            },
            weight: removal.weight.bytes(),
            ago_ms: millis(removal.ago),
        }
    }
}
