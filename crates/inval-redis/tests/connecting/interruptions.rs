//! Replies that do not come: lost connections, stopped and restarted servers.

use inval_redis::{Client, Error, Interruption, Repeat};
use inval_test_servers::Server;
use redis::Value;
use tokio::task::{JoinHandle, JoinSet};

use super::support::{
    admin, bulk, connect, eventually, hasty, never, patient, safe, until_it_succeeds, words,
};

#[tokio::test]
async fn a_stopped_server_runs_calls_out_of_time() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), hasty()).await;
    assert_eq!(safe(&client, "SET a x").await, Ok(Value::Okay));
    server.pause().unwrap();
    let unknown = Error::OutcomeUnknown(Interruption::Timeout);
    assert_eq!(never(&client, "INCR n").await, Err(unknown));
    assert_eq!(safe(&client, "GET a").await, Err(Error::Timeout));
    server.resume().unwrap();
    assert_eq!(until_it_succeeds(&client, "GET a").await, bulk("x"));
}

/// Connects while the server is stopped: nothing was sent, so nothing is in doubt.
#[tokio::test]
async fn what_was_not_sent_is_not_in_doubt() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), hasty()).await;
    server.kill().unwrap();
    // Both connections may have to be tried before the loss of both is known.
    for _ in 0..3 {
        let _ = safe(&client, "PING").await;
    }
    let refused = Error::Unreachable(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(never(&client, "INCR n").await, Err(refused));
    assert!(!refused.is_outcome_unknown());
    assert_eq!(safe(&client, "GET a").await, Err(refused));
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    for n in 0..5 {
        assert_eq!(safe(&client, format!("SET a {n}")).await, Ok(Value::Okay));
        server.restart().unwrap();
        assert_eq!(safe(&client, "GET a").await, Ok(Value::Nil));
    }
}

#[tokio::test]
async fn a_call_waits_for_a_server_that_is_being_restarted() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    server.kill().unwrap();
    let waiting = tokio::spawn(async move { safe(&client, "SET a x").await });
    server.restart().unwrap();
    assert_eq!(waiting.await.unwrap(), Ok(Value::Okay));
}

/// However many calls lose their connection at once, one new one for each lost is enough.
#[tokio::test]
async fn many_calls_outlast_a_restart_together() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    server.pause().unwrap();
    let mut calls = JoinSet::new();
    for n in 0..100 {
        let client = client.clone();
        calls.spawn(async move { safe(&client, format!("SET k{n} x")).await });
    }
    tokio::task::yield_now().await;
    server.restart().unwrap();
    while let Some(done) = calls.join_next().await {
        assert_eq!(done.unwrap(), Ok(Value::Okay));
    }
    let made = server.info("stats").unwrap()["total_connections_received"].parse::<u32>().unwrap();
    assert!(made <= 10, "{made} connections, some of them the administrator's");
}

/// Connections belong to the runtime that made them; a client that outlives it makes new ones.
#[test]
fn a_client_may_outlive_its_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = Server::redis().unwrap();
    let client = runtime().block_on(connect(&server.url(), patient()));
    for n in 1..4 {
        assert_eq!(runtime().block_on(never(&client, "INCR n")), Ok(Value::Int(n)));
    }
}

/// A call that waits at the server, of which the administrator can see that it arrived.
fn block(client: &Client, repeat: Repeat) -> JoinHandle<Result<Value, Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.command(&words("BLPOP list 0"), repeat).await })
}

fn has_blocked(server: &Server) -> bool {
    server.info("clients").unwrap()["blocked_clients"] == "1"
}

#[tokio::test]
async fn a_connection_lost_in_mid_call_leaves_the_outcome_unknown() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let call = block(&client, Repeat::Never);
    eventually("the call", || has_blocked(&server)).await;
    admin(&server, "CLIENT KILL TYPE normal");
    let unknown = Error::OutcomeUnknown(Interruption::ConnectionLost);
    assert_eq!(call.await.unwrap(), Err(unknown));
    assert_eq!(safe(&client, "PING").await, Ok(Value::SimpleString("PONG".into())));
}

#[tokio::test]
async fn a_call_that_may_repeat_is_sent_again_over_a_new_connection() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let call = block(&client, Repeat::Safe);
    eventually("the call", || has_blocked(&server)).await;
    admin(&server, "CLIENT KILL TYPE normal");
    eventually("the call again", || has_blocked(&server)).await;
    admin(&server, "RPUSH list x");
    assert_eq!(call.await.unwrap(), Ok(Value::Array(vec![bulk("list"), bulk("x")])));
}
