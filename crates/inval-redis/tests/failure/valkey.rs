//! What is true of Redis is true of Valkey, where it is installed.

use std::sync::Arc;
use std::time::Duration;

use inval_core::{RemovalCause, Store, Strategy};
use inval_test_servers::{Flavour, Options, Server};

use super::memory::{COUNTS_READS, read_some_of_ten, unscrubbed};
use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, valkey_world};
use crate::support::values::{count, fill, fill_for, get, name};

#[tokio::test]
async fn valkey_keeps_the_promises_too() {
    let Some(server) = valkey_world() else { return };
    for strategy in Strategy::ALL {
        let site = Site::new(Arc::clone(&server), limited(100).strategy(strategy));
        let (cache, client) = (site.open().await, site.client().await);
        let manager = manage(&cache);
        fill(&cache, 'k', 0..50, 10).await;
        fill_for(&cache, 'x', 0..50, 10, Some(Duration::from_millis(30))).await;
        until("half has expired", async || (0..50).all(|n| !site.has(&name('x', n)))).await;
        assert_eq!(get(&cache, &name('x', 7)).await, None);
        fill(&cache, 'l', 0..50, 10).await;
        let stats = exact(&client, &cache).await;
        assert_eq!(stats.removed(RemovalCause::Evicted).entries, 0, "{strategy}");
        assert_eq!(stats.removed(RemovalCause::Expired).entries, 50, "{strategy}");
        fill(&cache, 'm', 0..50, 10).await;
        let stats = exact(&client, &cache).await;
        assert_eq!(stats.removed(RemovalCause::Evicted).entries, 50, "{strategy}");
        assert_eq!(cache.invalidate(&[key(&name('m', 0)), key("none")]).await, Ok(1));
        assert_eq!(get(&cache, &name('m', 0)).await, None);
        drop(manager);
        let next = site.open().await;
        let manager = manage(&next);
        let stats = exact(&client, &next).await;
        assert_eq!(stats.usage.entries, 99, "{strategy}");
        manager.stop().await;
    }
}

#[tokio::test]
async fn valkey_with_counters_of_reads_spares_what_was_read() {
    if !Flavour::Valkey.is_available() {
        return;
    }
    let options = Options::valkey().args(COUNTS_READS);
    let server = Arc::new(Server::start(options).unwrap());
    let site = unscrubbed(Site::new(server, limited(10).strategy(Strategy::Lru)));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    let read = read_some_of_ten(&site, &cache).await;
    fill(&cache, 'n', 0..3, 10).await;
    exact(&client, &cache).await;
    assert_eq!(count(&cache, &read).await, 3);
    site.server().restart().unwrap();
    fill(&cache, 'n', 0..30, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 10);
    manager.stop().await;
}
