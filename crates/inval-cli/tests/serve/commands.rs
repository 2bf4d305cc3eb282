//! The operator's commands against a daemon that is one.

use std::process::Command;

use super::daemon::Daemon;

/// Runs `inval args`, which must end with this exit code and write this.
fn check(daemon: &Daemon, args: &str, want: (i32, &str)) {
    let output = Command::new(env!("CARGO_BIN_EXE_inval"))
        .args(args.split(' '))
        .env("INVAL_DAEMON", format!("http://{}", daemon.address))
        .env("INVAL_NAMESPACE", "users")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.code() == Some(want.0) && text.contains(want.1), "{args}: {output:?}");
}

#[test]
fn entries_and_namespaces_are_managed_from_the_command_line() {
    let daemon = Daemon::start();
    check(&daemon, "get alice", (3, ""));
    check(&daemon, "ns create users --strategy lru --max-bytes 1MiB --ttl 90m", (0, "1h30m"));
    check(&daemon, "ns create users --strategy lfu --max-bytes 1MiB", (2, ""));
    check(&daemon, "put alice hello", (0, ""));
    check(&daemon, "get alice", (0, "hello"));
    check(&daemon, "put alice again --if-absent", (3, ""));
    check(&daemon, "put bob again --if-present", (3, ""));
    check(&daemon, "put --key-encoding hex ff00 value --ttl 1h", (0, ""));
    check(&daemon, "ttl --key-encoding hex ff00", (0, "59m"));
    check(&daemon, "explain alice", (0, "present: 10 bytes, expires in 1h2"));
    check(&daemon, "explain carol", (3, "absent: it was never there, or went more than "));
    check(&daemon, "rm alice bob --dry-run", (0, "1 of 2"));
    check(&daemon, "rm alice bob", (0, "1 of 2 deleted"));
    check(&daemon, "explain alice", (3, "absent: invalidated just now (10 bytes); somebody"));
    check(&daemon, "ns set users --max-entries 10", (0, "10"));
    check(&daemon, "ns list", (0, "users"));
    check(&daemon, "run-now", (0, "users"));
    check(&daemon, "stats", (0, "users"));
    check(&daemon, "stats --watch 100ms --count 2", (0, "users"));
    check(&daemon, "put user:1 value", (0, ""));
    check(&daemon, "analyze", (0, "user:\n"));
    check(&daemon, "analyse --output json --duty-cycle 50%", (0, "\"state\": \"done\""));
    check(&daemon, "analyze -n other", (3, ""));
    check(&daemon, "ns rm users --yes", (0, ""));
    check(&daemon, "ns show users", (3, ""));
}
