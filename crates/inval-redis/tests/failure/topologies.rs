//! Clusters whose slots move and whose masters die, and a failover by sentinels.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use inval_core::Store;
use inval_core::keyspace::Keyspace;
use inval_redis::Cache;
use inval_test_servers::{Cluster, Sentinel};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited};
use crate::support::values::{count, fill, names};

const PARTITIONS: u32 = 6;

#[tokio::test]
async fn in_a_cluster_slots_move_and_masters_die_under_a_manager() {
    let cluster = Cluster::start(3, 3).unwrap();
    let site = Site::at(cluster_url(&cluster), limited(600)).with(|options| {
        options.partitions = PARTITIONS;
    });
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..900, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 600);

    let slots: Vec<u16> = (0..PARTITIONS).map(|number| slot_of(&cluster, &site, number)).collect();
    let owners: Vec<usize> = slots.iter().map(|slot| cluster.owner(*slot).unwrap()).collect();
    assert!((0..3).all(|node| owners.contains(&node)), "no partition on some node: {owners:?}");

    let writing = Writing::begin(site.open().await);
    for partition in [0, 1] {
        let (slot, from) = (slots[partition], owners[partition]);
        writing.goes_on().await;
        cluster.migrate_slot(slot, from, (from + 1) % 3).unwrap();
        writing.goes_on().await;
    }
    writing.end().await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 600);

    let writing = Writing::begin(site.open().await);
    writing.goes_on().await;
    cluster.kill(owners[2]).unwrap();
    until("a replica serves its slots", async || writing_works(&cache).await).await;
    writing.end().await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 600);
    manager.stop().await;
}

fn cluster_url(cluster: &Cluster) -> String {
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.address().to_string()).collect();
    format!("redis+cluster://{}", nodes.join(","))
}

fn slot_of(cluster: &Cluster, site: &Site, partition: u32) -> u16 {
    let names = Keyspace::new(&site.namespace, partition);
    let slot = cluster.node(0).command(&["CLUSTER", "KEYSLOT", names.journal()]).unwrap();
    u16::try_from(slot.int().unwrap()).unwrap()
}

/// Whether every partition takes a write.
async fn writing_works(cache: &Cache) -> bool {
    let entries: Vec<_> = (0..100).map(|n| (key(&format!("w{n}")), "value".into())).collect();
    cache.put_many(&entries, None).await.is_ok()
}

/// Somebody who writes all the while, whatever becomes of it.
struct Writing {
    is_over: Arc<AtomicBool>,
    rounds: Arc<AtomicU32>,
    task: tokio::task::JoinHandle<()>,
}

impl Writing {
    fn begin(cache: Cache) -> Self {
        let (is_over, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (ends, counts) = (Arc::clone(&is_over), Arc::clone(&rounds));
        let task = tokio::spawn(async move {
            while !ends.load(Ordering::Relaxed) {
                let round = counts.fetch_add(1, Ordering::Relaxed);
                let entry = |n| (key(&format!("m{:05}", (round * 20 + n) % 3000)), "value".into());
                let entries: Vec<_> = (0..20).map(entry).collect();
                let _may_fail = cache.put_many(&entries, None).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        Self { is_over, rounds, task }
    }

    /// Waits until something has been written since.
    async fn goes_on(&self) {
        let before = self.rounds.load(Ordering::Relaxed);
        let goes_on = async || self.rounds.load(Ordering::Relaxed) > before + 5;
        until("writes go on", goes_on).await;
    }

    async fn end(self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_failover_by_sentinels_is_followed_by_cache_and_manager() {
    let sentinel = Sentinel::start(1, 1).unwrap();
    let address = sentinel.sentinels()[0].address();
    let url = format!("redis+sentinel://{address}/{}", sentinel.master_name());
    let site = Site::at(url, limited(100));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'k', 0..150, 10).await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 100);
    let writing = Writing::begin(site.open().await);
    writing.goes_on().await;
    let killed = sentinel.kill_master().unwrap();
    sentinel.wait_for_failover(killed).unwrap();
    until("writes reach the new master", async || writing_works(&cache).await).await;
    writing.end().await;
    assert_eq!(exact(&client, &cache).await.usage.entries, 100);
    fill(&cache, 'n', 0..100, 10).await;
    exact(&client, &cache).await;
    assert!(count(&cache, &names('n', 0..100)).await > 0);
    manager.stop().await;
}
