//! Walks of who does not manage the partition: by a scan of the server.

use std::time::Duration;

use inval_core::{Cursor, Lifetime, Store, Weighing};

use super::walker::{idle, idle_for, walk};
use crate::support::site::{Site, key, own_server, roomy};
use crate::support::values::{fill, fill_for, name, put};

const TTL: Duration = Duration::from_secs(600);

#[tokio::test]
async fn without_a_manager_the_server_is_scanned_and_weights_are_its_estimates() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    fill(&cache, 'a', 0..600, 10).await;
    fill_for(&cache, 'b', 0..400, 3_000, Some(TTL)).await;
    idle_for(&site, &name('a', 7), 2).await;
    let seen = walk(&cache).await;
    assert!(idle(&site, &name('a', 7)) >= 2, "the walk counted as an access");
    assert_eq!(seen.entries.len(), 1_000);
    assert!(seen.weighing.iter().all(|weighing| *weighing == Weighing::Estimated));
    assert!(seen.held > Duration::ZERO);
    for (letter, bytes) in [('a', 16), ('b', 3_006)] {
        let info = seen.entries[&key(&name(letter, 7))];
        let weight = info.weight.unwrap().bytes();
        assert!((bytes..bytes + 1_500).contains(&weight), "{letter}: {weight}");
        assert!(info.idle >= Some(Duration::from_secs(1)), "{info:?}");
        assert_eq!(info.age, None);
        assert_eq!(info.lifetime == Lifetime::Unlimited, letter == 'a');
    }
}

#[tokio::test]
async fn pages_are_small_although_there_are_many_other_keys() {
    let site = Site::shared(roomy());
    let (cache, other) = (site.open().await, Site::shared(roomy()).open().await);
    fill(&other, 'o', 0..2_000, 10).await;
    fill(&cache, 'k', 0..10, 10).await;
    let seen = walk(&cache).await;
    assert_eq!(seen.entries.len(), 10);
    assert!(seen.weighing.len() >= 2_000 / 200, "{} pages", seen.weighing.len());
}

#[tokio::test]
async fn who_may_not_ask_for_estimates_gets_none() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = site.open().await;
    put(&cache, "k", "value").await;
    site.foreign(&["ACL", "SETUSER", "default", "-memory|usage"]);
    let seen = walk(&cache).await;
    assert_eq!(seen.entries[&key("k")].weight, None);
    assert!(seen.entries[&key("k")].idle.is_some());
}

#[tokio::test]
async fn a_walk_begins_anew_at_another_server_process() {
    let site = Site::new(own_server(&["--save", "", "--appendonly", "yes"]), roomy());
    let cache = site.open().await;
    fill(&cache, 'k', 0..300, 10).await;
    let page = Store::page(&cache, 0, Cursor::START, 10).await.unwrap();
    let next = page.next.unwrap();
    site.server().kill().unwrap();
    site.server().restart().unwrap();
    let page = Store::page(&cache, 0, next, 10).await.unwrap();
    assert!(page.begins_anew);
    assert_eq!(walk(&cache).await.entries.len(), 300);
}
