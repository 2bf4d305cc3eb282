//! A walk over all entries that holds a lock only for a page at a time.

use std::fmt;

use inval_core::{EntryInfo, Timestamp};

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

/// Copies the keys of up to `size` places of a shard from place `from` on, with what is known of them. Returns
/// where to go on; `None` at the end.
pub(crate) fn survey<K: Eq + Clone, V>(
    shard: &Shard<K, V>,
    from: u32,
    size: u32,
    now: Timestamp,
) -> (Vec<(K, EntryInfo)>, Option<u32>) {
    let (mut entries, mut next) = (Vec::new(), Some(from));
    let end = from.saturating_add(size.max(1));
    while let Some(from) = next.filter(|from| *from < end) {
        let books = shard.lock();
        let (page, place) = books.ledger.survey(from, PAGE.min(end - from), now);
        entries.extend(page.map(|(key, info)| (key.clone(), info)));
        next = place;
    }
    (entries, next)
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
