//! What a client counts of its calls and connections.

use inval_redis::{Activity, Client, ConnectOptions, Error, Repeat};
use inval_test_servers::{Cluster, Server};
use redis::pipe;

use super::support::{admin, connect, eventually, hasty, never, patient, safe, words};

fn failures(activity: &Activity) -> Vec<(&'static str, u64)> {
    activity.failures().filter(|(_, count)| *count > 0).collect()
}

/// Makes as many connections as there may be.
async fn warm(client: &Client) {
    for _ in 0..client.activity().connections.most {
        safe(client, "PING").await.unwrap();
    }
}

#[tokio::test]
async fn a_lost_connection_is_counted_and_one_made_in_its_place() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), ConnectOptions { connections: 3, ..patient() }).await;
    let first = client.activity().connections;
    assert_eq!((first.open, first.most, first.made, first.lost), (1, 3, 1, 0));
    warm(&client).await;
    let all = client.activity().connections;
    assert_eq!((all.open, all.made, all.lost), (3, 3, 0));
    admin(&server, "CLIENT KILL TYPE normal");
    eventually("the loss", || client.activity().connections.lost == 3).await;
    assert_eq!(client.activity().connections.open, 0);
    warm(&client).await;
    let again = client.activity().connections;
    assert_eq!((again.open, again.made, again.lost), (3, 6, 3));
    assert_eq!(failures(&client.activity()), []);
}

#[tokio::test]
async fn a_call_that_failed_is_counted_once_by_its_kind() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    assert!(safe(&client, "SET a x").await.is_ok());
    assert_eq!(never(&client, "INCR").await.unwrap_err().kind(), "rejected");
    assert_eq!(safe(&client, "RPUSH a y").await, Err(Error::WrongType));
    let mut commands = pipe();
    commands.add_command(words("RPUSH a y")).add_command(words("RPUSH a y"));
    assert!(client.clone().pipeline(&commands, Repeat::Safe).await.is_err());
    assert!(client.pipeline_each(commands.atomic(), Repeat::Safe).await.is_ok());
    let activity = client.activity();
    assert_eq!(failures(&activity), [("wrong_type", 3), ("rejected", 1)]);
    assert_eq!((activity.calls, activity.retries), (5, 0));
}

#[tokio::test]
async fn a_call_counts_once_however_often_it_is_sent() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), hasty()).await;
    server.kill().unwrap();
    assert!(safe(&client, "GET a").await.is_err());
    let activity = client.activity();
    assert!(activity.retries > 0 && activity.calls == 1, "{activity:?}");
    assert_eq!(activity.failures().map(|(_, count)| count).sum::<u64>(), 1, "{activity:?}");
    let connections = activity.connections;
    assert_eq!((connections.open, connections.lost), (0, connections.made));
}

#[tokio::test]
async fn a_clusters_nodes_are_counted_together() {
    let cluster = Cluster::start(3, 0).unwrap();
    let url = format!("redis+cluster://{}", cluster.node(0).address());
    let client = connect(&url, ConnectOptions { connections: 2, ..patient() }).await;
    for n in 0..60 {
        assert!(safe(&client, format!("SET k{n} x")).await.is_ok());
    }
    let activity = client.activity();
    let connections = activity.connections;
    assert_eq!((connections.most, activity.calls, activity.retries), (6, 60, 0));
    // One more may have been made to learn who there is.
    assert!(connections.open >= 6 && connections.made >= connections.open, "{connections:?}");
}
