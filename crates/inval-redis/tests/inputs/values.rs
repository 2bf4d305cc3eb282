//! Values that are empty, large, too large, or of a type that is not ours.

use bytes::Bytes;
use inval_core::{Config, Put, PutCondition, PutOptions, Rejection, Store};
use inval_redis::{Error, Interruption};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::site::{Site, key, limited, own_server};
use crate::support::values::{get, put, put_if};

const ALWAYS: PutOptions = PutOptions { ttl: None, condition: PutCondition::Always };

#[tokio::test]
async fn an_empty_value_is_a_value() {
    let site = Site::shared(limited(10));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    put(&cache, "k", "").await;
    assert_eq!(get(&cache, "k").await.as_deref(), Some(""));
    assert_eq!(cache.contains(&key("k")).await, Ok(true));
    assert_eq!(exact(&client, &cache).await.usage.bytes, 1);
    manager.stop().await;
}

#[tokio::test]
async fn a_value_that_no_server_takes_is_refused_before_it_is_sent() {
    let site = Site::shared(limited(10));
    let cache = site.open().await;
    put(&cache, "k", "old").await;
    let len = (512 << 20) + 1;
    let value = Bytes::from(vec![0; len]);
    let refused = cache.put(&key("k"), value.clone(), ALWAYS).await;
    assert_eq!(refused, Err(Error::ValueTooLarge(len)));
    assert!(!Error::ValueTooLarge(len).is_retryable());
    let refused = cache.put_many(&[(key("k"), value)], None).await;
    assert_eq!(refused, Err(Error::ValueTooLarge(len)));
    assert_eq!(get(&cache, "k").await.as_deref(), Some("old"));
}

#[tokio::test]
async fn a_value_that_this_server_does_not_take_is_an_error_and_calls_go_on() {
    let site = Site::new(own_server(&["--proto-max-bulk-len", "1mb"]), limited(10));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    put(&cache, "k", "old").await;
    let large = Bytes::from(vec![b'v'; 2 << 20]);
    // All it does is to hang up.
    let unknown = Err(Error::OutcomeUnknown(Interruption::ConnectionLost));
    assert_eq!(cache.put(&key("k"), large, ALWAYS).await, unknown);
    assert_eq!(get(&cache, "k").await.as_deref(), Some("old"));
    let fits = Bytes::from(vec![b'v'; 1 << 20]);
    assert_eq!(cache.put(&key("k"), fits.clone(), ALWAYS).await, Ok(Put::Stored));
    assert_eq!(cache.get(&key("k")).await, Ok(Some(fits)));
    assert_eq!(exact(&client, &cache).await.usage.bytes, 1 + (1 << 20));
    manager.stop().await;
}

#[tokio::test]
async fn a_value_heavier_than_the_limit_is_rejected() {
    let site = Site::shared(Config::builder().max_bytes(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    put(&cache, "k", "old").await;
    let rejected = Put::Rejected(Rejection::TooHeavy { weight: 101, max_bytes: 100 });
    let heavy = "v".repeat(100);
    for condition in [PutCondition::IfAbsent, PutCondition::IfPresent] {
        assert_eq!(put_if(&cache, "k", &heavy, condition, None).await, rejected);
        assert_eq!(get(&cache, "k").await.as_deref(), Some("old"), "nothing was changed");
    }
    assert_eq!(put_if(&cache, "k", &heavy, PutCondition::Always, None).await, rejected);
    assert_eq!(get(&cache, "k").await, None, "it is out of date");
    put(&cache, "k", &"v".repeat(99)).await;
    assert_eq!(exact(&client, &cache).await.usage.bytes, 100);
    manager.stop().await;
}

#[tokio::test]
async fn a_strangers_type_under_the_name_of_a_value_is_told_and_overwritten() {
    let site = Site::shared(limited(10));
    let cache = site.open().await;
    for (command, args) in [("RPUSH", &["a"][..]), ("HSET", &["f", "v"]), ("SADD", &["m"])] {
        site.foreign_of(command, "k", args);
        assert_eq!(cache.get(&key("k")).await, Err(Error::WrongType), "{command}");
        // A get of many tells no types apart: what is no value is not there.
        assert_eq!(cache.get_many(&[key("k"), key("none")]).await, Ok(vec![None, None]));
        put(&cache, "k", "value").await;
        assert_eq!(get(&cache, "k").await.as_deref(), Some("value"));
        site.foreign_of("DEL", "k", &[]);
    }
    let idle = Config::builder().time_to_idle(std::time::Duration::from_secs(60));
    let site = Site::shared(idle);
    let cache = site.open().await;
    site.foreign_of("RPUSH", "k", &["a"]);
    assert_eq!(cache.get(&key("k")).await, Err(Error::WrongType));
}
