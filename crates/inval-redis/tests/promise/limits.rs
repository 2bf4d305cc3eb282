//! Promise 2: what makes room for what.

use std::time::Duration;

use inval_core::{RemovalCause, Store, Strategy};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, limited};
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
