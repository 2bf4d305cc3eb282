//! A Cluster whose slots move and whose nodes go down.

use std::collections::BTreeSet;

use inval_redis::{Client, ConnectOptions, Cursor, Error, Repeat};
use inval_test_servers::{Cluster, Endpoint, Options, Server};
use redis::{Pipeline, Value, pipe};

use super::support::{
    admin, bulk, connect, hasty, never, patient, safe, try_connect, until_it_succeeds, words,
};

/// A tag whose slot, 12182, belongs to the third of three masters.
const TAG: &str = "{foo}";
const SLOT: u16 = 12_182;

fn url(nodes: &[Server]) -> String {
    let nodes: Vec<_> = nodes.iter().map(|node| node.address().to_string()).collect();
    format!("redis+cluster://{}", nodes.join(","))
}

async fn cluster(options: ConnectOptions) -> (Cluster, Client) {
    let cluster = Cluster::start(3, 0).unwrap();
    let client = connect(&url(cluster.nodes()), options).await;
    (cluster, client)
}

fn transaction(texts: &[&str]) -> Pipeline {
    let mut commands = pipe();
    commands.atomic();
    texts.iter().for_each(|text| {
        commands.add_command(words(text));
    });
    commands
}

/// The first of `k0`, `k1`, … that a node has.
fn key_on(cluster: &Cluster, node: usize) -> String {
    (0..)
        .map(|n| format!("k{n}"))
        .find(|key| {
            let slot = admin(cluster.node(node), &format!("CLUSTER KEYSLOT {key}"));
            let slot = slot.trim_start_matches("Int(").trim_end_matches(')').parse().unwrap();
            cluster.owner(slot).unwrap() == node
        })
        .unwrap()
}

#[tokio::test]
async fn keys_are_found_on_whichever_node_has_them() {
    let (cluster, client) = cluster(patient()).await;
    for n in 0..100 {
        assert_eq!(never(&client, format!("SET k{n} {n}")).await, Ok(Value::Okay));
        assert_eq!(safe(&client, format!("GET k{n}")).await, Ok(bulk(&n.to_string())));
    }
    for node in cluster.nodes() {
        assert_ne!(admin(node, "DBSIZE"), "Int(0)");
    }
    assert!(safe(&client, "PING").await.is_ok(), "any node will do");
    let mut apart = transaction(&["SET a x", "SET b x"]);
    assert_eq!(client.pipeline(&apart, Repeat::Safe).await, Err(Error::CrossSlot));
    apart = pipe();
    apart.add_command(words("SET a x")).add_command(words("SET b x"));
    assert_eq!(client.pipeline(&apart, Repeat::Safe).await, Err(Error::CrossSlot));
    assert_eq!(safe(&client, "MGET a b").await, Err(Error::CrossSlot));
}

#[tokio::test]
async fn one_node_that_is_up_is_enough_to_find_the_others() {
    let cluster = Cluster::start(3, 0).unwrap();
    let down = Server::redis().unwrap();
    down.kill().unwrap();
    let seeds = format!("redis+cluster://{},{}", down.address(), cluster.node(1).address());
    let client = connect(&seeds, patient()).await;
    for n in 0..20 {
        assert_eq!(never(&client, format!("SET k{n} x")).await, Ok(Value::Okay));
    }
}

#[tokio::test]
async fn targets_of_the_wrong_kind_say_so() {
    let cluster = Cluster::start(3, 0).unwrap();
    let single = Server::redis().unwrap();
    let wrong = try_connect(&url(std::slice::from_ref(&single)), hasty()).await;
    assert_eq!(wrong.map(|_| ()), Err(Error::NotACluster));
    let client = connect(&cluster.node(0).url(), hasty()).await;
    assert_eq!(safe(&client, format!("GET {TAG}")).await, Err(Error::Redirected));
    let database = try_connect(&format!("{}/1", cluster.node(0).url()), hasty()).await;
    assert_eq!(database.map(|_| ()), Err(Error::Database));
}

/// What is refused with `MOVED` was not carried out, so calls that must not repeat follow it too.
#[tokio::test]
async fn calls_follow_a_slot_that_has_moved() {
    let (cluster, client) = cluster(patient()).await;
    assert_eq!(never(&client, format!("SET {TAG}n 0")).await, Ok(Value::Okay));
    for (round, to) in [0, 1, 2].into_iter().enumerate() {
        let from = cluster.owner(SLOT).unwrap();
        cluster.migrate_slot(SLOT, from, to).unwrap();
        let n = 2 * round as i64;
        assert_eq!(never(&client, format!("INCR {TAG}n")).await, Ok(Value::Int(n + 1)));
        let commands = transaction(&[&format!("INCR {TAG}n"), &format!("GET {TAG}n")]);
        let want = Ok(vec![Value::Int(n + 2), bulk(&(n + 2).to_string())]);
        assert_eq!(client.pipeline(&commands, Repeat::Never).await, want);
    }
}

#[tokio::test]
async fn calls_find_keys_of_a_slot_on_its_way() {
    let (cluster, client) = cluster(patient()).await;
    let hasty = connect(&url(cluster.nodes()), hasty()).await;
    for name in ["a", "b"] {
        assert_eq!(never(&client, format!("SET {TAG}{name} 1")).await, Ok(Value::Okay));
    }
    let from = cluster.owner(SLOT).unwrap();
    let to = (from + 1) % 3;
    cluster.open_slot(SLOT, from, to).unwrap();
    cluster.move_keys(SLOT, from, to).unwrap();

    assert_eq!(safe(&client, format!("GET {TAG}a")).await, Ok(bulk("1")));
    assert_eq!(never(&client, format!("INCR {TAG}a")).await, Ok(Value::Int(2)));
    let texts = [format!("INCR {TAG}a"), format!("INCR {TAG}b")];
    let mut commands = pipe();
    texts.iter().for_each(|text| {
        commands.add_command(words(text));
    });
    let want = Ok(vec![Value::Int(3), Value::Int(2)]);
    assert_eq!(client.pipeline(&commands, Repeat::Never).await, want);
    let want = Ok(vec![Value::Int(4), Value::Int(3)]);
    assert_eq!(client.pipeline(commands.atomic(), Repeat::Never).await, want);

    // One of these keys is there and one is not, which no node can settle before the move ends.
    let both = format!("MGET {TAG}a {TAG}missing");
    assert_eq!(safe(&hasty, both.clone()).await, Err(Error::TryAgain));
    let waiting = tokio::spawn(async move { safe(&client, both).await });
    cluster.settle_slot(SLOT, to).unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(Value::Array(vec![bulk("4"), Value::Nil])));
}

#[tokio::test]
async fn a_node_that_is_down_holds_up_no_calls_to_others() {
    let nodes = Options::redis().args(["--cluster-require-full-coverage", "no"]);
    let cluster = Cluster::start_with(&nodes, 3, 0).unwrap();
    let client = connect(&url(cluster.nodes()), hasty()).await;
    let keys = [0, 1, 2].map(|node| key_on(&cluster, node));
    for key in &keys {
        assert_eq!(never(&client, format!("SET {key} x")).await, Ok(Value::Okay));
    }
    cluster.kill(1).unwrap();
    let (down, one, other) = tokio::join!(
        safe(&client, format!("GET {}", keys[1])),
        safe(&client, format!("GET {}", keys[0])),
        safe(&client, format!("GET {}", keys[2])),
    );
    assert_eq!((one, other), (Ok(bulk("x")), Ok(bulk("x"))));
    let error = down.unwrap_err();
    assert!(error.is_retryable(), "{error}");

    cluster.node(0).pause().unwrap();
    let (stopped, other) = tokio::join!(
        safe(&client, format!("GET {}", keys[0])),
        safe(&client, format!("GET {}", keys[2])),
    );
    assert_eq!((stopped, other), (Err(Error::Timeout), Ok(bulk("x"))));
    cluster.node(0).resume().unwrap();
    until_it_succeeds(&client, &format!("GET {}", keys[0])).await;
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    let cluster = Cluster::start(3, 1).unwrap();
    let client = connect(&url(cluster.nodes()), ConnectOptions::default()).await;
    let master = cluster.owner(SLOT).unwrap();
    assert_eq!(never(&client, format!("SET {TAG} x")).await, Ok(Value::Okay));
    let replicated = never(&client, "WAIT 0 0").await;
    assert!(replicated.is_ok());
    cluster.kill(master).unwrap();
    until_it_succeeds(&client, &format!("SET {TAG} y")).await;
    assert_eq!(safe(&client, format!("GET {TAG}")).await, Ok(bulk("y")));
}

#[tokio::test]
async fn a_scan_asks_the_node_that_has_the_key_and_no_other() {
    let (cluster, client) = cluster(patient()).await;
    let names: BTreeSet<_> = (0..100).map(|n| format!("{TAG}{n}").into_bytes()).collect();
    for n in 0..100 {
        assert_eq!(never(&client, format!("SET {TAG}{n} x")).await, Ok(Value::Okay));
    }
    let from = cluster.owner(SLOT).unwrap();
    let page = client.scan(TAG.as_bytes(), Cursor::START, b"{foo}*", 10).await.unwrap();
    cluster.migrate_slot(SLOT, from, (from + 1) % 3).unwrap();
    let next = client.scan(TAG.as_bytes(), page.next.unwrap(), b"{foo}*", 10).await;
    assert_eq!(next, Err(Error::ScanInterrupted));

    let (mut found, mut cursor) = (BTreeSet::new(), Cursor::START);
    loop {
        let page = client.scan(TAG.as_bytes(), cursor, b"{foo}*", 10).await.unwrap();
        found.extend(page.names);
        match page.next {
            Some(next) => cursor = next,
            None => break,
        }
    }
    assert_eq!(found, names);
}

#[tokio::test]
async fn nodes_may_speak_tls_and_ask_for_a_password() {
    let nodes = Options::redis().endpoint(Endpoint::Tls).user("app on >hunter2 ~* +@all");
    let cluster = Cluster::start_with(&nodes, 3, 0).unwrap();
    let target = url(cluster.nodes()).replace("redis+cluster://", "rediss+cluster://app:hunter2@");
    let ca_certificate = cluster.node(0).ca_certificate();
    let client = connect(&target, ConnectOptions { ca_certificate, ..patient() }).await;
    for n in 0..20 {
        assert_eq!(never(&client, format!("SET k{n} x")).await, Ok(Value::Okay));
    }
    assert_eq!(safe(&client, "ACL WHOAMI").await, Ok(bulk("app")));
}
