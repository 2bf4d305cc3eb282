//! Started, killed, restarted, paused, dropped.

use std::thread;

use inval_test_servers::{CommandError, Options, Reply, Server, StartError};

use crate::support::patience::{process_exists, refuses_connections};

#[test]
fn nothing_is_left_of_a_server_that_is_dropped() {
    let server = Server::redis().expect("started");
    let (pid, port, directory) = (server.pid(), server.port(), server.directory().to_owned());
    assert!(process_exists(pid) && directory.exists());
    drop(server);
    assert!(!process_exists(pid) && !directory.exists() && refuses_connections(port));
}

#[test]
fn a_paused_server_is_dropped_as_well() {
    let server = Server::redis().expect("started");
    let pid = server.pid();
    server.pause().expect("runs");
    drop(server);
    assert!(!process_exists(pid));
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let server = thread::spawn(Server::redis).join().expect("no panic").expect("started");
    assert_eq!(server.command(&["PING"]).expect("runs").text(), Some("PONG"));
}

#[test]
fn a_killed_server_refuses_connections_until_it_is_restarted() {
    let server = Server::redis().expect("started");
    let (pid, url) = (server.pid(), server.url());
    server.command(&["SET", "key", "1"]).expect("runs");
    server.kill().expect("ran");
    server.kill().expect("harmless");
    assert!(refuses_connections(server.port()));
    assert!(matches!(server.command(&["PING"]), Err(CommandError::Connect(_))));
    server.restart().expect("started again");
    assert_eq!(server.url(), url);
    assert_ne!(server.pid(), pid);
    assert_eq!(server.command(&["GET", "key"]).expect("runs"), Reply::Nil);
}

#[test]
fn what_it_is_told_to_save_is_there_after_a_restart() {
    let always = ["--appendonly", "yes", "--appendfsync", "always"];
    let server = Server::with_args(&always).expect("started");
    server.command(&["SET", "key", "1"]).expect("runs");
    server.restart().expect("started again");
    assert_eq!(server.command(&["GET", "key"]).expect("runs").text(), Some("1"));
}

#[test]
fn a_paused_server_answers_when_it_is_resumed() {
    let server = Server::redis().expect("started");
    let mut connection = server.connect().expect("runs");
    let before = server.server_cpu().expect("answers");
    server.pause().expect("runs");
    server.pause().expect("harmless");
    let resumed = thread::scope(|scope| {
        let waiting = scope.spawn(|| connection.command(&["PING"]));
        while state(server.pid()) != "T" {
            thread::yield_now();
        }
        assert!(!waiting.is_finished());
        server.resume().expect("paused");
        waiting.join().expect("no panic")
    });
    assert_eq!(resumed.expect("answered").text(), Some("PONG"));
    assert!(server.server_cpu().expect("answers") >= before);
}

/// The letter by which the system tells what a process does.
fn state(pid: u32) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("exists");
    stat.split_whitespace().nth(2).expect("a letter").to_owned()
}

#[test]
fn a_server_that_ends_at_once_says_why() {
    let error = Server::start(Options::redis().args(["--maxmemory", "much"])).expect_err("typo");
    assert!(matches!(error, StartError::Ended { .. }));
    assert!(error.to_string().contains("argument must be a memory value"), "{error}");
}

#[test]
fn two_dozen_servers_start_at_the_same_time() {
    let servers: Vec<Server> = thread::scope(|scope| {
        let starting: Vec<_> = (0..24).map(|_| scope.spawn(Server::redis)).collect();
        let started = starting.into_iter().map(|thread| thread.join().expect("no panic"));
        started.collect::<Result<_, _>>().expect("started")
    });
    let mut ports: Vec<u16> = servers.iter().map(Server::port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), servers.len());
}
