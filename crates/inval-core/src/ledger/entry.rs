//! What goes into a ledger and what comes out of it.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

use crate::stats::RemovalCause;
use crate::units::Weight;

/// An entry to be written.
pub struct Arrival<K, V> {
    /// 64 well-mixed bits of the key.
    pub hash: u64,
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// What the entry is charged.
    pub weight: Weight,
    /// Its own TTL instead of the configured one; beyond [`MAX_LIFETIME`](crate::MAX_LIFETIME) it does not expire.
    pub ttl: Option<Duration>,
}

/// How a write was taken in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Insertion {
    /// The key was not there, or had expired.
    Inserted,
    /// The key was there; its former entry was handed back.
    Replaced,
}

/// A write that was refused, with what it brought. An entry that was there before is removed all the
/// same, because its value is out of date.
#[derive(PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Rejected<K, V> {
    /// Why.
    pub reason: Rejection,
    /// The key that was to be written.
    pub key: K,
    /// The value that was to be written.
    pub value: V,
}

/// Why a write was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Rejection {
    /// The entry alone is heavier than the limit in bytes.
    #[error("the entry weighs {weight} bytes, the limit is {max_bytes}")]
    TooHeavy {
        /// What the entry weighs.
        weight: u32,
        /// The limit it exceeds.
        max_bytes: u64,
    },
    /// Its TTL is below one millisecond.
    #[error("the entry's TTL is below 1 ms, so it could never be read")]
    NoTimeToLive,
}

/// Why a write on a condition is not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refusal {
    /// The condition does not hold.
    #[error("the condition of the write does not hold")]
    Unmet,
    /// It does, but the entry cannot be kept.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// An entry that has left, handed back so that it drops where its owner wants it to.
#[derive(Clone, PartialEq, Eq)]
pub struct Removed<K, V> {
    /// Its key.
    pub key: K,
    /// Its value.
    pub value: V,
    /// What it was charged.
    pub weight: Weight,
    /// Why it left.
    pub cause: RemovalCause,
}

// Keys and values may be personal or secret, so none of these shows them.

impl<K, V> fmt::Debug for Arrival<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight, ttl, .. } = self;
        f.debug_struct("Arrival").field("weight", weight).field("ttl", ttl).finish_non_exhaustive()
    }
}

impl<K, V> fmt::Debug for Rejected<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<K, V> fmt::Debug for Removed<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight, cause, .. } = self;
        f.debug_struct("Removed")
            .field("weight", weight)
            .field("cause", cause)
            .finish_non_exhaustive()
    }
}
