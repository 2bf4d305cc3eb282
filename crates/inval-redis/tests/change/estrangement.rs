//! What a manager cannot keep to: it says so, and evicts nothing until it is put right.

use std::time::Duration;

use inval_core::keyspace::Keyspace;
use inval_core::{Budget, Store};
use inval_redis::{Cache, Error, Estrangement};

use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::{find, until};
use crate::support::site::{Site, limited};
use crate::support::values::{count, fill, names};

const ROOM: u32 = 50;

async fn slice(cache: &Cache) -> Result<inval_core::Slice, Error> {
    cache.maintain(0, Budget::within(Duration::from_millis(10))).await
}

/// With another text on the server, what is written beyond the limit stays, and goes once it is put right.
async fn check(from: &str, to: &str, want: Estrangement) {
    let site = Site::shared(limited(ROOM.into()));
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..ROOM, 10).await;
    maintain(&cache).await;
    let text = site.config_text().unwrap();
    site.set_config_text(&text.replace(from, to));
    let error = find("the manager notices", async || slice(&cache).await.err()).await;
    assert_eq!(error, Error::Estranged(want));
    assert!(!error.is_retryable());

    fill(&cache, 'l', 0..30, 10).await;
    for _ in 0..20 {
        assert_eq!(slice(&cache).await, Err(Error::Estranged(want)));
    }
    let [before, since] =
        [count(&cache, &names('k', 0..ROOM)).await, count(&cache, &names('l', 0..30)).await];
    assert_eq!((before, since), (ROOM as usize, 30), "nothing is evicted");

    site.set_config_text(&text);
    let manager = manage(&cache);
    assert_eq!(exact(&client, &cache).await.usage.entries, ROOM.into());
    manager.stop().await;
}

#[tokio::test]
async fn by_an_unknown_strategy_nothing_is_evicted() {
    check("strategy=s3-fifo", "strategy=arc", Estrangement::Fixed { field: "strategy" }).await;
}

#[tokio::test]
async fn by_another_number_of_partitions_nothing_is_evicted() {
    check("partitions=1", "partitions=2", Estrangement::Fixed { field: "partitions" }).await;
}

#[tokio::test]
async fn by_what_cannot_be_read_nothing_is_evicted() {
    check("max_entries=50", "max_entries=0", Estrangement::Unreadable).await;
    check("max_entries=50", "max_entries", Estrangement::Unreadable).await;
}

#[tokio::test]
async fn by_another_version_nothing_is_evicted() {
    check("1 strategy", "3 strategy", Estrangement::UnknownVersion(3)).await;
}

#[tokio::test]
async fn by_something_else_under_its_name_nothing_is_evicted() {
    let site = Site::shared(limited(ROOM.into()));
    let (cache, name) = (site.open().await, Keyspace::config(&site.namespace));
    site.foreign(&["DEL", &name]);
    site.foreign(&["RPUSH", &name, "no string"]);
    let error = find("the manager notices", async || slice(&cache).await.err()).await;
    assert_eq!(error, Error::Estranged(Estrangement::Unreadable));
    // Deleted, it is written anew.
    site.foreign(&["DEL", &name]);
    slice(&cache).await.unwrap();
    assert!(site.config_text().unwrap().contains("max_entries=50 "));
}

#[tokio::test]
async fn all_partitions_stop_and_operations_go_on() {
    let site = Site::shared(limited(90)).with(|options| options.partitions = 3);
    let cache = site.open().await;
    let text = site.config_text().unwrap();
    site.set_config_text(&text.replace("s3-fifo", "arc"));
    let manager = manage(&cache);
    until("the manager notices", async || !manager.errors().is_empty()).await;
    fill(&cache, 'k', 0..200, 10).await;
    assert_eq!(count(&cache, &names('k', 0..200)).await, 200);
    for partition in 0..3 {
        let slice = cache.maintain(partition, Budget::within(Duration::from_millis(1))).await;
        assert_eq!(slice, Err(Error::Estranged(Estrangement::Fixed { field: "strategy" })));
    }
    drop(manager);
}
