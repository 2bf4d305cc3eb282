//! A server that is short of memory, or makes room itself.

use std::time::Duration;

use bytes::Bytes;
use inval_core::{RemovalCause, Store, Strategy};
use inval_redis::{Cache, Error};
use inval_test_servers::Reply;

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server, roomy};
use crate::support::values::{count, fill, get, names, put};

const NO_ROOM: [&str; 4] = ["CONFIG", "SET", "maxmemory", "1"];
const ROOM: [&str; 4] = ["CONFIG", "SET", "maxmemory", "0"];

#[tokio::test]
async fn without_memory_writes_fail_and_all_else_goes_on() {
    let site = Site::new(own_server(&[]), limited(60));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..50, 10).await;
    exact(&client, &cache).await;
    site.foreign(&NO_ROOM);
    let written = cache.put(&key("k00000"), Bytes::from_static(b"new"), Default::default()).await;
    assert_eq!(written, Err(Error::OutOfMemory));
    assert_eq!(get(&cache, "k00000").await, Some("v".repeat(10)), "the older value stays");
    assert_eq!(cache.invalidate(&[key("k00001"), key("none")]).await, Ok(1), "this frees memory");
    assert_eq!(get(&cache, "k00001").await, None);
    assert_eq!(count(&cache, &names('k', 0..50)).await, 49);
    site.foreign(&ROOM);
    put(&cache, "n", "value").await;
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 50);
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 0);
    manager.stop().await;
}

/// Otherwise a server that is full for want of a manager would stay full for ever.
#[tokio::test]
async fn without_memory_a_manager_can_take_over_and_evict() {
    let site = Site::new(own_server(&[]), limited(50));
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..200, 10).await;
    site.foreign(&NO_ROOM);
    let manager = manage(&site.open().await);
    until("it has evicted", async || site.foreign(&["DBSIZE"]).int().unwrap() < 60).await;
    exact(&client, &cache).await;
    cache.clear().await.unwrap();
    assert_eq!(count(&cache, &names('k', 0..200)).await, 0);
    site.foreign(&ROOM);
    assert_eq!(exact(&client, &cache).await.usage.entries, 0);
    manager.stop().await;
}

#[tokio::test]
async fn a_server_that_evicts_by_itself_may_take_anything_of_ours() {
    let site = Site::new(own_server(&["--maxmemory-policy", "allkeys-random"]), roomy());
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..3000, 100).await;
    exact(&client, &cache).await;
    for round in 0..4 {
        let used: u64 = site.server().info("memory").unwrap()["used_memory"].parse().unwrap();
        site.foreign(&["CONFIG", "SET", "maxmemory", &(used - 100_000).to_string()]);
        fill(&cache, 'l', round * 500..round * 500 + 500, 100).await;
    }
    site.foreign(&ROOM);
    let evicted: u64 = site.server().info("stats").unwrap()["evicted_keys"].parse().unwrap();
    assert!(evicted > 500, "{evicted}");
    exact(&client, &cache).await;
    manager.stop().await;
}

/// Whatever the server takes of what we keep besides the values, the books are exact again.
#[tokio::test]
async fn any_name_of_ours_may_be_evicted() {
    let site = Site::new(own_server(&[]), limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    let names = site.names();
    let config = format!("inval:{{{}}}:config", site.namespace);
    for victim in [names.journal(), names.accounts(), names.lease(), names.accesses(), &config] {
        for round in 0..5 {
            fill(&cache, 'k', round * 50..round * 50 + 50, 10).await;
            site.foreign(&["UNLINK", victim]);
        }
        let stats = exact(&client, &cache).await;
        assert!(stats.usage.entries <= 100, "{victim}");
        assert!(stats.usage.entries >= 50, "{victim}: {stats:?}");
    }
    manager.stop().await;
}

#[tokio::test]
async fn where_the_server_counts_reads_its_counters_say_what_is_cold() {
    let lfu = own_server(&COUNTS_READS);
    let site = unscrubbed(Site::new(lfu, limited(10).strategy(Strategy::Lru)));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    let read = read_some_of_ten(&site, &cache).await;
    fill(&cache, 'n', 0..3, 10).await;
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 13);
    assert_eq!(count(&cache, &read).await, 3, "they were read");
    manager.stop().await;
}

/// For a server that counts reads. Its counters do not fall with each minute of the clock.
pub(crate) const COUNTS_READS: [&str; 4] =
    ["--maxmemory-policy", "allkeys-lfu", "--lfu-decay-time", "0"];

/// With a manager that looks at nothing by itself: each look may raise a counter.
pub(crate) fn unscrubbed(site: Site) -> Site {
    site.with(|options| options.engine.scrub_interval = Duration::from_secs(3600))
}

/// Lets the manager learn what the server counts, by evicting ten entries of twenty. Of those that are
/// left it reads three until their counters have risen, which takes luck, and names them.
pub(crate) async fn read_some_of_ten(site: &Site, cache: &Cache) -> Vec<String> {
    let names_of = site.names();
    let has_books = ["HEXISTS", names_of.accounts(), "entries"];
    until("it manages", async || site.foreign(&has_books) == Reply::Int(1)).await;
    fill(cache, 'k', 0..20, 10).await;
    until("it has evicted", async || cache.usage().await.unwrap().entries == 10).await;
    let left = names('k', 0..20).into_iter().filter(|name| site.has(name));
    let read: Vec<_> = left.take(3).collect();
    for name in &read {
        let entry = site.entry(name);
        let counter = || site.foreign(&[b"OBJECT", &b"FREQ"[..], &entry]).int().unwrap();
        let before = counter();
        while counter() <= before {
            assert!(matches!(site.foreign_of("GET", name, &[]), Reply::Bulk(_)));
        }
    }
    read
}

/// The counters and the idle times are told by different commands, and neither means anything for the
/// other.
#[tokio::test]
async fn a_change_of_the_servers_policy_while_managing_is_followed() {
    let site = Site::new(own_server(&[]), limited(20));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    let mut first = 0;
    for policy in ["allkeys-lfu", "noeviction", "volatile-lfu", "volatile-lru"] {
        site.foreign(&["CONFIG", "SET", "maxmemory-policy", policy]);
        fill(&cache, 'k', first..first + 40, 10).await;
        first += 40;
        assert_eq!(exact(&client, &cache).await.usage.entries, 20, "{policy}");
    }
    manager.stop().await;
}
