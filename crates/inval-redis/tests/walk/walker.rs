//! Walks to the end, and what they have seen.

use std::collections::BTreeMap;
use std::time::Duration;

use inval_core::{Cursor, EntryInfo, Key, Store, Weighing};
use inval_redis::Cache;

use crate::support::patience::until;
use crate::support::site::Site;

/// How many entries are asked for at once.
pub(crate) const SIZE: u32 = 50;

/// What a walk over all partitions has seen.
#[derive(Default, Debug)]
pub(crate) struct Walk {
    pub(crate) entries: BTreeMap<Key, EntryInfo>,
    /// How many entries were seen, each as often as it was.
    pub(crate) count: usize,
    /// How it was known what they weigh, page by page.
    pub(crate) weighing: Vec<Weighing>,
    pub(crate) held: Duration,
}

pub(crate) async fn walk(cache: &Cache) -> Walk {
    let mut walk = Walk::default();
    for partition in 0..Store::partitions(cache) {
        let mut next = Some(Cursor::START);
        while let Some(cursor) = next {
            let page = Store::page(cache, partition, cursor, SIZE).await.unwrap();
            assert!(page.entries.len() <= 4 * SIZE as usize, "{}", page.entries.len());
            assert!(!page.begins_anew);
            walk.count += page.entries.len();
            walk.entries.extend(page.entries);
            walk.weighing.push(page.weighing);
            walk.held += page.held;
            next = page.next;
        }
    }
    walk
}

/// Waits until somebody who shares this cache manages all of it, with true books.
pub(crate) async fn managed(cache: &Cache) {
    for partition in 0..Store::partitions(cache) {
        let is_managed = async || {
            let page = Store::page(cache, partition, Cursor::START, 1).await.unwrap();
            page.weighing == Weighing::Charged
        };
        until("the books are true", is_managed).await;
    }
}

/// Waits until the books have so many entries.
pub(crate) async fn booked(cache: &Cache, entries: u64) {
    let has_booked = async || cache.usage().await.unwrap().entries == entries;
    until("all is booked", has_booked).await;
}

/// How long the value of `key` has been idle, in seconds, by a look that leaves no trace.
pub(crate) fn idle(site: &Site, key: &str) -> i64 {
    site.foreign(&[&b"OBJECT"[..], b"IDLETIME", &site.entry(key)]).int().unwrap()
}

/// Waits until the value of `key` has been idle for so many seconds.
pub(crate) async fn idle_for(site: &Site, key: &str, seconds: i64) {
    until("it is idle for long enough", async || idle(site, key) >= seconds).await;
}
