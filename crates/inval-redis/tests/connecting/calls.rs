//! Commands, pipelines, transactions, scripts and scans, over every kind of connection.

use std::collections::BTreeSet;

use inval_redis::{Client, Cursor, Error, Repeat};
use inval_test_servers::Server;
use redis::{Script, Value, pipe};
use tokio::task::JoinSet;

use super::support::{admin, bulk, connect, each_kind, never, patient, safe, words};

#[tokio::test]
async fn every_kind_of_connection_carries_every_kind_of_call() {
    for (server, options) in each_kind() {
        let client = connect(&server.url(), options).await;
        assert_eq!(never(&client, "SET a 1").await, Ok(Value::Okay), "{client:?}");
        assert_eq!(safe(&client, "GET a").await, Ok(bulk("1")));
        assert_eq!(safe(&client, "GET b").await, Ok(Value::Nil));

        let mut commands = pipe();
        commands.add_command(words("INCR a")).add_command(words("GET a"));
        let want = Ok(vec![Value::Int(2), bulk("2")]);
        assert_eq!(client.pipeline(&commands, Repeat::Never).await, want);
        let want = Ok(vec![Value::Int(3), bulk("3")]);
        assert_eq!(client.pipeline(commands.atomic(), Repeat::Never).await, want);
        assert_eq!(client.pipeline(&pipe(), Repeat::Never).await, Ok(Vec::new()));
        assert_eq!(client.pipeline(pipe().atomic(), Repeat::Never).await, Ok(Vec::new()));
    }
}

#[tokio::test]
async fn an_error_in_a_pipeline_fails_it_or_stands_for_its_command() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    for is_atomic in [false, true] {
        let mut commands = pipe();
        for text in ["SET a x", "RPUSH a y", "GET a"] {
            commands.add_command(words(text));
        }
        if is_atomic {
            commands.atomic();
        }
        let each = client.pipeline_each(&commands, Repeat::Never).await.unwrap();
        assert_eq!(each, [Ok(Value::Okay), Err(Error::WrongType), Ok(bulk("x"))]);
        assert_eq!(client.pipeline(&commands, Repeat::Safe).await, Err(Error::WrongType));
    }
}

#[tokio::test]
async fn a_transaction_of_which_one_command_is_refused_does_nothing() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let mut commands = pipe();
    commands.atomic().add_command(words("SET a x")).add_command(words("GET"));
    let refused = client.pipeline_each(&commands, Repeat::Never).await;
    assert!(matches!(refused, Err(Error::Rejected(code)) if code.as_str() == "ERR"), "{refused:?}");
    assert_eq!(safe(&client, "GET a").await, Ok(Value::Nil));
}

#[tokio::test]
async fn scripts_are_loaded_where_they_are_missing() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let script = Script::new("return redis.call('INCR', KEYS[1])");
    let call = words(&format!("EVALSHA {} 1 n", script.get_hash()));
    assert_eq!(client.command(&call, Repeat::Never).await, Err(Error::NoScript));

    let client = client.with_scripts([Script::new("return 1"), script]);
    assert_eq!(client.command(&call, Repeat::Never).await, Ok(Value::Int(1)));
    server.restart().unwrap();
    assert_eq!(client.command(&call, Repeat::Safe).await, Ok(Value::Int(1)));

    let mut commands = pipe();
    commands.add_command(call).add_command(words("GET n"));
    admin(&server, "SCRIPT FLUSH");
    let want = Ok(vec![Value::Int(2), bulk("2")]);
    assert_eq!(client.pipeline(&commands, Repeat::Safe).await, want);
    admin(&server, "SCRIPT FLUSH");
    let want = Ok(vec![Value::Int(3), bulk("3")]);
    assert_eq!(client.pipeline(commands.atomic(), Repeat::Safe).await, want);
}

/// What was carried out beside a missing script must not be carried out again.
#[tokio::test]
async fn a_missing_script_in_a_pipeline_that_must_not_repeat_stands() {
    let server = Server::redis().unwrap();
    let script = Script::new("return 7");
    let call = words(&format!("EVALSHA {} 1 n", script.get_hash()));
    let client = connect(&server.url(), patient()).await.with_scripts([script]);
    let mut commands = pipe();
    commands.add_command(words("INCR n")).add_command(call);
    let each = client.pipeline_each(&commands, Repeat::Never).await;
    assert_eq!(each, Ok(vec![Ok(Value::Int(1)), Err(Error::NoScript)]));
}

async fn scan_all(client: &Client, pattern: &str) -> BTreeSet<Vec<u8>> {
    let (mut names, mut cursor) = (BTreeSet::new(), Cursor::START);
    loop {
        let page = client.scan(b"any", cursor, pattern.as_bytes(), 10).await.unwrap();
        names.extend(page.names);
        match page.next {
            Some(next) => cursor = next,
            None => return names,
        }
    }
}

#[tokio::test]
async fn a_scan_gives_every_name_that_matches() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let names: BTreeSet<_> = (0..200).map(|n| format!("a{n}").into_bytes()).collect();
    for name in &names {
        assert!(server.command(&[b"SET".as_slice(), name, b"x"]).unwrap().is_ok());
    }
    admin(&server, "SET b x");
    assert_eq!(scan_all(&client, "a*").await, names);
    assert_eq!(scan_all(&client, "c*").await, BTreeSet::new());
}

/// A cursor means nothing to a server that was restarted: going on with it would pass over keys.
#[tokio::test]
async fn a_scan_does_not_go_on_at_another_process() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    for n in 0..200 {
        admin(&server, &format!("SET a{n} x"));
    }
    let next = client.scan(b"any", Cursor::START, b"*", 10).await.unwrap().next.unwrap();
    admin(&server, "CLIENT KILL TYPE normal");
    assert!(client.scan(b"any", next, b"*", 10).await.is_ok(), "another connection will do");
    server.restart().unwrap();
    assert_eq!(client.scan(b"any", next, b"*", 10).await, Err(Error::ScanInterrupted));
    assert!(client.scan(b"any", Cursor::START, b"*", 10).await.is_ok());
}

#[tokio::test]
async fn calls_at_once_get_each_their_own_reply() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    let mut tasks = JoinSet::new();
    for n in 0..200 {
        let client = client.clone();
        tasks.spawn(async move {
            assert_eq!(never(&client, format!("SET k{n} {n}")).await, Ok(Value::Okay));
            assert_eq!(safe(&client, format!("GET k{n}")).await, Ok(bulk(&n.to_string())));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let clients = server.info("clients").unwrap()["connected_clients"].parse::<u32>().unwrap();
    assert!(clients <= 3, "{clients} connections, of which one is the administrator's");
}

#[tokio::test]
async fn calls_that_are_dropped_disturb_no_others() {
    let server = Server::redis().unwrap();
    let client = connect(&server.url(), patient()).await;
    for n in 0..500 {
        let (one, other) = (format!("ECHO dropped{n}"), format!("ECHO kept{n}"));
        tokio::select! {
            biased;
            // Polled once, which is enough to have it on its way, and then dropped.
            _ = safe(&client, one) => {}
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(safe(&client, other).await, Ok(bulk(&format!("kept{n}"))));
    }
}
