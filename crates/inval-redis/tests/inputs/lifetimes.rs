//! Lifetimes of nothing, of almost nothing, and beyond what a server can count.

use std::time::Duration;

use bytes::Bytes;
use inval_core::{Config, Lifetime, MAX_LIFETIME, Put, PutCondition, PutOptions, Store};
use inval_redis::Error;
use inval_test_servers::Reply;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::site::{Site, key, roomy};
use crate::support::values::{get, put, put_for};

#[tokio::test]
async fn an_endless_ttl_is_none() {
    let site = Site::shared(roomy());
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    for ttl in
        [Duration::MAX, MAX_LIFETIME + Duration::from_millis(1), Duration::from_secs(1 << 40)]
    {
        put_for(&cache, "k", "value", ttl).await;
        assert_eq!(cache.lifetime(&key("k")).await, Ok(Lifetime::Unlimited), "{ttl:?}");
        assert_eq!(site.foreign_of("PTTL", "k", &[]), Reply::Int(-1));
    }
    put_for(&cache, "k", "value", MAX_LIFETIME).await;
    let left = cache.lifetime(&key("k")).await.unwrap();
    assert!(matches!(left, Lifetime::Remaining(left) if left <= MAX_LIFETIME), "{left:?}");
    assert_eq!(exact(&client, &cache).await.usage.entries, 1);
    manager.stop().await;
}

#[tokio::test]
async fn a_ttl_below_a_millisecond_is_over_at_once() {
    let site = Site::shared(roomy());
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(999)] {
        put(&cache, "k", "old").await;
        let options = PutOptions { ttl: Some(ttl), condition: PutCondition::Always };
        let outcome = cache.put(&key("k"), Bytes::from_static(b"new"), options).await;
        assert!(matches!(outcome, Ok(Put::Stored | Put::Rejected(_))), "{ttl:?}: {outcome:?}");
        assert_ne!(get(&cache, "k").await.as_deref(), Some("old"), "{ttl:?}");
        let many = cache.put_many(&[(key("m"), Bytes::from_static(b"new"))], Some(ttl)).await;
        assert!(many.is_ok(), "{ttl:?}: {many:?}");
        cache.clear().await.unwrap();
        assert_eq!(exact(&client, &cache).await.usage.entries, 0);
    }
    manager.stop().await;
}

#[tokio::test]
async fn where_reads_start_the_time_anew_no_entry_has_a_ttl_of_its_own() {
    let idle = Duration::from_secs(60);
    let site = Site::shared(Config::builder().time_to_idle(idle));
    let cache = site.open().await;
    let options = PutOptions { ttl: Some(idle), condition: PutCondition::Always };
    let refused = cache.put(&key("k"), Bytes::from_static(b"v"), options).await;
    assert_eq!(refused, Err(Error::OwnTtlWithIdle));
    let many = cache.put_many(&[(key("k"), Bytes::from_static(b"v"))], Some(idle)).await;
    assert_eq!(many, Err(Error::OwnTtlWithIdle));
    assert_eq!(get(&cache, "k").await, None);
    put(&cache, "k", "value").await;
    site.foreign_of("PEXPIRE", "k", &["5000"]);
    get(&cache, "k").await;
    let left = cache.lifetime(&key("k")).await.unwrap();
    assert!(matches!(left, Lifetime::Remaining(left) if left > idle / 2), "{left:?}");
}
