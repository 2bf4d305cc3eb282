//! Promises 2 and 3: what makes room for what, and how far usage may be above a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use inval_core::{RemovalCause, Store, Strategy};
use inval_redis::Cache;
use inval_test_servers::Connection;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server};
use crate::support::values::{count, fill, fill_for, name, names};

#[tokio::test]
async fn promise_2_overwriting_an_entry_at_the_limit_evicts_nothing() {
    for strategy in Strategy::ALL {
        let site = Site::shared(limited(100).strategy(strategy));
        let (cache, client) = (site.open().await, site.client().await);
        let _manager = manage(&cache);
        fill(&cache, 'k', 0..100, 20).await;
        exact(&client, &cache).await;
        for round in 0..10 {
            fill(&cache, 'k', 0..100, 10 + round).await;
        }
        let stats = exact(&client, &cache).await;
        assert_eq!(stats.removed(RemovalCause::Evicted).entries, 0, "{strategy}");
        assert_eq!(stats.removed(RemovalCause::Replaced).entries, 1000, "{strategy}");
        assert_eq!(count(&cache, &names('k', 0..100)).await, 100, "{strategy}");
    }
}

#[tokio::test]
async fn promise_2_an_expired_entry_never_displaces_a_live_one() {
    for strategy in Strategy::ALL {
        let site = Site::shared(limited(100).strategy(strategy));
        let (cache, client) = (site.open().await, site.client().await);
        let manager = manage(&cache);
        fill(&cache, 'a', 0..50, 20).await;
        fill_for(&cache, 'x', 0..50, 20, Some(Duration::from_millis(500))).await;
        until("the cache is full", async || cache.usage().await.unwrap().entries == 100).await;
        until("half has expired", async || (0..50).all(|n| !site.has(&name('x', n)))).await;
        // The books may still have what has expired. It must make room before anything alive does.
        fill(&cache, 'b', 0..50, 20).await;
        let stats = exact(&client, &cache).await;
        let counts = RemovalCause::Evicted;
        assert_eq!(stats.removed(counts).entries, 0, "{strategy}");
        assert_eq!(stats.removed(RemovalCause::Expired).entries, 50, "{strategy}");
        let alive = [names('a', 0..50), names('b', 0..50)].concat();
        assert_eq!(count(&cache, &alive).await, 100, "{strategy}");
        manager.stop().await;
    }
}

#[tokio::test]
async fn promise_3_usage_stays_at_the_limit_but_for_the_backlog() {
    let site = Site::new(own_server(&[]), limited(500));
    let manager = manage(&site.open().await);
    let most = most_above_limit(&site, 500).await;
    // What is read from the journal at once may still have to be evicted when it is off it.
    let in_hand = i64::from(site.options.engine.drain_batch);
    assert!(most.beyond_backlog <= in_hand, "{most:?}");
    let client = site.client().await;
    let cache = site.open().await;
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 500);
    manager.stop().await;
}

#[tokio::test]
async fn promise_3_with_a_headroom_the_limit_is_a_hard_ceiling() {
    let site = Site::new(own_server(&[]), limited(500)).with(|options| {
        options.engine.headroom = 0.4;
    });
    let manager = manage(&site.open().await);
    let most = most_above_limit(&site, 500).await;
    assert!(most.beyond_limit <= 0, "{most:?}");
    manager.stop().await;
}

/// How far usage was above the limit.
#[derive(Debug)]
struct Most {
    beyond_limit: i64,
    beyond_backlog: i64,
}

/// Four clients write as fast as they can. Looks at the server all the while.
async fn most_above_limit(site: &Site, limit: i64) -> Most {
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = Vec::new();
    for letter in ['a', 'b', 'c', 'd'] {
        let (cache, is_over) = (site.open().await, Arc::clone(&is_over));
        writers.push(tokio::spawn(write_until(cache, letter, is_over)));
    }
    let mut connection = site.connection();
    let mut most = Most { beyond_limit: i64::MIN, beyond_backlog: i64::MIN };
    let first = key_count(&mut connection, site).0;
    for _ in 0..600 {
        let (entries, backlog) = key_count(&mut connection, site);
        most.beyond_limit = most.beyond_limit.max(entries - limit);
        most.beyond_backlog = most.beyond_backlog.max(entries - limit - backlog);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert!(first < limit && written > 4 * limit, "the limit was never in question: {written}");
    most
}

async fn write_until(cache: Cache, letter: char, is_over: Arc<AtomicBool>) -> i64 {
    let mut written = 0;
    while !is_over.load(Ordering::Relaxed) {
        let keys = (0..5).map(|n| key(&name(letter, written + n)));
        let entries: Vec<_> = keys.map(|key| (key, Bytes::from_static(b"value"))).collect();
        cache.put_many(&entries, None).await.unwrap();
        written += 5;
    }
    i64::from(written)
}

/// How many entries there are on a server that has nothing else, and the backlog, at one instant.
fn key_count(connection: &mut Connection, site: &Site) -> (i64, i64) {
    let names = site.names();
    let mut ask = |words: &[&str]| connection.command(words).unwrap();
    ask(&["MULTI"]);
    ask(&["DBSIZE"]);
    ask(&["EXISTS", names.journal(), names.accesses(), names.lease(), names.accounts()]);
    ask(&["LLEN", names.journal()]);
    let replies = ask(&["EXEC"]);
    let [all, ours, backlog] = [0, 1, 2].map(|n| replies.items()[n].int().unwrap());
    // The configuration is there throughout.
    (all - ours - 1, backlog)
}
