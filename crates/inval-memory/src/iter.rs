//! A walk over all entries that holds a lock only for a page at a time.

use std::fmt;

use inval_core::Timestamp;

use crate::shard::Shard;

/// Entries copied under one lock.
const PAGE: u32 = 64;

/// Copies of the live entries of a [`Cache`](crate::Cache). Made by
/// [`Cache::iter`](crate::Cache::iter).
pub struct Iter<'a, K, V> {
    shards: &'a [Shard<K, V>],
    now: Timestamp,
    /// Where the next page of the first shard begins.
    from: u32,
    page: Vec<(K, V)>,
}

impl<'a, K: Eq + Clone, V: Clone> Iter<'a, K, V> {
    pub(crate) fn new(shards: &'a [Shard<K, V>], now: Timestamp) -> Self {
        Self { shards, now, from: 0, page: Vec::new() }
    }

    /// Copies the next page; whether there was one.
    fn turn_page(&mut self) -> bool {
        let Some((shard, rest)) = self.shards.split_first() else { return false };
        let books = shard.lock();
        let (entries, next) = books.ledger.page(self.from, PAGE, self.now);
        self.page.extend(entries.map(|(key, value)| (key.clone(), value.clone())));
        match next {
            Some(from) => self.from = from,
            None => (self.shards, self.from) = (rest, 0),
        }
        true
    }
}

impl<K: Eq + Clone, V: Clone> Iterator for Iter<'_, K, V> {
    type Item = (K, V);

    fn next(&mut self) -> Option<(K, V)> {
        while self.page.is_empty() && self.turn_page() {}
        self.page.pop()
    }
}

impl<K, V> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}
