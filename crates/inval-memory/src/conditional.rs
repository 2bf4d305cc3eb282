//! Writes that depend on what is there.

use std::fmt;
use std::hash::{BuildHasher, Hash};

use inval_core::{Insertion, PutCondition, Refusal, Rejected};

use crate::cache::{Cache, InsertOptions, Removals};

/// A write on a condition that was not carried out, with what it brought.
#[derive(PartialEq, Eq)]
pub struct Refused<K, V> {
    /// Why.
    pub reason: Refusal,
    /// The key that was to be written.
    pub key: K,
    /// The value that was to be written.
    pub value: V,
}

impl<K: Hash + Eq, V: Clone, S: BuildHasher> Cache<K, V, S> {
    /// Writes a value under `key` if `condition` holds, with a TTL or weight of its own. No other thread
    /// comes in between. If it is refused nothing is changed, whatever the reason; without a
    /// condition this is [`insert_with`](Self::insert_with).
    pub fn insert_if(
        &self,
        condition: PutCondition,
        key: K,
        value: V,
        options: InsertOptions,
    ) -> Result<Insertion, Refused<K, V>> {
        let hash = self.hash(&key);
        let arrival = self.arrival(hash, key, value, options);
        let mut removed = Removals::new();
        let outcome = {
            let books = &mut *self.lock(hash);
            let now = self.write_time(books, options.ttl);
            match books.ledger.judge(&arrival, condition, now) {
                Err(reason) => Err(Refused { reason, key: arrival.key, value: arrival.value }),
                Ok(()) => {
                    books.flights.cut_off(hash, &arrival.key);
                    books.ledger.insert(arrival, now, &mut removed).map_err(Refused::from)
                }
            }
        };
        self.announce(removed);
        outcome
    }
}

impl<K, V> From<Rejected<K, V>> for Refused<K, V> {
    fn from(Rejected { reason, key, value }: Rejected<K, V>) -> Self {
        Self { reason: Refusal::Rejected(reason), key, value }
    }
}

impl<K, V> fmt::Display for Refused<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.reason, f)
    }
}

/// Without key and value, which may be personal or secret.
impl<K, V> fmt::Debug for Refused<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<K, V> std::error::Error for Refused<K, V> {}
