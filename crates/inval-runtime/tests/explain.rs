//! What the manager tells of a key, on the embedded store in simulated time.
#![cfg(test)]

#[path = "support/refusing.rs"]
mod refusing;

#[path = "support/fake.rs"]
mod fake;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use inval_core::{
    Config, ConfigBuilder, Key, Lifetime, RemovalCause, Store, Strategy, Timestamp, Usage, Weight,
};
use inval_memory::{Cache, Clock, InsertOptions};
use inval_runtime::{Builder, Explanation, Manager, PastRemoval};
use tokio::time::{Instant, sleep};

use fake::{Fake, OutOfOrder};

/// The clock of the runtime.
struct Simulated(Instant);

impl Clock for Simulated {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.elapsed().as_millis() as u64)
    }
}

type Memory = Cache<Key, Bytes>;

async fn managed(
    builder: Builder<Memory>,
    config: ConfigBuilder,
) -> (Arc<Memory>, Manager<Memory>) {
    let clock = Simulated(Instant::now());
    let cache = Cache::of_bytes(config.build().unwrap()).shards(1).clock(clock).build();
    let (cache, manager) = (Arc::new(cache), builder.start().unwrap());
    manager.add("users".parse().unwrap(), Arc::clone(&cache)).await.unwrap();
    (cache, manager)
}

fn lru(entries: u64) -> ConfigBuilder {
    Config::builder().strategy(Strategy::Lru).max_entries(entries)
}

fn key(name: &str) -> Key {
    Key::new(name.as_bytes()).unwrap()
}

fn put(cache: &Memory, name: &str) {
    cache.insert(key(name), "value".into());
}

async fn explain(manager: &Manager<Memory>, name: &str) -> Explanation {
    manager.explain("users", &key(name)).await.unwrap().unwrap()
}

/// Causes with weights and how many seconds ago.
fn told(explanation: &Explanation) -> Vec<(RemovalCause, u32, u64)> {
    let each = explanation.removals.iter();
    each.map(|PastRemoval { cause, weight, ago }| (*cause, weight.bytes(), ago.as_secs())).collect()
}

#[tokio::test(start_paused = true)]
async fn every_cause_is_told_but_an_overwrite() {
    let (cache, manager) = managed(Manager::builder(), lru(2)).await;
    put(&cache, "a");
    sleep(Duration::from_secs(10)).await;
    put(&cache, "b");
    put(&cache, "c");
    sleep(Duration::from_secs(5)).await;
    let evicted = explain(&manager, "a").await;
    assert_eq!(told(&evicted), [(RemovalCause::Evicted, 6, 5)]);
    assert_eq!((evicted.present, evicted.config), (None, Store::config(&*cache)));
    assert_eq!(evicted.usage, Usage { entries: 2, bytes: 12 });
    let remembered = evicted.remembered.unwrap();
    assert_eq!((remembered.one_in, remembered.includes_key, remembered.missed), (1, true, 0));
    assert_eq!(remembered.since.as_secs(), 15);

    cache.remove(&key("b"));
    put(&cache, "a");
    cache.remove(&key("a"));
    let brief = InsertOptions { ttl: Some(Duration::from_secs(1)), weight: None };
    cache.insert_with(key("a"), "longer value".into(), brief).unwrap();
    put(&cache, "c");
    sleep(Duration::from_secs(2)).await;
    assert_eq!(told(&explain(&manager, "b").await), [(RemovalCause::Invalidated, 6, 2)]);
    let causes = explain(&manager, "a").await;
    assert_eq!(causes.present, None);
    assert_eq!(
        told(&causes)[1..],
        [(RemovalCause::Invalidated, 6, 2), (RemovalCause::Evicted, 6, 7)],
    );
    let (cause, weight, ago) = told(&causes)[0];
    assert_eq!((cause, weight, ago < 2), (RemovalCause::Expired, 13, true));

    let present = explain(&manager, "c").await;
    assert_eq!(told(&present), []);
    let info = present.present.unwrap();
    assert_eq!((info.weight, info.lifetime), (Some(Weight::new(6)), Lifetime::Unlimited));
    assert!(info.age.unwrap() >= Duration::from_millis(1_900), "{info:?}");
    assert_eq!(told(&explain(&manager, "nobody").await), []);
    manager.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn when_there_are_too_many_some_keys_are_remembered_and_it_is_said_which() {
    let (cache, manager) = managed(Manager::builder().removal_memory(64), lru(100)).await;
    for n in 0..2_000 {
        put(&cache, &n.to_string());
    }
    let mut found = 0;
    for n in 0..1_900 {
        let explanation = explain(&manager, &n.to_string()).await;
        let remembered = explanation.remembered.unwrap();
        assert!((16..=128).contains(&remembered.one_in), "{remembered:?}");
        let want = usize::from(remembered.includes_key);
        assert_eq!((explanation.removals.len(), remembered.missed), (want, 0), "{n}");
        found += want;
    }
    assert!((10..=64).contains(&found), "{found}");
    manager.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_remembered_where_it_is_switched_off() {
    let (cache, manager) = managed(Manager::builder().removal_memory(0), lru(1)).await;
    put(&cache, "a");
    put(&cache, "b");
    let explanation = explain(&manager, "a").await;
    assert_eq!((told(&explanation), explanation.remembered), (vec![], None));
    assert!(explain(&manager, "b").await.present.is_some());
    let nobody = manager.explain("nobody", &key("a")).await.unwrap();
    assert_eq!(nobody, None);
    manager.shutdown(Duration::from_secs(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_told_of() {
    let (store, manager) = (Fake::idle(), Manager::builder().start().unwrap());
    manager.add("a".parse().unwrap(), Arc::clone(&store)).await.unwrap();
    store.remove(3);
    assert_eq!(manager.explain("a", &key("key")).await, Err(OutOfOrder));
}
