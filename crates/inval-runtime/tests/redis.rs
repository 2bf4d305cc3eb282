//! The manager on a real server: it keeps limits, hands over, and survives what the server does.
#![cfg(test)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::{Config, ConfigBuilder, Key, Put, RemovalCause, Standing, Stats, Store, Strategy};
use inval_redis::{Cache, CacheOptions, Client, ConnectOptions};
use inval_runtime::{Event, Manager, NamespaceHealth};
use inval_test_servers::Server;

const PATIENCE: Duration = Duration::from_secs(30);

fn limited(entries: u64) -> ConfigBuilder {
    Config::builder().max_entries(entries).strategy(Strategy::Lru)
}

/// One more process, as far as the server can tell.
async fn open(server: &Server, config: ConfigBuilder) -> Arc<Cache> {
    let brief = Duration::from_millis(500);
    let options = ConnectOptions { response_timeout: brief, ..ConnectOptions::default() };
    let client = Client::connect(&server.url().parse().unwrap(), options).await.unwrap();
    let (name, config) = ("users".parse().unwrap(), config.build().unwrap());
    Arc::new(Cache::open(client, name, config, CacheOptions::default()).await.unwrap())
}

async fn managed(server: &Server, config: ConfigBuilder) -> (Arc<Cache>, Manager<Cache>) {
    let cache = open(server, config).await;
    let manager = Manager::builder().start().unwrap();
    manager.add("users".parse().unwrap(), Arc::clone(&cache)).await.unwrap();
    (cache, manager)
}

async fn fill(cache: &Cache, numbers: std::ops::Range<u32>, ttl: Option<Duration>) {
    let entry = |number| {
        (Key::new(format!("key{number}").as_bytes()).unwrap(), Bytes::from_static(b"value"))
    };
    let entries: Vec<_> = numbers.map(entry).collect();
    let put = cache.put_many(&entries, ttl).await.unwrap();
    assert!(put.iter().all(|put| *put == Put::Stored));
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it never came true that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_stats(cache: &Cache, what: &str, is_so: impl Fn(&Stats) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stats = cache.stats().await.unwrap();
        if is_so(&stats) {
            return;
        }
        assert!(Instant::now() < deadline, "it never came true that {what}: {stats:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn health(manager: &Manager<Cache>) -> NamespaceHealth {
    manager.health().await.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_kept_and_what_has_expired_goes_by_itself() {
    let server = Server::redis().unwrap();
    let (cache, manager) = managed(&server, limited(100)).await;
    let mut removals = manager.removals();
    fill(&cache, 0..500, None).await;
    until_stats(&cache, "the limit is kept", |stats| stats.usage.entries == 100).await;
    let removal = removals.next().await.unwrap().unwrap();
    assert_eq!((removal.namespace.as_str(), removal.cause), ("users", RemovalCause::Evicted));

    fill(&cache, 1_000..1_050, Some(Duration::from_millis(100))).await;
    until_stats(&cache, "50 have expired", |stats| stats.expired.entries == 50).await;

    manager.reconfigure("users", &limited(10).build().unwrap()).await.unwrap();
    until_stats(&cache, "the lower limit is kept", |stats| stats.usage.entries == 10).await;
    let run = manager.run_now("users", PATIENCE).await.unwrap();
    assert!(run.is_done, "{run:?}");
    let report = manager.shutdown(PATIENCE).await;
    assert!(report.is_clean() && report.left.is_empty(), "{report:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_managers_one_stands_by_until_the_other_has_gone() {
    let server = Server::redis().unwrap();
    let (cache, first) = managed(&server, limited(100)).await;
    until("the first has it", async || health(&first).await.is_ready()).await;
    let steady = async |manager: &Manager<Cache>| {
        health(manager).await.partitions[0].standing == Standing::Steady
    };
    until("its books are true", async || steady(&first).await).await;
    let (_, second) = managed(&server, limited(100)).await;
    fill(&cache, 0..500, None).await;
    until_stats(&cache, "the limit is kept", |stats| stats.usage.entries == 100).await;
    assert!(!steady(&second).await, "there is one lease");
    assert!(health(&second).await.is_ready(), "somebody maintains it");
    let asked = second.run_now("users", Duration::from_millis(50)).await.unwrap();
    assert!(!asked.is_done && asked.records == 0, "{asked:?}");

    assert!(first.shutdown(PATIENCE).await.is_clean());
    until("the second has it", async || steady(&second).await).await;
    fill(&cache, 500..600, None).await;
    until_stats(&cache, "it keeps the limit", |stats| stats.evicted.entries == 500).await;
    second.shutdown(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_back_is_maintained_as_before() {
    let server = Server::redis().unwrap();
    let (cache, manager) = managed(&server, limited(100)).await;
    let mut events = manager.events();
    fill(&cache, 0..100, None).await;
    until_stats(&cache, "all are booked", |stats| stats.usage.entries == 100).await;
    server.kill().unwrap();
    until("it is found out", async || !health(&manager).await.is_ready()).await;
    let failing = health(&manager).await;
    assert!(failing.partitions[0].failure.is_some(), "{failing:?}");
    server.restart().unwrap();
    until("it works again", async || health(&manager).await.is_ready()).await;
    fill(&cache, 0..300, None).await;
    until("the limit is kept", async || {
        cache.stats().await.is_ok_and(|stats| stats.usage.entries == 100)
    })
    .await;
    manager.shutdown(PATIENCE).await;
    drop(manager);
    let (mut failures, mut recoveries) = (0, 0);
    while let Some(event) = events.next().await {
        match event.unwrap() {
            Event::Failing { .. } => failures += 1,
            Event::Recovered { .. } => recoveries += 1,
            _ => {}
        }
    }
    assert!(failures > 0 && failures == recoveries, "{failures} {recoveries}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_told_to_be_there_or_why_it_went() {
    let server = Server::redis().unwrap();
    let (_, manager) = managed(&server, limited(100)).await;
    let elsewhere = open(&server, limited(100)).await;
    let key = |number: u32| Key::new(format!("key{number}").as_bytes()).unwrap();
    let explain = async |number| manager.explain("users", &key(number)).await.unwrap().unwrap();
    let until_gone = async |number, cause| {
        until("the manager has found out", async || {
            let explanation = explain(number).await;
            let newest = explanation.removals.first();
            explanation.present.is_none() && newest.is_some_and(|gone| gone.cause == cause)
        })
        .await;
        let explanation = explain(number).await;
        assert_eq!(explanation.removals.len(), 1, "{explanation:?}");
        assert_eq!(
            explanation.removals[0].weight.bytes() as usize,
            key(number).as_bytes().len() + 5
        );
        assert_eq!(explanation.remembered.unwrap().one_in, 1);
    };
    // What was written before has no age that is known.
    assert!(manager.run_now("users", PATIENCE).await.unwrap().is_done);
    fill(&elsewhere, 0..1, None).await;
    until("it is booked", async || {
        explain(0).await.present.is_some_and(|info| info.weight.is_some() && info.age.is_some())
    })
    .await;
    fill(&elsewhere, 1..101, None).await;
    until_gone(0, RemovalCause::Evicted).await;
    fill(&elsewhere, 100..101, Some(Duration::from_millis(50))).await;
    until_gone(100, RemovalCause::Expired).await;
    assert_eq!(elsewhere.invalidate(&[key(99)]).await, Ok(1));
    until_gone(99, RemovalCause::Invalidated).await;
    // Deleted by a program that leaves no record; an overwrite makes the manager look.
    assert_eq!(server.command(&["DEL", "inval:{users:0}:k:key98"]).unwrap().int(), Some(1));
    let if_present = inval_core::PutOptions {
        condition: inval_core::PutCondition::IfPresent,
        ..inval_core::PutOptions::default()
    };
    assert_eq!(elsewhere.put(&key(98), "value".into(), if_present).await, Ok(Put::Unmet));
    until_gone(98, RemovalCause::Vanished).await;
    let there = explain(97).await;
    assert!(there.present.is_some() && there.removals.is_empty(), "{there:?}");
    manager.shutdown(PATIENCE).await;
}
