//! Failures that users of other caches have reported, each of which must not happen here.

use std::time::Duration;

use inval_core::{Put, PutCondition, RemovalCause, Store, Strategy};
use inval_redis::Cache;
use inval_test_servers::Reply;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited};
use crate::support::values::{count, fill, get, name, names, put, put_if};

/// Redisson's conditional expiry deleted the whole map.
#[tokio::test]
async fn a_conditional_write_with_a_ttl_changes_nothing_else() {
    let site = Site::shared(limited(20));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..19, 10).await;
    put(&cache, "there", "old").await;
    let ttl = Some(Duration::from_secs(60));
    let check = async |name, condition, want, after: Option<&str>| {
        assert_eq!(put_if(&cache, name, "new", condition, ttl).await, want, "{name}");
        assert_eq!(get(&cache, name).await.as_deref(), after);
        assert_eq!(count(&cache, &names('k', 0..19)).await, 19);
    };
    check("there", PutCondition::IfAbsent, Put::Unmet, Some("old")).await;
    check("absent", PutCondition::IfPresent, Put::Unmet, None).await;
    assert_eq!(site.foreign_of("PTTL", "there", &[]), Reply::Int(-1), "no TTL was added");
    check("there", PutCondition::IfPresent, Put::Stored, Some("new")).await;
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 0);
    assert_eq!(stats.usage.entries, 20);
    manager.stop().await;
}

/// An LFU that never forgets kept an old hot set for ever and hit 0 % of a new one.
#[tokio::test]
async fn lfu_adapts_to_a_new_hot_set() {
    let site = Site::shared(limited(60).strategy(Strategy::Lfu));
    let cache = site.open().await;
    let manager = manage(&cache);
    put_all(&cache, 'o', 40).await;
    fill(&cache, 'f', 0..20, 10).await;
    for _ in 0..30 {
        use_as_cache(&site, &cache, 'o').await;
    }
    assert_eq!(count(&cache, &names('o', 0..40)).await, 40, "the old hot set is in");
    let mut rounds = 0;
    while use_as_cache(&site, &cache, 'n').await < 38 {
        rounds += 1;
        assert!(rounds < 200, "the new hot set does not get in");
    }
    manager.stop().await;
}

async fn put_all(cache: &Cache, letter: char, count: u32) {
    fill(cache, letter, 0..count, 10).await;
}

/// Reads each of forty entries, writes what is missing, and waits until the manager knows. Returns the
/// hits.
async fn use_as_cache(site: &Site, cache: &Cache, letter: char) -> usize {
    let mut hits = 0;
    for n in 0..40 {
        let name = name(letter, n);
        match get(cache, &name).await {
            Some(_) => hits += 1,
            None => put(cache, &name, "0123456789").await,
        }
    }
    until("the manager has heard of the reads", async || {
        cache.accounts(0).await.unwrap();
        let waiting = site.foreign(&["LLEN", site.names().accesses()]);
        site.journal_len() == 0 && waiting == Reply::Int(0)
    })
    .await;
    hits
}

/// `FLUSHALL` while clients write left the side tables of others behind.
#[tokio::test]
async fn a_clear_during_writes_leaves_exact_books() {
    let site = Site::shared(limited(1000));
    let (cache, client, other) = (site.open().await, site.client().await, site.open().await);
    let manager = manage(&site.open().await);
    let writing = tokio::spawn(async move {
        for n in 0..60 {
            fill(&other, 'k', n * 10..n * 10 + 30, 10).await;
        }
    });
    for _ in 0..5 {
        cache.clear().await.unwrap();
    }
    writing.await.unwrap();
    exact(&client, &cache).await;
    cache.clear().await.unwrap();
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 0);
    assert_eq!(stats.removed(RemovalCause::Vanished).entries, 0, "everything was told");
    assert!(!cache.contains(&key("k00000")).await.unwrap());
    manager.stop().await;
}
