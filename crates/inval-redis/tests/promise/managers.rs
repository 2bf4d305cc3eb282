//! Promise 9: a manager killed at any point is replaced, and the books are exact again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use inval_core::keyspace::Keyspace;
use inval_core::{Budget, RemovalCause, Store, Usage};
use inval_redis::Cache;

use super::statistics::calls;
use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server, roomy};
use crate::support::values::{fill, fill_for, name};

const LEASE: Duration = Duration::from_millis(300);

/// How many managers make their books at once, and for how many entries: one for more than it may leave lying.
const NAMESPACES: u32 = 40;
const MANY: u32 = 5_000;
const FEW: u32 = 200;

fn site() -> Site {
    Site::shared(limited(200)).with(|options| options.engine.lease = LEASE)
}

#[tokio::test]
async fn promise_9_a_manager_killed_at_any_point_is_replaced_and_the_books_are_exact_again() {
    let site = site();
    let client = site.client().await;
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn(keep_writing(site.open().await, Arc::clone(&is_over)));
    for kill in 0..8 {
        let cache = site.open().await;
        let victim = tokio::spawn({
            let cache = cache.clone();
            async move {
                loop {
                    let slice =
                        cache.maintain(0, Budget::within(Duration::from_millis(1))).await.unwrap();
                    tokio::time::sleep(slice.next).await;
                }
            }
        });
        until("it has taken over", async || has_worked(&cache).await).await;
        // Somewhere in a step, or between two: wherever it happens to wait.
        for _ in 0..kill * 7 {
            tokio::task::yield_now().await;
        }
        victim.abort();
        drop(cache);
        let remaining = site.foreign(&["PTTL", site.names().lease()]).int().unwrap();
        assert!(remaining <= LEASE.as_millis() as i64, "{remaining} ms");
    }
    is_over.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    let last = site.open().await;
    let manager = manage(&last);
    let stats = exact(&client, &last).await;
    assert_eq!(stats.usage.entries, 200);
    assert!(stats.removed(RemovalCause::Evicted).entries > 0);
    manager.stop().await;
}

/// Whether a manager holds the lease and books what is written.
async fn has_worked(cache: &Cache) -> bool {
    let before = cache.accounts(0).await.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let after = cache.accounts(0).await.unwrap();
    after.drained > before.drained
}

async fn keep_writing(cache: Cache, is_over: Arc<AtomicBool>) {
    let mut round = 0;
    while !is_over.load(Ordering::Relaxed) {
        let first = round % 50 * 10;
        fill(&cache, 'k', first..first + 10, 10).await;
        fill_for(&cache, 'x', first..first + 5, 10, Some(Duration::from_millis(50))).await;
        cache.invalidate(&[key(&name('k', first))]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
        round += 1;
    }
}

#[tokio::test]
async fn promise_9_what_was_counted_is_neither_lost_nor_counted_twice() {
    let site = site();
    let client = site.client().await;
    let mut written = 0;
    for _ in 0..4 {
        let cache = site.open().await;
        let manager = manage(&cache);
        fill(&cache, 'k', written..written + 100, 10).await;
        written += 100;
        exact(&client, &cache).await;
        // Killed, not stopped: the next has to wait for the lease.
        drop(manager);
    }
    let cache = site.open().await;
    let manager = manage(&cache);
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.inserted, Usage { entries: 400, bytes: 400 * 16 });
    assert_eq!(stats.removed(RemovalCause::Evicted), Usage { entries: 200, bytes: 200 * 16 });
    assert_eq!(stats.removed(RemovalCause::Vanished), Usage::default());
    manager.stop().await;
}

#[tokio::test]
async fn promise_9_a_manager_that_leaves_is_replaced_without_waiting_for_its_lease() {
    let site = Site::shared(limited(200));
    let (first, second) = (site.open().await, site.open().await);
    fill(&first, 'k', 0..10, 10).await;
    maintain(&first).await;
    assert_eq!(maintain(&second).await.records, 0, "the first has the lease");
    first.release().await.unwrap();
    assert!(!site.has_lease());
    fill(&first, 'k', 10..20, 10).await;
    let token = first.accounts(0).await.unwrap().token;
    let manager = manage(&second);
    until("the second has it", async || second.usage().await.unwrap().entries == 20).await;
    assert_eq!(second.accounts(0).await.unwrap().token, token + 1);
    manager.stop().await;
}

#[tokio::test]
async fn promise_9_managers_that_make_their_books_at_once_scan_the_server_together() {
    let site = Site::new(own_server(&[]), roomy()).with(|options| {
        options.engine.scrub_interval = Duration::from_secs(1_000);
    });
    let client = site.client().await;
    let mut caches = Vec::new();
    for number in 0..NAMESPACES {
        let namespace = format!("many{number}").parse().unwrap();
        let cache = Cache::open(client.clone(), namespace, site.config, site.options).await;
        caches.push(cache.unwrap());
    }
    for (number, cache) in caches.iter().enumerate() {
        fill(cache, 'k', 0..if number == 0 { MANY } else { FEW }, 10).await;
        // They make their books from the server alone.
        let names = Keyspace::new(cache.namespace(), 0);
        site.foreign(&["DEL", names.journal()]);
    }
    site.foreign(&["CONFIG", "RESETSTAT"]);
    let managers: Vec<_> = caches.iter().map(manage).collect();
    for cache in &caches {
        fill(cache, 'n', 0..10, 10).await;
    }
    for (number, cache) in caches.iter().enumerate() {
        let entries = 10 + u64::from(if number == 0 { MANY } else { FEW });
        let booked = async || cache.usage().await.unwrap().entries == entries;
        until("the books tell of all", booked).await;
    }
    let scans = calls(site.server(), "scan");
    for (cache, manager) in caches.iter().zip(managers) {
        exact(&client, cache).await;
        assert_eq!(manager.errors(), [""; 0]);
        manager.stop().await;
    }
    let keys = u64::from(MANY + FEW * (NAMESPACES - 1));
    let pages = keys / u64::from(site.options.engine.scan_count);
    // Each by itself would ask for as many pages as there are namespaces times these.
    assert!(scans < 8 * pages, "{scans} calls for {pages} pages");
}
