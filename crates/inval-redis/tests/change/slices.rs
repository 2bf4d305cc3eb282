//! What a slice of upkeep is asked for and tells, and who is told of removals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inval_core::{Budget, RemovalCause, Store};
use inval_redis::Cache;

use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, roomy};
use crate::support::values::{fill, fill_for, name, put};

const WHILE: Budget = Budget::within(Duration::from_millis(50));

#[tokio::test]
async fn what_is_urgent_is_done_although_it_is_not_yet_time() {
    let site = Site::shared(roomy()).with(|options| {
        options.engine.lease = Duration::from_secs(600);
        options.engine.idle_interval = Duration::from_secs(100);
        options.engine.drain_interval = Duration::from_secs(100);
        options.engine.scrub_interval = Duration::from_secs(1_000);
    });
    let cache = site.open().await;
    maintain(&cache).await;
    put(&cache, "k", "value").await;
    let slice = cache.maintain(0, WHILE).await.unwrap();
    assert!(slice.records == 0 && slice.next > Duration::from_secs(10), "{slice:?}");
    assert_eq!(slice.latency, None, "nothing was asked");
    let slice = cache.maintain(0, Budget { is_urgent: true, ..WHILE }).await.unwrap();
    assert_eq!(slice.records, 1);
    assert!(slice.latency.is_some_and(|latency| latency > Duration::ZERO));
}

#[tokio::test]
async fn a_slice_ends_when_so_many_entries_are_done() {
    let site = Site::shared(roomy()).with(|options| options.engine.drain_batch = 10);
    let cache = site.open().await;
    maintain(&cache).await;
    fill(&cache, 'k', 0..2_000, 10).await;
    let budget = |entries| Budget { entries, is_urgent: true, ..Budget::within(Duration::MAX) };
    let slice = cache.maintain(0, budget(100)).await.unwrap();
    assert_eq!((slice.records, slice.backlog), (100, 1_900));
    let slice = cache.maintain(0, budget(0)).await.unwrap();
    assert_eq!(slice.records, 10, "something is done in any case");
}

#[tokio::test]
async fn a_slice_tells_how_late_it_comes() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    fill_for(&cache, 'k', 0..100, 10, Some(Duration::from_secs(2))).await;
    maintain(&cache).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut overdue = Duration::ZERO;
    until("all have expired", async || {
        overdue = overdue.max(cache.maintain(0, WHILE).await.unwrap().overdue);
        cache.stats().await.unwrap().expired.entries == 100
    })
    .await;
    assert!(overdue >= Duration::from_millis(700), "{overdue:?}");
}

/// How often a listener was told of a key and a cause.
type Counts = HashMap<(Vec<u8>, RemovalCause), u32>;

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Counts>>);

impl Told {
    fn watch(&self, cache: &Cache) {
        let told = Arc::clone(&self.0);
        cache.watch(Arc::new(move |removal| {
            let what = (removal.key.to_vec(), removal.cause);
            *told.lock().unwrap().entry(what).or_default() += 1;
        }));
    }

    fn count(&self, cause: RemovalCause) -> u64 {
        let told = self.0.lock().unwrap();
        let of_cause = told.iter().filter(|((_, other), _)| *other == cause);
        of_cause.map(|(_, times)| u64::from(*times)).sum()
    }

    fn times(&self, name: &str, cause: RemovalCause) -> u32 {
        let what = (name.as_bytes().to_vec(), cause);
        self.0.lock().unwrap().get(&what).copied().unwrap_or_default()
    }
}

#[tokio::test]
async fn whoever_watches_is_told_every_removal_once_with_its_cause() {
    let site = Site::shared(limited(200));
    let (cache, client, told) = (site.open().await, site.client().await, Told::default());
    told.watch(&cache);
    let manager = manage(&cache);
    fill_for(&cache, 'x', 0..20, 10, Some(Duration::from_millis(200))).await;
    fill(&cache, 'k', 0..50, 10).await;
    put(&cache, &name('k', 1), "again").await;
    cache.invalidate(&[key(&name('k', 2))]).await.unwrap();
    until("what expires has expired", async || told.count(RemovalCause::Expired) == 20).await;
    exact(&client, &cache).await;
    site.foreign_of("DEL", &name('k', 3), &[]);
    until("what vanished is found", async || told.count(RemovalCause::Vanished) == 1).await;
    fill(&cache, 'l', 0..300, 10).await;
    let stats = exact(&client, &cache).await;
    manager.stop().await;
    for cause in RemovalCause::ALL {
        assert_eq!(told.count(cause), stats.removed(cause).entries, "{cause:?}");
    }
    assert_eq!(told.times(&name('k', 1), RemovalCause::Replaced), 1);
    assert_eq!(told.times(&name('k', 2), RemovalCause::Invalidated), 1);
    assert_eq!(told.times(&name('k', 3), RemovalCause::Vanished), 1);
    assert!((0..20).all(|n| told.times(&name('x', n), RemovalCause::Expired) == 1));
    assert_eq!(stats.evicted.entries, 148);
}

#[tokio::test]
async fn the_last_to_watch_is_told() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    let [first, second] = [Told::default(), Told::default()];
    first.watch(&cache);
    second.watch(&cache);
    put(&cache, "k", "value").await;
    put(&cache, "k", "again").await;
    until("the write is booked", async || {
        maintain(&cache).await;
        second.times("k", RemovalCause::Replaced) == 1
    })
    .await;
    assert_eq!(first.count(RemovalCause::Replaced), 0);
}
