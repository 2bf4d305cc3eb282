//! Walks of who manages the partition: over its books.

use std::time::Duration;

use inval_core::{Cursor, Lifetime, Store, Weighing, Weight};
use inval_redis::Cache;

use super::walker::{SIZE, booked, idle, idle_for, managed, walk};
use crate::support::managers::{Manager, manage};
use crate::support::patience::until;
use crate::support::site::{Site, key, own_server, roomy};
use crate::support::values::{fill, fill_for, get, name, put};

const TTL: Duration = Duration::from_secs(600);

/// A cache of the site, and a manager that has its books.
async fn kept(site: &Site) -> (Cache, Manager) {
    let cache = site.open().await;
    let manager = manage(&cache);
    managed(&cache).await;
    (cache, manager)
}

#[tokio::test]
async fn a_manager_tells_of_every_entry_and_leaves_no_trace() {
    let site = Site::shared(roomy());
    let (cache, manager) = kept(&site).await;
    put(&cache, "first", "value").await;
    // What is written in the very moment in which the books are made has no age.
    idle_for(&site, "first", 1).await;
    fill(&cache, 'a', 0..600, 10).await;
    fill_for(&cache, 'b', 0..400, 30, Some(TTL)).await;
    booked(&cache, 1_001).await;
    idle_for(&site, &name('a', 7), 2).await;
    assert!(get(&cache, &name('a', 8)).await.is_some());
    let seen = walk(&cache).await;
    assert!(idle(&site, &name('a', 7)) >= 2, "the walk counted as an access");
    manager.stop().await;

    assert_eq!((seen.count, seen.entries.len()), (1_001, 1_001), "each exactly once");
    assert!(seen.weighing.iter().all(|weighing| *weighing == Weighing::Charged));
    assert!(seen.weighing.len() >= 1_000 / SIZE as usize, "{} pages", seen.weighing.len());
    assert!(seen.held > Duration::ZERO);
    let lasting = seen.entries[&key(&name('a', 7))];
    assert_eq!((lasting.weight, lasting.lifetime), (Some(Weight::new(16)), Lifetime::Unlimited));
    assert!(lasting.idle >= Some(Duration::from_secs(2)), "{lasting:?}");
    assert!(lasting.age >= Some(Duration::from_secs(1)), "{lasting:?}");
    let passing = seen.entries[&key(&name('b', 7))];
    assert_eq!(passing.weight, Some(Weight::new(36)));
    let Lifetime::Remaining(left) = passing.lifetime else { panic!("{passing:?}") };
    assert!(left < TTL && left > TTL / 2, "{left:?}");
    let read = seen.entries[&key(&name('a', 8))];
    assert!(read.idle < lasting.idle && read.age >= Some(Duration::from_secs(1)), "{read:?}");
}

#[tokio::test]
async fn ages_are_told_of_what_was_written_since_the_books_were_made() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    fill(&cache, 'o', 0..20, 10).await;
    // What is told by the journal has an age, so the books are made from the server alone.
    site.foreign(&["DEL", site.names().journal()]);
    let manager = manage(&cache);
    managed(&cache).await;
    idle_for(&site, &name('o', 0), 1).await;
    fill(&cache, 'n', 0..20, 10).await;
    booked(&cache, 40).await;
    let seen = walk(&cache).await;
    manager.stop().await;
    for (key, info) in &seen.entries {
        let is_new = key.as_bytes().starts_with(b"n");
        assert_eq!(info.age.is_some(), is_new, "{info:?}");
    }
    assert_eq!(seen.entries.len(), 40);
}

#[tokio::test]
async fn what_has_gone_unnoticed_is_not_shown() {
    let site = Site::shared(roomy()).with(|options| {
        options.engine.scrub_interval = Duration::from_secs(1_000);
    });
    let (cache, manager) = kept(&site).await;
    fill(&cache, 'k', 0..20, 10).await;
    booked(&cache, 20).await;
    site.foreign_of("DEL", &name('k', 3), &[]);
    let seen = walk(&cache).await;
    assert_eq!(cache.usage().await.unwrap().entries, 20, "nobody has noticed");
    assert_eq!(seen.entries.len(), 19);
    assert!(!seen.entries.contains_key(&key(&name('k', 3))));
    manager.stop().await;
}

#[tokio::test]
async fn a_walk_begins_anew_when_the_books_are_given_up() {
    let site = Site::shared(roomy());
    let (cache, manager) = kept(&site).await;
    fill(&cache, 'k', 0..100, 10).await;
    booked(&cache, 100).await;
    let page = Store::page(&cache, 0, Cursor::START, 10).await.unwrap();
    assert_eq!((page.entries.len(), page.begins_anew), (10, false));
    manager.stop().await;
    let mut next = page.next;
    let mut seen = std::collections::BTreeSet::new();
    let mut has_begun_anew = Vec::new();
    while let Some(cursor) = next {
        let page = Store::page(&cache, 0, cursor, 10).await.unwrap();
        has_begun_anew.push(page.begins_anew);
        seen.extend(page.entries.into_iter().map(|(key, _)| key));
        next = page.next;
    }
    assert_eq!(seen.len(), 100, "all of them, those of the first page among them");
    assert_eq!(has_begun_anew.iter().filter(|anew| **anew).count(), 1);
    assert!(has_begun_anew[0]);
}

#[tokio::test]
async fn a_walk_begins_anew_when_the_books_were_made_anew() {
    let site = Site::shared(roomy());
    let (cache, manager) = kept(&site).await;
    fill(&cache, 'k', 0..100, 10).await;
    booked(&cache, 100).await;
    let cursor = Store::page(&cache, 0, Cursor::START, 10).await.unwrap().next.unwrap();
    let page = Store::page(&cache, 0, cursor, 10).await.unwrap();
    assert!(!page.begins_anew);
    // As if writers had dropped a journal.
    site.foreign(&["HINCRBY", site.names().accounts(), "generation", "1"]);
    let is_anew = async || {
        let page = Store::page(&cache, 0, cursor, 10).await.unwrap();
        page.weighing == Weighing::Charged && page.begins_anew
    };
    until("the books are others", is_anew).await;
    manager.stop().await;
}

#[tokio::test]
async fn under_an_lfu_policy_there_are_no_idle_times() {
    let args = ["--maxmemory-policy", "volatile-lfu", "--maxmemory", "200mb"];
    let site = Site::new(own_server(&args), roomy());
    let (cache, other) = (site.open().await, site.open().await);
    let manager = manage(&cache);
    put(&cache, "k", "value").await;
    booked(&cache, 1).await;
    for (client, weighing) in [(&cache, Weighing::Charged), (&other, Weighing::Estimated)] {
        let seen = walk(client).await;
        assert_eq!(seen.entries.len(), 1);
        assert_eq!(seen.entries[&key("k")].idle, None);
        assert!(seen.weighing.contains(&weighing));
    }
    manager.stop().await;
}
