//! Servers and programs by clocks that the test sets.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use inval_test_servers::{Clock, ClockError, Flavour, Options, Process, Reply, Server};

use crate::support::patience::eventually;

const HOUR_MS: i64 = 3_600_000;

fn real_time_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_millis()).expect("in this age")
}

fn time_ms(server: &Server) -> i64 {
    let time = server.command(&["TIME"]).expect("runs");
    let part = |index: usize| time.items()[index].text()?.parse::<i64>().ok();
    part(0).expect("seconds") * 1000 + part(1).expect("microseconds") / 1000
}

/// The server's time is the real one with this offset, give or take what looking takes.
fn shows(server: &Server, offset_ms: i64) {
    let before = real_time_ms();
    let shown = time_ms(server) - offset_ms;
    // Both are cut to whole milliseconds.
    assert!((before - 1..=real_time_ms() + 1).contains(&shown), "{offset_ms}");
}

fn check(options: Options) {
    let server = Server::start(options.with_clock()).expect("started");
    let send = |command: &[&str]| server.command(command).expect("runs");
    shows(&server, 0);
    assert!(send(&["SET", "key", "1", "PX", "60000"]).is_ok());
    for offset_ms in [-HOUR_MS, -250, 1, 30_000] {
        server.shift_clock(offset_ms).expect("writable");
        shows(&server, offset_ms);
        assert_eq!(send(&["GET", "key"]).text(), Some("1"), "{offset_ms}");
    }
    server.shift_clock(HOUR_MS).expect("writable");
    shows(&server, HOUR_MS);
    assert_eq!(send(&["GET", "key"]), Reply::Nil);
    server.restart().expect("started again");
    shows(&server, HOUR_MS);
    assert!(server.server_cpu().is_ok());
}

#[test]
fn redis_follows_its_clock_both_ways() {
    check(Options::redis());
}

#[test]
fn valkey_follows_its_clock_where_it_is_installed() {
    if Flavour::Valkey.is_available() {
        check(Options::valkey());
    }
}

#[test]
fn each_server_has_its_own_clock_or_none() {
    let with_clock = || Server::start(Options::redis().with_clock()).expect("started");
    let (fast, slow) = (with_clock(), with_clock());
    fast.shift_clock(HOUR_MS).expect("writable");
    shows(&fast, HOUR_MS);
    shows(&slow, 0);
    let plain = Server::redis().expect("started");
    assert!(matches!(plain.shift_clock(HOUR_MS), Err(ClockError::NotItsOwn)));
    shows(&plain, 0);
}

#[test]
fn any_process_goes_by_a_clock() {
    let clock = Clock::new().expect("installed");
    clock.shift(-HOUR_MS).expect("writable");
    let directory = tempfile::tempdir().expect("writable");
    let path = |name| directory.path().join(name);
    let file = |name| File::create(path(name)).expect("writable");
    let mut command = Command::new("date");
    command.arg("+%s").envs(clock.variables());
    let before = real_time_ms();
    let process = Process::start(&command, file("out"), file("err")).expect("started");
    eventually("it has ended", || !process.is_running());
    let told: i64 =
        fs::read_to_string(path("out")).expect("there").trim().parse().expect("a number");
    let shown = told * 1000 + HOUR_MS;
    assert!((before - 1000..=real_time_ms()).contains(&shown));
}

#[test]
fn nothing_of_a_clock_is_left() {
    let shared = |pid| {
        let files = ["faketime_shm_", "sem.faketime_sem_"];
        files.map(|file| Path::new("/dev/shm").join(format!("{file}{pid}")).exists())
    };
    let server = Server::start(Options::redis().with_clock()).expect("started");
    let pid = server.pid();
    drop(server);
    assert_eq!(shared(pid), [false, false]);
}
