//! A manager is called when writers fill the journal, once each time.

use std::future::{pending, ready};
use std::time::Duration;

use inval_core::keyspace::partition_of;
use inval_core::{Budget, Store};
use inval_redis::Cache;

use crate::support::managers::maintain;
use crate::support::site::{Site, key, roomy};
use crate::support::values::{fill, name, put};

/// The partition that a manager is called to, if one is.
async fn called(cache: &Cache) -> Option<u32> {
    tokio::select! {
        biased;
        partition = cache.pressed() => Some(partition),
        () = ready(()) => None,
    }
}

#[tokio::test]
async fn a_long_journal_calls_for_a_manager_once() {
    let site = Site::shared(roomy()).with(|options| options.journal_cap = 800);
    let cache = site.open().await;
    fill(&cache, 'k', 0..99, 10).await;
    assert_eq!(called(&cache).await, None, "an eighth of the cap is not reached");
    put(&cache, "k", "value").await;
    assert_eq!(called(&cache).await, Some(0));
    fill(&cache, 'k', 0..50, 10).await;
    assert_eq!(called(&cache).await, None, "that was told");
    maintain(&cache).await;
    // In one transaction, so that no write has seen a short journal in between.
    fill(&cache, 'k', 0..120, 10).await;
    assert_eq!(called(&cache).await, Some(0));
}

#[tokio::test]
async fn a_manager_that_leaves_the_journal_long_is_not_called_again() {
    let site = Site::shared(roomy()).with(|options| {
        options.journal_cap = 800;
        options.engine.drain_batch = 20;
    });
    let cache = site.open().await;
    fill(&cache, 'k', 0..300, 10).await;
    assert_eq!(called(&cache).await, Some(0));
    let little = Budget { entries: 1, ..Budget::within(Duration::from_secs(1)) };
    let backlog = cache.maintain(0, little).await.unwrap().backlog;
    assert!(backlog >= 100, "{backlog} records are left");
    put(&cache, "k", "value").await;
    assert_eq!(called(&cache).await, None, "it knows that there is more");
}

#[tokio::test]
async fn whoever_waits_is_woken_and_told_the_partition() {
    let site = Site::shared(roomy()).with(|options| {
        options.partitions = 3;
        options.journal_cap = 80;
    });
    let cache = site.open().await;
    let of_partition = |wanted| {
        let names = (0..).map(|n| name('k', n)).filter(move |n| partition_of(&key(n), 3) == wanted);
        names.take(10).collect::<Vec<_>>()
    };
    for wanted in [2, 0, 1] {
        let waiting = tokio::spawn({
            let cache = cache.clone();
            async move { cache.pressed().await }
        });
        // Dropped while it waits: no call is lost by that.
        tokio::select! {
            biased;
            _ = cache.pressed() => panic!("nobody has written"),
            () = tokio::task::yield_now() => {}
        }
        for name in of_partition(wanted) {
            put(&cache, &name, "value").await;
        }
        assert_eq!(waiting.await.unwrap(), wanted);
    }
}

#[tokio::test]
async fn two_partitions_that_call_at_once_are_both_heard() {
    let site = Site::shared(roomy()).with(|options| {
        options.partitions = 2;
        options.journal_cap = 80;
    });
    let cache = site.open().await;
    fill(&cache, 'k', 0..100, 10).await;
    let mut heard = [cache.pressed().await, cache.pressed().await];
    heard.sort_unstable();
    assert_eq!((heard, called(&cache).await), ([0, 1], None));
}

#[tokio::test]
async fn writers_who_wait_for_room_call_for_a_manager() {
    let site = Site::shared(crate::support::site::limited(1_000)).with(|options| {
        options.engine.headroom = 0.1;
    });
    let cache = site.open().await;
    let (writer, manager) = (cache.clone(), cache.clone());
    // Nobody manages but when called, and the writers do not fail for want of room.
    let managing = async {
        loop {
            let partition = manager.pressed().await;
            let urgent = Budget { is_urgent: true, ..Budget::within(Duration::from_millis(50)) };
            while manager.maintain(partition, urgent).await.unwrap().backlog > 0 {}
        }
    };
    let writing = async {
        for n in 0..3_000 {
            put(&writer, &name('k', n), "value").await;
        }
    };
    tokio::select! {
        () = writing => {}
        () = managing => pending().await,
    }
}
