//! The rights that are added in a Cluster and behind sentinels are enough there.

use std::time::Duration;

use inval_core::keyspace::{Keyspace, crc16};
use inval_core::{Budget, Put, PutOptions, Store};
use inval_redis::acl::{Deployment, Layout, Role, Rules};
use inval_redis::{Cache, CacheOptions, Client, namespaces};
use inval_test_servers::{Cluster, Sentinel, Server};

use super::users::{NAMESPACE, denials, layout, set_user};
use crate::support::patience::until;
use crate::support::site::{hasty, key, limited, patient};

#[tokio::test]
async fn in_a_cluster_whose_slots_move() {
    let cluster = Cluster::start(2, 0).unwrap();
    let layout = Layout { partitions: 3, deployment: Deployment::Cluster, ..layout() };
    let cache =
        open("redis+cluster", &cluster.node(0).address().to_string(), cluster.nodes(), layout)
            .await;
    let lease = Keyspace::new(&NAMESPACE.parse().unwrap(), 0);
    let slot = crc16(tag_of(lease.lease())) % 16_384;
    let from = cluster.owner(slot).unwrap();
    cluster.open_slot(slot, from, 1 - from).unwrap();
    // What is not there any more is asked for where it goes to.
    cluster.move_keys(slot, from, 1 - from).unwrap();
    cache.get(&key("none")).await.unwrap();
    for n in 0..20 {
        cache.get(&key(&n.to_string())).await.unwrap();
    }
    cluster.settle_slot(slot, 1 - from).unwrap();
    use_all(&cache).await;
    for node in cluster.nodes() {
        assert_eq!(denials(node), [""; 0]);
    }
}

#[tokio::test]
async fn behind_sentinels() {
    let sentinel = Sentinel::start(1, 1).unwrap();
    let layout = Layout { deployment: Deployment::Sentinel, db: 2, ..layout() };
    let rest = format!("{}/{}/2", sentinel.sentinels()[0].address(), sentinel.master_name());
    let cache = open("redis+sentinel", &rest, sentinel.nodes(), layout).await;
    use_all(&cache).await;
    for node in sentinel.nodes() {
        assert_eq!(denials(node), [""; 0]);
    }
}

/// A namespace, opened by an administrator of it.
async fn open(scheme: &str, rest: &str, servers: &[Server], layout: Layout) -> Cache {
    let options =
        CacheOptions { partitions: layout.partitions, engine: hasty(), ..CacheOptions::default() };
    let rules = Rules::new(Role::Admin, layout);
    servers.iter().for_each(|server| set_user(server, Role::Admin, &rules));
    let target = format!("{scheme}://admin:password@{rest}").parse().unwrap();
    let client = Client::connect(&target, patient()).await.unwrap();
    assert!(namespaces(&client).await.unwrap().is_empty());
    let config = limited(9).build().unwrap();
    let cache =
        Cache::open(client.clone(), NAMESPACE.parse().unwrap(), config, options).await.unwrap();
    assert_eq!(namespaces(&client).await.unwrap().len(), 1);
    cache
}

async fn use_all(cache: &Cache) {
    for n in 0..20 {
        let stored = cache.put(&key(&n.to_string()), "value".into(), PutOptions::default()).await;
        assert_eq!(stored.unwrap(), Put::Stored);
    }
    until("all is within the limit", async || {
        for partition in 0..Store::partitions(cache) {
            cache.maintain(partition, Budget::within(Duration::from_millis(5))).await.unwrap();
        }
        cache.usage().await.unwrap().entries <= 9
            && cache.stats().await.unwrap().evicted.entries >= 11
    })
    .await;
    cache.clear().await.unwrap();
    cache.reconfigure(&limited(12).build().unwrap()).await.unwrap();
    cache.destroy().await.unwrap();
}

/// What stands between the braces.
fn tag_of(name: &str) -> &[u8] {
    name.split(['{', '}']).nth(1).unwrap().as_bytes()
}
