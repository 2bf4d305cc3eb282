//! One process changes limits and lifetimes, the others follow.

use std::time::Duration;

use inval_core::{Lifetime, Store};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server};
use crate::support::values::{count, fill, get, names, put};

#[tokio::test]
async fn the_manager_in_another_process_follows_lowered_and_raised_limits() {
    let site = Site::shared(limited(1_000)).with(|options| options.partitions = 2);
    let (operator, other) = (site.open().await, site.open().await);
    let (client, manager) = (site.client().await, manage(&other));
    fill(&operator, 'k', 0..1_500, 10).await;
    assert_eq!(exact(&client, &operator).await.usage.entries, 1_000);

    let lowered = limited(300).build().unwrap();
    operator.reconfigure(&lowered).await.unwrap();
    assert_eq!(operator.config(), lowered);
    until("the other has followed", async || other.config() == lowered).await;
    let stats = exact(&client, &operator).await;
    assert_eq!((stats.usage.entries, stats.evicted.entries), (300, 1_200));

    let raised = limited(600).build().unwrap();
    operator.reconfigure(&raised).await.unwrap();
    until("the other has followed again", async || other.config() == raised).await;
    fill(&operator, 'l', 0..1_000, 10).await;
    assert_eq!(exact(&client, &operator).await.usage.entries, 600);
    assert_eq!(manager.errors(), [""; 0]);
    manager.stop().await;
}

#[tokio::test]
async fn whoever_only_writes_or_only_reads_follows_as_well() {
    let site = Site::shared(limited(1_000));
    let (operator, writer, reader) = (site.open().await, site.open().await, site.open().await);
    put(&writer, "before", "value").await;
    let mortal = limited(1_000).ttl(Duration::from_secs(600)).build().unwrap();
    operator.reconfigure(&mortal).await.unwrap();
    put(&operator, "at once", "value").await;
    let is_mortal = async |name: &str| {
        let lifetime = operator.lifetime(&key(name)).await.unwrap();
        matches!(lifetime, Lifetime::Remaining(_))
    };
    assert!(is_mortal("at once").await);
    until("the writer gives entries the new TTL", async || {
        put(&writer, "new", "value").await;
        is_mortal("new").await
    })
    .await;
    assert!(!is_mortal("before").await, "entries keep the TTL they were written with");
    until("the reader has followed", async || {
        get(&reader, "before").await;
        reader.config() == mortal
    })
    .await;
}

#[tokio::test]
async fn the_weight_that_is_rejected_follows_the_limit() {
    let site = Site::shared(limited(1_000));
    let cache = site.open().await;
    let text = "1 strategy=s3-fifo max_entries=- max_bytes=100";
    assert!(!site.config_text().unwrap().starts_with(text));
    let config = inval_core::Config::builder().max_bytes(100).build().unwrap();
    cache.reconfigure(&config).await.unwrap();
    assert!(site.config_text().unwrap().starts_with(text));
    let heavy = cache.put(&key("k"), vec![0; 100].into(), Default::default()).await.unwrap();
    assert!(matches!(heavy, inval_core::Put::Rejected(_)));
}

#[tokio::test]
async fn the_configuration_comes_back_after_everything_was_flushed() {
    let site = Site::new(own_server(&[]), limited(100));
    let cache = site.open().await;
    let lowered = limited(40).build().unwrap();
    cache.reconfigure(&lowered).await.unwrap();
    let (text, manager) = (site.config_text(), manage(&cache));
    fill(&cache, 'k', 0..50, 10).await;
    site.foreign(&["FLUSHALL"]);
    assert_eq!(site.config_text(), None);
    until("the configuration is back", async || site.config_text() == text).await;
    fill(&cache, 'k', 0..60, 10).await;
    let client = site.client().await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 40);
    manager.stop().await;
}

#[tokio::test]
async fn a_namespace_that_was_deleted_does_not_come_back() {
    let site = Site::shared(limited(100));
    let cache = site.open().await;
    fill(&cache, 'k', 0..10, 10).await;
    assert_eq!(count(&cache, &names('k', 0..10)).await, 10);
    cache.destroy().await.unwrap();
    // Longer than a client leaves the configuration alone.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    get(&cache, "k").await;
    cache.maintain(0, inval_core::Budget::within(Duration::from_millis(10))).await.unwrap();
    assert_eq!(site.config_text(), None);
}
