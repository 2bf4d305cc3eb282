//! Promises 4 and 6: what a policy may delete, and that an error deletes nothing.

use bytes::Bytes;
use inval_core::{Budget, RemovalCause, Slice, Store, Strategy};
use inval_redis::Error;
use inval_test_servers::{Options, Reply, Server};

use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server};
use crate::support::values::{count, fill, get, name, names, put};

#[tokio::test]
async fn promise_4_a_policy_deletes_only_what_is_still_cold_at_that_instant() {
    // A new manager would look at everything first, and see what was read.
    let site = Site::shared(limited(10).strategy(Strategy::Lru)).with(|options| {
        options.engine.lease = std::time::Duration::from_secs(60);
    });
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..10, 10).await;
    maintain(&cache).await;
    // The idle clock shows whole seconds, so a read in the second after the last known one may go unseen.
    until("they are cold", async || idle_seconds(&site, &name('k', 9)) >= 3).await;
    // Read by a program that does not know of us: no record, no touch tells of it.
    for n in 0..3 {
        assert!(matches!(site.foreign_of("GET", &name('k', n), &[]), Reply::Bulk(_)));
    }
    fill(&cache, 'n', 0..3, 10).await;
    let manager = manage(&cache);
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 3);
    // The manager reports only after the accounts are written.
    until("what was read was spared", async || manager.done().spared == 3).await;
    assert_eq!(count(&cache, &names('k', 0..3)).await, 3, "what was read stays");
    assert_eq!(count(&cache, &names('k', 3..6)).await, 0, "what comes next goes instead");
}

#[tokio::test]
async fn promise_4_a_new_manager_learns_from_the_server_what_was_read() {
    let site = Site::shared(limited(10).strategy(Strategy::Lru));
    let (old, new, client) = (site.open().await, site.open().await, site.client().await);
    fill(&old, 'k', 0..10, 10).await;
    maintain(&old).await;
    until("they are cold", async || idle_seconds(&site, &name('k', 9)) >= 2).await;
    for n in 0..3 {
        assert!(matches!(site.foreign_of("GET", &name('k', n), &[]), Reply::Bulk(_)));
    }
    old.release().await.unwrap();
    maintain(&new).await;
    fill(&old, 'n', 0..3, 10).await;
    let manager = manage(&new);
    exact(&client, &new).await;
    assert_eq!(count(&new, &names('k', 0..3)).await, 3, "what was read stays");
    assert_eq!(count(&new, &names('k', 3..10)).await, 4);
    manager.stop().await;
}

fn idle_seconds(site: &Site, name: &str) -> i64 {
    let entry = site.entry(name);
    site.foreign(&[b"OBJECT", &b"IDLETIME"[..], &entry]).int().unwrap()
}

#[tokio::test]
async fn promise_4_a_policy_deletes_only_while_its_lease_holds() {
    let site = Site::shared(limited(10));
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..10, 10).await;
    maintain(&cache).await;
    let (before, waiting) = (cache.accounts(0).await.unwrap(), site.journal_len());
    // As if this manager had slept through the end of its lease.
    site.foreign(&["SET", site.names().lease(), "99:another", "PX", "60000"]);
    fill(&cache, 'n', 0..10, 10).await;
    for _ in 0..20 {
        assert_eq!(maintain(&cache).await.evicted, 0);
    }
    let all = [names('k', 0..10), names('n', 0..10)].concat();
    assert_eq!(count(&cache, &all).await, 20);
    assert_eq!(cache.accounts(0).await.unwrap().stats.usage, before.stats.usage);
    assert_eq!(site.journal_len(), waiting + 10);

    site.foreign(&["DEL", site.names().lease()]);
    let _manager = manage(&cache);
    assert_eq!(exact(&client, &cache).await.usage.entries, 10);
}

#[tokio::test]
async fn promise_6_an_error_deletes_nothing_and_what_was_to_be_done_is_done_later() {
    let server = Server::start(Options::redis().user("app on >pw ~* +@all")).unwrap();
    let mut site = Site::new(server.into(), limited(10));
    site.url = site.url.replace("redis://", "redis://app:pw@");
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..10, 10).await;
    maintain(&cache).await;
    fill(&cache, 'n', 0..10, 10).await;
    for right in ["unlink", "object", "hset", "evalsha"] {
        site.foreign(&["ACL", "SETUSER", "app", &format!("-{right}")]);
        until("it fails", async || !works(&cache).await).await;
        for _ in 0..5 {
            works(&cache).await;
        }
        let all = [names('k', 0..10), names('n', 0..10)].concat();
        assert_eq!(count(&cache, &all).await, 20, "without {right}");
        site.foreign(&["ACL", "SETUSER", "app", &format!("+{right}")]);
    }
    let _manager = manage(&cache);
    let stats = exact(&client, &cache).await;
    assert_eq!((stats.usage.entries, stats.removed(RemovalCause::Evicted).entries), (10, 10));
}

/// Whether upkeep succeeds, or fails as it should for lack of a right.
async fn works(cache: &inval_redis::Cache) -> bool {
    let slice = cache.maintain(0, Budget::within(std::time::Duration::ZERO)).await;
    tokio::time::sleep(std::time::Duration::from_millis(11)).await;
    match slice {
        Ok(Slice { evicted, .. }) => {
            assert_eq!(evicted, 0);
            true
        }
        Err(error) => {
            assert!(matches!(error, Error::Permission | Error::Rejected(_)), "{error:?}");
            false
        }
    }
}

#[tokio::test]
async fn promise_6_a_write_that_fails_leaves_the_older_value() {
    let site = Site::new(own_server(&[]), limited(10));
    let cache = site.open().await;
    put(&cache, "k", "old").await;
    site.foreign(&["CONFIG", "SET", "maxmemory", "1"]);
    let written = cache.put(&key("k"), Bytes::from_static(b"new"), Default::default()).await;
    assert_eq!(written, Err(Error::OutOfMemory));
    let many = cache.put_many(&[(key("k"), Bytes::from_static(b"new"))], None).await;
    assert_eq!(many, Err(Error::OutOfMemory));
    assert_eq!(get(&cache, "k").await.as_deref(), Some("old"));
    assert_eq!(site.journal_len(), 1);
}
