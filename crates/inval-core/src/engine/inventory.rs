//! Pages of the books, for whoever wants to know what is on them.

use std::time::Duration;

use super::Engine;
use crate::units::{Timestamp, Weight};

/// An entry on the books. `Debug` does not show its key.
#[derive(Clone, PartialEq, Eq)]
pub struct BookedEntry {
    /// Its key.
    pub key: Box<[u8]>,
    /// What it is charged.
    pub weight: Weight,
    /// How long ago it was written; `None` where nobody knows, because it was found on the server.
    pub age: Option<Duration>,
}

impl std::fmt::Debug for BookedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { weight, age, .. } = self;
        f.debug_struct("BookedEntry")
            .field("weight", weight)
            .field("age", age)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// The number of these books: another one whenever they were made anew, and then no place in them means what
    /// it did.
    pub fn books(&self) -> u64 {
        self.books
    }

    /// Up to `most` places of the books from place `from` on, as the entries in them, and the place to go on
    /// from; `None` when that was the last. An entry keeps its place while these are the books. `None` in all
    /// while they are not true. `now` is on the local clock.
    pub fn inventory(
        &self,
        from: u32,
        most: u32,
        now: Timestamp,
    ) -> Option<(Vec<BookedEntry>, Option<u32>)> {
        if !self.is_steady() {
            return None;
        }
        let server_now = self.clock.now(self.now.max(now)).unwrap_or_default();
        let (ids, next) = self.ledger.ids_from(from, most.max(1));
        let entry = |id| BookedEntry {
            key: self.ledger.key(id).clone(),
            weight: Weight::new(self.ledger.weight(id)),
            age: self.ledger.age(id, server_now),
        };
        Some((ids.into_iter().map(entry).collect(), next))
    }
}
