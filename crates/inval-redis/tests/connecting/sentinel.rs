//! A primary that sentinels replace.

use inval_redis::{AuthenticationError, ConnectOptions, Credentials, Error, TlsError};
use inval_test_servers::{Endpoint, Fault, Options, Sentinel, Server, Who};
use redis::Value;

use super::support::{
    admin, bulk, connect, eventually, hasty, never, patient, safe, try_connect, until_it_succeeds,
};

fn url(sentinels: &[Server], master: &str) -> String {
    let sentinels: Vec<_> =
        sentinels.iter().map(|sentinel| sentinel.address().to_string()).collect();
    format!("redis+sentinel://{}/{master}", sentinels.join(","))
}

#[tokio::test]
async fn a_failover_is_followed() {
    let servers = Sentinel::start(1, 3).unwrap();
    let target = url(servers.sentinels(), servers.master_name());
    let client = connect(&target, ConnectOptions::default()).await;
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
    let previous = servers.kill_master().unwrap();
    until_it_succeeds(&client, "SET a y").await;
    assert_eq!(safe(&client, "GET a").await, Ok(bulk("y")));
    let master = servers.wait_for_failover(previous).unwrap();
    assert_eq!(admin(master, "GET a"), "y");
}

/// Found by breaking it on purpose: for ten seconds the old primary goes on to hold itself for the primary, and so did
/// whoever was let in by it.
#[tokio::test]
async fn whoever_was_let_in_late_is_led_to_the_new_primary() {
    let options = Options::redis().behind_a_door().user("app on >hush ~* &* +@all");
    let servers = Sentinel::start_with(&options, 1, 1).unwrap();
    let target = url(servers.sentinels(), servers.master_name());
    let target = target.replace("redis+sentinel://", "redis+sentinel://app:hush@");
    let previous = servers.master().unwrap();
    let door = previous.door().unwrap();
    door.inflict(Who::user("app"), Fault::Stall);
    let alone = ConnectOptions { connections: 1, ..patient() };
    let connecting = tokio::spawn(async move { connect(&target, alone).await });
    eventually("the client asks to be let in", || door.inflicted() > 0).await;
    previous.pause().unwrap();
    let master = servers.wait_for_failover(previous).unwrap();
    previous.resume().unwrap();
    door.lift_all();
    let client = connecting.await.unwrap();
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
    assert_eq!(admin(master, "GET a"), "x");
}

/// The old primary stays up as a replica, and says so.
#[tokio::test]
async fn a_planned_failover_is_followed() {
    let servers = Sentinel::start(1, 1).unwrap();
    let target = url(servers.sentinels(), servers.master_name());
    let client = connect(&target, ConnectOptions::default()).await;
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
    let previous = servers.master().unwrap();
    let failover = format!("SENTINEL FAILOVER {}", servers.master_name());
    assert_eq!(admin(&servers.sentinels()[0], &failover), "OK");
    let master = servers.wait_for_failover(previous).unwrap();
    // The sentinel would do this too, but takes its time.
    admin(previous, &format!("REPLICAOF 127.0.0.1 {}", master.port()));
    until_it_succeeds(&client, "SET a y").await;
    assert_eq!(admin(master, "GET a"), "y");
}

#[tokio::test]
async fn one_sentinel_that_is_up_is_enough() {
    let servers = Sentinel::start(0, 3).unwrap();
    for sentinel in &servers.sentinels()[..2] {
        sentinel.kill().unwrap();
    }
    let target = url(servers.sentinels(), servers.master_name());
    let client = connect(&target, hasty()).await;
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));

    let unknown = try_connect(&url(&servers.sentinels()[2..], "nobody"), hasty()).await;
    assert_eq!(unknown.map(|_| ()), Err(Error::UnknownMaster));
    servers.sentinels()[2].kill().unwrap();
    let refused = Error::Unreachable(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(try_connect(&target, hasty()).await.map(|_| ()), Err(refused));
}

#[tokio::test]
async fn sentinels_may_have_a_password_of_their_own() {
    let servers = Sentinel::start_with(&Options::redis(), 0, 1).unwrap();
    let sentinel = &servers.sentinels()[0];
    admin(sentinel, "ACL SETUSER default resetpass >hunter2");
    let target = url(servers.sentinels(), servers.master_name());
    let refused = try_connect(&target, hasty()).await;
    assert_eq!(refused.map(|_| ()), Err(AuthenticationError::Missing.into()));
    let sentinel_credentials =
        Some(Credentials::Given { user: None, password: "hunter2".to_owned() });
    let client = connect(&target, ConnectOptions { sentinel_credentials, ..hasty() }).await;
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
}

#[tokio::test]
async fn sentinels_and_servers_may_speak_tls() {
    let servers = Sentinel::start_with(&Options::redis().endpoint(Endpoint::Tls), 0, 1).unwrap();
    let target = url(servers.sentinels(), servers.master_name()).replace("redis", "rediss");
    let ca_certificate = servers.nodes()[0].ca_certificate();
    let client = connect(&target, ConnectOptions { ca_certificate, ..hasty() }).await;
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
    let untrusted = try_connect(&target, hasty()).await;
    assert_eq!(untrusted.map(|_| ()), Err(TlsError::Untrusted.into()));
}
