//! What servers refuse, and for how long a call insists.

use std::fs;
use std::thread;
use std::time::Duration;

use inval_redis::{ConnectOptions, Error, Repeat};
use inval_test_servers::{Options, Server};
use redis::Value;

use super::support::{admin, bulk, connect, eventually, hasty, never, patient, safe, words};

#[tokio::test]
async fn errors_that_do_not_pass_are_told_at_once() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    admin(&server, "RPUSH list x");
    let check = async |text: &str, want: Error| {
        assert_eq!(safe(&client, text).await, Err(want), "{text}");
        assert_eq!(never(&client, text).await, Err(want), "{text}");
    };
    check("GET list", Error::WrongType).await;
    check("EVALSHA 0000000000000000000000000000000000000000 1 a", Error::NoScript).await;
    admin(&server, "CONFIG SET min-replicas-to-write 1");
    check("SET a x", Error::NoReplicas).await;
    admin(&server, "CONFIG SET min-replicas-to-write 0");
    admin(&server, "CONFIG SET maxmemory 1mb");
    check("SET a x", Error::OutOfMemory).await;
    check("EVAL return(redis.call('SET',KEYS[1],'x')) 1 a", Error::OutOfMemory).await;
    let mut commands = redis::pipe();
    commands.atomic().add_command(words("SET a x"));
    assert_eq!(client.pipeline(&commands, Repeat::Safe).await, Err(Error::OutOfMemory));
    let unknown = safe(&client, "NONESUCH a").await;
    assert!(matches!(unknown, Err(Error::Rejected(code)) if code.as_str() == "ERR"), "{unknown:?}");
}

#[tokio::test]
async fn a_server_that_cannot_save_refuses_writes() {
    let server = Server::start(Options::redis().args(["--save", "3600 1"])).unwrap();
    // A directory where the file should be.
    fs::create_dir(server.directory().join("dump.rdb")).unwrap();
    let client = connect(&server.url(), patient()).await;
    admin(&server, "SET a x");
    admin(&server, "BGSAVE");
    eventually("a failed save", || {
        server.info("persistence").unwrap()["rdb_last_bgsave_status"] == "err"
    })
    .await;
    assert_eq!(safe(&client, "SET a x").await, Err(Error::Persistence));
    assert_eq!(safe(&client, "GET a").await, Ok(bulk("x")));
}

#[tokio::test]
async fn a_replica_refuses_writes_until_it_is_a_primary() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), hasty()).await;
    admin(&server, "REPLICAOF 127.0.0.1 1");
    assert_eq!(safe(&client, "SET a x").await, Err(Error::ReadOnly));
    assert_eq!(never(&client, "SET a x").await, Err(Error::ReadOnly));
    admin(&server, "CONFIG SET replica-serve-stale-data no");
    assert_eq!(safe(&client, "GET a").await, Err(Error::MasterDown));
    admin(&server, "REPLICAOF NO ONE");
    assert_eq!(never(&client, "SET a x").await, Ok(Value::Okay));
}

#[tokio::test]
async fn a_call_outlasts_a_script_that_holds_the_server() {
    let server = Server::start(Options::redis().args(["--busy-reply-threshold", "10"])).unwrap();
    let impatient = connect(&server.url(), hasty()).await;
    let patient = connect(&server.url(), patient()).await;
    let mut holder = server.connect().unwrap();
    let script = thread::spawn(move || holder.command(&["EVAL", "while true do end", "0"]));
    eventually("a busy server", || admin(&server, "PING").contains("BUSY")).await;

    assert_eq!(safe(&impatient, "GET a").await, Err(Error::Busy));
    assert_eq!(never(&impatient, "SET a x").await, Err(Error::Busy));
    let waiting = tokio::spawn(async move { never(&patient, "SET a x").await });
    admin(&server, "SCRIPT KILL");
    assert_eq!(waiting.await.unwrap(), Ok(Value::Okay));
    let _ = script.join();
}

#[tokio::test]
async fn a_call_outlasts_the_loading_of_the_data() {
    let settings = [
        ["--enable-debug-command", "yes"],
        ["--rdbcompression", "no"],
        ["--key-load-delay", "5000"],
        ["--loading-process-events-interval-bytes", "1024"],
    ];
    let server = Server::start(Options::redis().args(settings.as_flattened())).unwrap();
    let seconds = Duration::from_secs;
    let impatient =
        ConnectOptions { response_timeout: seconds(1), overall_timeout: seconds(2), ..hasty() };
    let impatient = connect(&server.url(), impatient).await;
    let patient = connect(&server.url(), patient()).await;
    let mut filler = server.connect().unwrap();
    for n in 0..800 {
        let name = format!("k{n}");
        assert!(filler.command(&["SET", &name, &"x".repeat(200)]).unwrap().is_ok());
    }
    let reload = thread::spawn(move || filler.command(&["DEBUG", "RELOAD"]));
    eventually("a loading server", || admin(&server, "GET k1").contains("LOADING")).await;

    assert_eq!(safe(&impatient, "GET k1").await, Err(Error::Loading));
    assert_eq!(safe(&patient, "STRLEN k1").await, Ok(Value::Int(200)));
    let _ = reload.join();
}
