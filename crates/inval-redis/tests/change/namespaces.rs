//! The namespaces of a server are listed, wherever in a Cluster they are.

use inval_core::{Namespace, Store};
use inval_redis::namespaces;
use inval_test_servers::Cluster;

use crate::support::site::{Site, limited, own_server};
use crate::support::values::{fill, put};

fn named(site: &Site, name: &str) -> Site {
    let mut site = site.clone();
    site.namespace = name.parse().unwrap();
    site
}

fn texts(namespaces: &[Namespace]) -> Vec<&str> {
    namespaces.iter().map(Namespace::as_str).collect()
}

#[tokio::test]
async fn a_server_tells_its_namespaces_and_nothing_else() {
    let site = Site::new(own_server(&[]), limited(10_000));
    let client = site.client().await;
    assert_eq!(namespaces(&client).await, Ok(vec![]));
    for name in ["users", "a.b-c_d", "Zoo"] {
        drop(named(&site, name).open().await);
    }
    let cache = named(&site, "users").open().await;
    fill(&cache, 'k', 0..3_000, 10).await;
    for name in ["}:config", "inval:{fake}:config", "{x}:config"] {
        put(&cache, name, "an entry").await;
    }
    site.foreign(&["SET", "inval:{not a name}:config", "1"]);
    site.foreign(&["SET", "outval:{other}:config", "1"]);
    let found = namespaces(&client).await.unwrap();
    assert_eq!(texts(&found), ["Zoo", "a.b-c_d", "users"]);
    cache.destroy().await.unwrap();
    assert_eq!(texts(&namespaces(&client).await.unwrap()), ["Zoo", "a.b-c_d"]);
}

#[tokio::test]
async fn a_cluster_tells_those_of_all_its_nodes() {
    let cluster = Cluster::start(3, 0).unwrap();
    let nodes: Vec<_> = cluster.nodes().iter().map(|node| node.address().to_string()).collect();
    let site = Site::at(format!("redis+cluster://{}", nodes.join(",")), limited(100));
    let want: Vec<String> = (0..20).map(|n| format!("space{n:02}")).collect();
    for name in &want {
        let cache = named(&site, name).open().await;
        assert_eq!(Store::partitions(&cache), 1);
    }
    let found = namespaces(&site.client().await).await.unwrap();
    assert_eq!(texts(&found), want);
}
