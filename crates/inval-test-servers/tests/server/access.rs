//! Users and their passwords, and the administrator whom they do not concern.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use inval_test_servers::{Options, Server};

/// The first word of the reply to the last of these lines.
fn answer(server: &Server, lines: &[&str]) -> String {
    let stream = TcpStream::connect(server.address()).expect("listens");
    let mut stream = BufReader::new(stream);
    let mut reply = String::new();
    for line in lines {
        stream.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("connected");
        reply.clear();
        stream.read_line(&mut reply).expect("answered");
    }
    reply.split_whitespace().next().unwrap_or_default().to_owned()
}

fn check(options: Options, cases: &[(&[&str], &str)]) {
    let server = Server::start(options).expect("started");
    for (lines, expected) in cases {
        assert_eq!(answer(&server, lines), *expected, "{lines:?}");
    }
    assert!(server.command(&["SET", "other", "1"]).expect("answers").is_ok());
}

#[test]
fn a_password_is_asked_for() {
    check(
        Options::redis().password("pw"),
        &[
            (&["PING"], "-NOAUTH"),
            (&["AUTH wrong"], "-WRONGPASS"),
            (&["AUTH pw", "SET any 1"], "+OK"),
        ],
    );
}

#[test]
fn a_user_may_do_what_the_rules_say() {
    check(
        Options::redis().user("app on >pw ~app:* +@all -@dangerous").user("default off"),
        &[
            (&["PING"], "-NOAUTH"),
            (&["AUTH app pw", "SET app:1 1"], "+OK"),
            (&["AUTH app pw", "SET other 1"], "-NOPERM"),
            (&["AUTH app pw", "FLUSHALL"], "-NOPERM"),
        ],
    );
}

#[test]
fn rules_set_later_do_not_lock_the_administrator_out() {
    let server = Server::redis().expect("started");
    assert!(server.command(&["ACL", "SETUSER", "default", "off"]).expect("answers").is_ok());
    assert!(server.command(&["SET", "key", "1"]).expect("answers").is_ok());
}

#[test]
fn an_error_shows_no_password() {
    let mistake = Options::redis().user("app on >hush +nonsense");
    let error = Server::start(mistake).expect_err("no such command");
    assert!(!error.is_retryable());
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("hush"), "{shown}");
}
