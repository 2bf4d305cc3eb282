//! Programs that write where only inval should, and records that make no sense.

use std::time::Duration;

use bytes::Bytes;
use inval_core::{RemovalCause, Store};
use inval_redis::Error;
use inval_test_servers::Reply;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server, roomy};
use crate::support::values::{count, fill, get, name, names, put};

#[tokio::test]
async fn flushall_behind_our_back_leaves_empty_books() {
    let site = Site::new(own_server(&[]), limited(500));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..300, 10).await;
    exact(&client, &cache).await;
    assert!(site.foreign(&["FLUSHALL"]).is_ok());
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 0);
    fill(&cache, 'k', 0..600, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 500);
    manager.stop().await;
}

#[tokio::test]
async fn flushall_during_writes_leaves_exact_books() {
    let site = Site::new(own_server(&[]), limited(500));
    let (cache, client, other) = (site.open().await, site.client().await, site.open().await);
    let manager = manage(&cache);
    let writing = tokio::spawn(async move {
        for n in 0..100 {
            fill(&other, 'k', n * 10..n * 10 + 30, 10).await;
        }
    });
    for _ in 0..10 {
        assert!(site.foreign(&["FLUSHALL"]).is_ok());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    writing.await.unwrap();
    exact(&client, &cache).await;
    manager.stop().await;
}

#[tokio::test]
async fn what_a_stranger_did_to_values_is_found_and_put_right() {
    let site = Site::shared(limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..50, 10).await;
    exact(&client, &cache).await;
    let of = |command: &str, n, args: &[&str]| site.foreign_of(command, &name('k', n), args);
    of("DEL", 0, &[]);
    of("PEXPIRE", 1, &["1"]);
    of("DEL", 2, &[]);
    of("RPUSH", 2, &["not", "a", "string"]);
    of("SET", 60, &["never told of"]);
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 48, "three are gone, one is new");
    assert!(stats.removed(RemovalCause::Vanished).entries >= 2);
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 0);
    assert!(cache.accounts(0).await.unwrap().stats.repaired >= 3);
    assert_eq!(cache.get(&key(&name('k', 2))).await, Err(Error::WrongType));
    put(&cache, &name('k', 2), "a string again").await;
    assert_eq!(get(&cache, &name('k', 2)).await.as_deref(), Some("a string again"));
    assert_eq!(exact(&client, &cache).await.usage.entries, 49);
    manager.stop().await;
}

/// An overwrite that nobody told of is found when the entry is looked at for another reason, at the
/// latest by the next manager.
#[tokio::test]
async fn a_strangers_overwrite_is_booked_as_it_is_by_the_next_manager() {
    let site = Site::shared(limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..50, 10).await;
    exact(&client, &cache).await;
    site.foreign_of("APPEND", &name('k', 3), &["and much more"]);
    site.foreign_of("SET", &name('k', 4), &["short", "PX", "60000"]);
    manager.stop().await;
    let next = site.open().await;
    let manager = manage(&next);
    let stats = exact(&client, &next).await;
    assert_eq!(stats.usage.entries, 50);
    assert_eq!(stats.usage.bytes, 48 * 16 + 29 + 11);
    manager.stop().await;
}

/// The documented way for a program that does not know what its command did.
#[tokio::test]
async fn a_record_that_asks_to_look_is_enough() {
    let site = Site::shared(limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..10, 10).await;
    for (n, command, args) in [
        (0, "APPEND", &["and more"][..]),
        (1, "GETDEL", &[]),
        (2, "PEXPIRE", &["60000"]),
        (20, "INCR", &[]),
    ] {
        site.foreign_of(command, &name('k', n), args);
        let record = format!("1l {}", name('k', n));
        site.foreign(&["RPUSH", site.names().journal(), &record]);
    }
    let stats = exact(&client, &cache).await;
    assert_eq!((stats.usage.entries, stats.usage.bytes), (10, 9 * 16 + 8 + 7));
    manager.stop().await;
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_counted_and_what_it_meant_is_found() {
    let long = [&b"1d "[..], &vec![b'k'; 70_000]].concat();
    let poison: [&[u8]; 8] =
        [b"", b"1", b"garbage", b"2p 5 - k", b"1p 5", b"1p x - k", b"1p 99999999999 - k", &long];
    let site = Site::shared(roomy());
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..300, 10).await;
    exact(&client, &cache).await;
    for (n, record) in poison.iter().enumerate() {
        // What the record should have told.
        site.foreign_of("SET", &name('p', n as u32), &["value"]);
        site.foreign_of("DEL", &name('k', n as u32), &[]);
        site.foreign(&[b"RPUSH", site.names().journal().as_bytes(), record]);
    }
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 300);
    assert_eq!(cache.accounts(0).await.unwrap().stats.poisoned, 8);
    assert_eq!(count(&cache, &names('p', 0..8)).await, 8, "none is deleted on doubt");
    manager.stop().await;
}

/// Each of our names held by another type: an error, and all is well once the stranger is gone.
#[tokio::test]
async fn a_stranger_under_a_name_of_ours_is_told_by_an_error() {
    let site = Site::shared(limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let names = site.names();
    for place in [names.journal(), names.accounts(), names.lease()] {
        let manager = manage(&site.open().await);
        fill(&cache, 'k', 0..10, 10).await;
        exact(&client, &cache).await;
        site.foreign(&["DEL", place]);
        site.foreign(&["SADD", place, "stranger"]);
        until(&format!("{place} is noticed"), async || {
            site.foreign(&["TYPE", place]).text() != Some("set") || !manager.errors().is_empty()
        })
        .await;
        assert!(
            manager.errors().iter().all(|error| error == "WrongType"),
            "{:?}",
            manager.errors()
        );
        site.foreign(&["DEL", place]);
        exact(&client, &cache).await;
        manager.stop().await;
    }
    let written = cache.put(&key("k"), Bytes::from_static(b"v"), Default::default()).await;
    assert!(written.is_ok());
    assert_eq!(site.foreign(&["TYPE", names.journal()]).text(), Some("list"));
    assert_eq!(site.foreign_of("GET", "k", &[]), Reply::Bulk(b"v".to_vec()));
}
