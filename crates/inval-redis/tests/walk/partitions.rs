//! Walks over several partitions, on one server and on a Cluster.

use inval_core::Weighing;
use inval_test_servers::Cluster;

use super::walker::{booked, managed, walk};
use crate::support::managers::manage;
use crate::support::site::{Site, roomy};
use crate::support::values::fill;

#[tokio::test]
async fn each_partition_is_walked_by_itself() {
    check(Site::shared(roomy()).with(|options| options.partitions = 5)).await;
}

#[tokio::test]
async fn in_a_cluster_each_partition_is_asked_for_where_it_is() {
    let cluster = Cluster::start(3, 0).unwrap();
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.address().to_string()).collect();
    let url = format!("redis+cluster://{}", nodes.join(","));
    check(Site::at(url, roomy()).with(|options| options.partitions = 6)).await;
}

/// Walks as the manager does, and as somebody else.
async fn check(site: Site) {
    let (cache, other) = (site.open().await, site.open().await);
    let manager = manage(&cache);
    managed(&cache).await;
    fill(&cache, 'k', 0..1_000, 10).await;
    booked(&cache, 1_000).await;
    let seen = walk(&cache).await;
    assert_eq!((seen.count, seen.entries.len()), (1_000, 1_000));
    assert!(seen.weighing.iter().all(|weighing| *weighing == Weighing::Charged));
    let seen = walk(&other).await;
    assert_eq!(seen.entries.len(), 1_000);
    assert!(seen.weighing.iter().all(|weighing| *weighing == Weighing::Estimated));
    manager.stop().await;
}
