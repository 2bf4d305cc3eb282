//! The process: how it starts and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::json;

use super::client::Connection;
use super::daemon::{Daemon, until};

/// What `inval serve` says on standard error when it does not start, and its exit code.
fn refused(args: &[&str]) -> (i32, String) {
    let output =
        Command::new(env!("CARGO_BIN_EXE_inval")).arg("serve").args(args).output().unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_signal_ends_it_cleanly() {
    for signal in ["TERM", "INT"] {
        let mut daemon = Daemon::start();
        daemon.create("users", &json!({"ttl": "1m"}));
        let mut idle = daemon.connect();
        assert_eq!(idle.send("GET", "/v1/health", &[], None).status, 200);
        daemon.signal(signal);
        assert_eq!(daemon.wait().code(), Some(0));
        assert!(idle.rest().is_empty());
        assert!(daemon.log().contains("stopped"), "{}", daemon.log());
    }
}

#[test]
fn what_left_is_logged_with_the_reason_as_json_if_asked_for() {
    let args = ["--log-format", "json", "--log-interval", "50ms"];
    let daemon = Daemon::with_args(&args);
    daemon.create("users", &json!({"max_entries": 8, "partitions": 1}));
    daemon.wait_for_log("maintained from now on");
    let last = until("a line of what left", || {
        let key = fastrand::u64(..);
        daemon.put(&format!("/v1/namespaces/users/entries/{key}"), b"secret");
        let log = daemon.log();
        let line = log.lines().find(|line| line.contains("\"evicted\""))?;
        Some(line.to_owned())
    });
    let line: serde_json::Value = serde_json::from_str(&last).unwrap();
    assert_eq!((&line["namespace"], &line["limit"]), (&json!("users"), &json!("max_entries")));
    assert!(line["evicted"].as_u64().unwrap() > 0 && line["level"] == "INFO", "{line}");
    for line in daemon.log().lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(!daemon.log().contains("secret"));
}

const ENTRY: &str = "/v1/namespaces/users/entries/a";

/// A connection with a write under way that lacks its body, `abc`.
fn half_a_write(daemon: &Daemon) -> Connection {
    let mut connection = daemon.connect();
    let head = format!(
        "PUT {ENTRY} HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    );
    connection.write(head.as_bytes()).unwrap();
    connection.receive_go_ahead();
    connection
}

#[test]
fn a_request_under_way_is_finished_first() {
    let mut daemon = Daemon::start();
    daemon.create("users", &json!({"ttl": "1m"}));
    let mut connection = half_a_write(&daemon);
    daemon.signal("TERM");
    daemon.wait_for_log("stopping");
    connection.write(b"abc").unwrap();
    assert_eq!(connection.receive("PUT").unwrap().status, 204);
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(!daemon.log().contains("did not end in time"), "{}", daemon.log());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut daemon = Daemon::start();
    daemon.create("users", &json!({"ttl": "1m"}));
    let _connection = half_a_write(&daemon);
    daemon.signal("TERM");
    daemon.wait_for_log("stopping");
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(130));
}

#[test]
fn who_does_not_end_is_not_waited_for() {
    let config = "http.drain_timeout = \"20ms\"\nnamespaces.users.ttl = \"1m\"";
    let mut daemon = Daemon::with_config(config, &[]);
    let _connection = half_a_write(&daemon);
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(0));
    assert!(daemon.log().contains("did not end in time"), "{}", daemon.log());
}

#[test]
fn a_signal_ends_it_even_while_it_starts() {
    // Connections are taken by nobody, so connecting to the store lasts.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_inval"))
        .args(["serve", "--listen", "127.0.0.1:0", "--store", &url])
        .env("INVAL_REDIS_CONNECT_TIMEOUT", "1h")
        .spawn()
        .unwrap();
    // It connects once it listens to signals.
    let _connection = listener.accept().unwrap();
    let kill = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// Found by breaking it on purpose: to complain of the full disk, where it could not be written, ended the daemon.
#[cfg(target_os = "linux")]
#[test]
fn a_log_on_a_full_disk_stops_nothing() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_inval"))
        .args(["serve", "--demo", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(full)
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    let (_, address) = line.trim().split_once("://").unwrap();
    // By then it has logged that it serves and what it maintains.
    let ready = Connection::open(address.parse().unwrap()).send("GET", "/v1/ready", &[], None);
    assert_eq!(ready.status, 200);
    let kill = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_keeps_it_from_starting_is_said() {
    let daemon = Daemon::start();
    let taken = daemon.address.to_string();
    let check = |args: &[&str], code: i32, want: &str| {
        let (got, text) = refused(args);
        assert!(got == code && text.contains(want), "{args:?}: {got} {text}");
        assert!(!text.contains("hush"), "{text}");
    };
    check(&["--listen", &taken], 1, "cannot listen on 127.0.0.1");
    check(&["--listen", "nowhere"], 2, "--listen");
    check(&["--log", "inval=loud"], 2, "--log");
    check(&["--config", "/nonexistent.toml"], 1, "/nonexistent.toml");
    check(&["--store", "http://bob:hush@host"], 2, "--store");
    check(
        &["--listen", "127.0.0.1:0", "--store", "redis://bob:hush@127.0.0.1:1"],
        4,
        "redis://127.0.0.1:1",
    );
    check(&["--demo", "--config", "x"], 2, "--config");
}

#[test]
fn the_demonstration_shows_where_to_look() {
    let mut daemon = Daemon::with_args(&["--demo"]);
    let names = daemon.get("/v1/namespaces").json();
    let names: Vec<_> =
        names["namespaces"].as_array().unwrap().iter().map(|ns| ns["name"].clone()).collect();
    assert_eq!(names, ["counters", "pages", "sessions"]);
    super::daemon::until("there is traffic", || {
        let stats = daemon.get("/v1/stats").json();
        let is_read = |name: &str| stats["namespaces"][name]["hits"].as_u64() > Some(0);
        (is_read("pages") && is_read("sessions")).then_some(())
    });
    daemon.signal("INT");
    assert_eq!(daemon.wait().code(), Some(0));
    let mut told = String::new();
    daemon.out.read_to_string(&mut told).unwrap();
    assert!(told.contains(&format!("http://{}/ in a browser", daemon.address)), "{told}");
    assert_eq!(told.matches("curl ").count(), 3, "{told}");
    assert!(told.contains("inval top --daemon"), "{told}");
}
