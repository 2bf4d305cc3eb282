//! Promises 1 and 5: nothing expired and nothing invalidated is ever read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use inval_core::{Lifetime, Put, PutCondition, Store};
use inval_redis::Cache;
use inval_test_servers::Reply;

use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, roomy};
use crate::support::values::{fill_for, get, name, put, put_for, put_if};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn promise_1_a_read_never_returns_an_expired_entry_whatever_a_clients_clock_says() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    // By this client's clock the one has an hour left and the other none. The server says otherwise.
    put_for(&cache, "early", "value", HOUR).await;
    put_for(&cache, "late", "value", Duration::from_millis(30)).await;
    put_for(&cache, "witness", "value", Duration::from_millis(30)).await;
    assert_eq!(site.foreign_of("PEXPIRE", "early", &["1"]), Reply::Int(1));
    assert_eq!(site.foreign_of("PERSIST", "late", &[]), Reply::Int(1));
    until("two have expired", async || !site.has("early") && !site.has("witness")).await;

    assert_eq!(get(&cache, "late").await.as_deref(), Some("value"));
    assert_eq!(cache.lifetime(&key("late")).await, Ok(Lifetime::Unlimited));
    assert_eq!(get(&cache, "early").await, None);
    assert_eq!(cache.get_many(&[key("early"), key("witness")]).await, Ok(vec![None, None]));
    assert_eq!(cache.contains(&key("early")).await, Ok(false));
    assert_eq!(cache.lifetime(&key("early")).await, Ok(Lifetime::Absent));
    assert_eq!(cache.invalidate(&[key("early")]).await, Ok(0));
    let over = put_if(&cache, "early", "new", PutCondition::IfPresent, None).await;
    assert_eq!(over, Put::Unmet);
}

#[tokio::test]
async fn promise_1_what_has_been_seen_expired_is_not_seen_again() {
    let site = Site::shared(roomy());
    let (cache, other) = (site.open().await, site.open().await);
    let _manager = manage(&cache);
    for ms in 1..40 {
        let ttl = Some(Duration::from_millis(u64::from(ms)));
        fill_for(&cache, 'e', ms..ms + 1, 10, ttl).await;
        let name = name('e', ms);
        until("it expires", async || get(&cache, &name).await.is_none()).await;
        assert!(!site.has(&name), "it is gone on the server as well");
        assert_eq!(get(&other, &name).await, None);
    }
}

#[tokio::test]
async fn promise_5_when_invalidate_returns_no_value_that_was_there_before_can_be_read() {
    let site = Site::shared(roomy());
    let (writing, invalidating) = (site.open().await, site.open().await);
    let _manager = manage(&site.open().await);
    let written = Arc::new(AtomicU64::new(0));
    let is_over = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write_versions(writing, Arc::clone(&written), Arc::clone(&is_over)));
    let mut found_later_ones = 0;
    for round in 0..300 {
        let before = written.load(Ordering::SeqCst);
        match round % 3 {
            0 => drop(invalidating.invalidate(&[key("other"), key("k")]).await.unwrap()),
            1 => drop(invalidating.invalidate(&[key("k")]).await.unwrap()),
            _ => invalidating.clear().await.unwrap(),
        }
        if let Some(version) = get(&invalidating, "k").await {
            assert!(version.parse::<u64>().unwrap() > before, "{version}, {before}");
            found_later_ones += 1;
        }
    }
    is_over.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert!(found_later_ones > 0 && written.load(Ordering::SeqCst) > 300, "they did not meet");
}

/// Writes one version after the other under one key, and tells of each once it is written.
async fn write_versions(cache: Cache, written: Arc<AtomicU64>, is_over: Arc<AtomicBool>) {
    let mut version = 0;
    while !is_over.load(Ordering::SeqCst) {
        version += 1;
        put(&cache, "k", &version.to_string()).await;
        written.store(version, Ordering::SeqCst);
    }
}
