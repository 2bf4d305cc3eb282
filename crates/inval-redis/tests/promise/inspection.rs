//! What is known of an entry is told without touching it.

use std::time::Duration;

use inval_core::{EntryInfo, Lifetime, Store, Strategy, Weight};
use inval_redis::Cache;
use inval_test_servers::Reply;

use crate::support::managers::maintain;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server, roomy};
use crate::support::values::{put, put_for, put_if};

async fn inspect(cache: &Cache, name: &str) -> Option<EntryInfo> {
    cache.inspect(&key(name)).await.unwrap()
}

fn idle_seconds(site: &Site, name: &str) -> i64 {
    site.foreign(&[b"OBJECT", &b"IDLETIME"[..], &site.entry(name)]).int().unwrap()
}

#[tokio::test]
async fn an_inspection_does_not_reset_the_idle_clock() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    put(&cache, "k", "value").await;
    until("it has been idle", async || idle_seconds(&site, "k") >= 2).await;
    let before = inspect(&cache, "k").await.unwrap();
    let after = inspect(&cache, "k").await.unwrap();
    for info in [before, after] {
        assert!(info.idle >= Some(Duration::from_secs(2)), "{info:?}");
        assert_eq!(info.lifetime, Lifetime::Unlimited);
    }
    assert!(idle_seconds(&site, "k") >= 2);
}

#[tokio::test]
async fn weight_and_age_are_told_by_who_has_the_books() {
    let site = Site::shared(roomy());
    let (managing, other) = (site.open().await, site.open().await);
    put(&managing, "before", "value").await;
    // Somebody who leaves no record wrote one as well.
    assert!(site.foreign_of("SET", "foreign", &["four"]).is_ok());
    maintain(&managing).await;
    until("the books are made", async || {
        maintain(&managing).await;
        inspect(&managing, "foreign").await.unwrap().weight.is_some()
    })
    .await;
    put_for(&managing, "since", "a value", Duration::from_secs(3600)).await;
    until("it is booked", async || {
        maintain(&managing).await;
        inspect(&managing, "since").await.unwrap().weight.is_some()
    })
    .await;
    let since = inspect(&managing, "since").await.unwrap();
    assert_eq!(since.weight, Some(Weight::new(12)));
    assert!(since.age.is_some(), "it was booked as it was written");
    assert!(matches!(since.lifetime, Lifetime::Remaining(_)));
    let foreign = inspect(&managing, "foreign").await.unwrap();
    assert_eq!((foreign.weight, foreign.age), (Some(Weight::new(11)), None));
    for name in ["before", "foreign", "since"] {
        let info = inspect(&other, name).await.unwrap();
        assert_eq!((info.weight, info.age), (None, None), "{name}, who has no books");
        assert!(info.idle.is_some());
    }
    assert_eq!(inspect(&managing, "none").await, None);

    // Only the server knows whether this one is there. That it may have been written makes its age unknown.
    let unmet = put_if(&managing, "since", "another", inval_core::PutCondition::IfAbsent, None);
    assert_eq!(unmet.await, inval_core::Put::Unmet);
    until("it was looked at", async || {
        maintain(&managing).await;
        inspect(&managing, "since").await.unwrap().age.is_none()
    })
    .await;
    managing.release().await.unwrap();
    assert_eq!(inspect(&managing, "since").await.unwrap().weight, None, "the lease is given up");
}

#[tokio::test]
async fn a_server_that_counts_reads_tells_no_idle_time() {
    let site = Site::new(
        own_server(&["--maxmemory-policy", "allkeys-lfu"]),
        limited(10).strategy(Strategy::Lfu),
    );
    let cache = site.open().await;
    put_for(&cache, "k", "value", Duration::from_secs(3600)).await;
    maintain(&cache).await;
    let info = inspect(&cache, "k").await.unwrap();
    assert_eq!((info.idle, info.weight), (None, Some(Weight::new(6))));
    assert!(matches!(info.lifetime, Lifetime::Remaining(_)));
    assert_eq!(inspect(&cache, "none").await, None);
    let counter = |site: &Site| site.foreign(&[b"OBJECT", &b"FREQ"[..], &site.entry("k")]);
    let before = counter(&site);
    for _ in 0..20 {
        inspect(&cache, "k").await;
    }
    assert_eq!(counter(&site), before, "a counter that low would have moved");
    assert!(matches!(before, Reply::Int(_)));
}
