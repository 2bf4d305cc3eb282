//! The audit: everything recounted and compared with the books.

use thiserror::Error;

use super::Ledger;
use crate::stats::Usage;

/// What [`Ledger::validate`] found wrong. Any of these is a defect of this crate, or of `Hash` and
/// `Eq` of the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Inconsistency {
    /// Usage differs from a recount.
    #[error("usage is booked as {booked:?}, a recount gives {counted:?}")]
    Usage {
        /// What the statistics say.
        booked: Usage,
        /// What the entries add up to.
        counted: Usage,
    },
    /// What came in is not what left plus what is there.
    #[error("inserted is {inserted:?}, but usage and removals add up to {accounted:?}")]
    Flow {
        /// What the statistics say came in.
        inserted: Usage,
        /// Usage plus removals of every cause.
        accounted: Usage,
    },
    /// More is held than the limits allow, and it is not that a limit was lowered and more was held before.
    #[error("usage {usage:?} is above a limit")]
    OverLimit {
        /// What is held.
        usage: Usage,
    },
    /// The index does not lead to each entry exactly once.
    #[error("the index has {indexed} places for {entries} entries, or leads astray")]
    Index {
        /// Places in the index.
        indexed: u64,
        /// Live entries.
        entries: u64,
    },
    /// A policy's queues do not hold each entry exactly once.
    #[error("the policy's queues do not hold each entry exactly once")]
    Queues,
    /// The policy's own state is unsound.
    #[error("the policy's own state is unsound")]
    Policy,
    /// The timing wheel is unsound.
    #[error("the timing wheel is unsound")]
    Wheel,
}

impl<K: Eq, V> Ledger<K, V> {
    /// Recounts everything and compares it with the books. Linear in the number of entries. Usage may be above
    /// limits that were lowered, but no more so than it was at the last write.
    pub fn validate(&self) -> Result<(), Inconsistency> {
        let usage = self.stats.usage;
        if self.ceiling.are_below(usage) {
            return Err(Inconsistency::OverLimit { usage });
        }
        self.validate_books()
    }

    /// The same, but usage may be above the limits, as that of a remote store can be for a while.
    pub(crate) fn validate_books(&self) -> Result<(), Inconsistency> {
        let Self { books, stats, .. } = self;
        let mut counted = Usage::default();
        books.slab.ids().for_each(|id| counted.add(books.slab.node(id).weight));
        if counted != stats.usage || counted.entries != u64::from(books.slab.len()) {
            return Err(Inconsistency::Usage { booked: stats.usage, counted });
        }
        let mut accounted = counted;
        accounted += stats.removed_in_all();
        if accounted != stats.inserted {
            return Err(Inconsistency::Flow { inserted: stats.inserted, accounted });
        }
        let indexed = self.index.len() as u64;
        let leads_back =
            |id| self.find(books.slab.node(id).hash, &books.slab.entry(id).key) == Some(id);
        if indexed != counted.entries || !books.slab.ids().all(leads_back) {
            return Err(Inconsistency::Index { indexed, entries: counted.entries });
        }
        if !self.queues_are_consistent() {
            return Err(Inconsistency::Queues);
        }
        if !self.policy.is_consistent(books) {
            return Err(Inconsistency::Policy);
        }
        if books.deadlines.is_consistent(books.slab.len()) {
            Ok(())
        } else {
            Err(Inconsistency::Wheel)
        }
    }

    fn queues_are_consistent(&self) -> bool {
        let slab = &self.books.slab;
        let mut total = self.held;
        for (queue, list) in self.policy.lists() {
            let mut held = Usage::default();
            for id in list.ids(&slab.nodes) {
                if slab.get(id).is_none_or(|entry| entry.queue != queue) {
                    return false;
                }
                held.add(slab.node(id).weight);
            }
            if held != list.usage() {
                return false;
            }
            total += held;
        }
        total == self.stats.usage
    }
}
