//! The operator's commands straight at real servers, without a daemon.

#![cfg(test)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use assert_cmd::Command;
use inval_test_servers::{Cluster, Options, Server};
use serde_json::{Value, json};

/// What `inval` did: exit code, standard output, standard error.
fn inval(args: &[&str], url: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    // The daemon of the environment does not count.
    command.env("INVAL_DAEMON", "http://bob:hush@host").env("INVAL_NAMESPACE", "users");
    let output = command.args(args).args(["--store", url]).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs `inval args`, words between spaces, which must end as `want` says.
fn check(server: &Server, args: &str, want: (i32, &str, &str)) {
    let args: Vec<&str> = args.split(' ').collect();
    let (code, stdout, stderr) = inval(&args, &server.url());
    assert_eq!((code, stdout.as_str(), stderr.as_str()), want, "{args:?}");
}

/// What `inval args --output json` prints.
fn json_of(url: &str, args: &str) -> Value {
    let args: Vec<&str> = args.split(' ').chain(["--output", "json"]).collect();
    let (code, stdout, stderr) = inval(&args, url);
    assert_eq!((code, stderr.as_str()), (0, ""), "{args:?}");
    serde_json::from_str(&stdout).unwrap()
}

fn server_with(settings: &str) -> Server {
    let server = Server::redis().unwrap();
    json_of(&server.url(), &format!("ns create users {settings}"));
    server
}

#[test]
fn a_namespace_with_a_key_secret_is_used_by_those_who_have_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, digits: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, digits.repeat(32)).unwrap();
        path.display().to_string()
    };
    let (ours, other, bad) = (path("ours", "01"), path("other", "02"), path("bad", "x"));
    let server = Server::redis().unwrap();
    json_of(&server.url(), &format!("ns create users --max-entries 9 --key-secret {ours}"));
    check(&server, &format!("put alice v --key-secret {ours}"), (0, "", ""));
    check(&server, &format!("get alice --key-secret {ours}"), (0, "v", ""));
    let refused = |args: &str, code: i32, want: &str| {
        let args: Vec<&str> = args.split(' ').collect();
        let (got, _, error) = inval(&args, &server.url());
        assert!(got == code && error.contains(want), "{got} {error}");
    };
    refused("get alice", 1, "give its key secret");
    refused("explain alice", 1, "give its key secret");
    let told = json_of(&server.url(), &format!("explain alice --key-secret {ours}"));
    assert!(told["present"]["idle_ms"].is_u64(), "{told}");
    refused(&format!("get alice --key-secret {other}"), 1, "another secret");
    refused(&format!("get alice --key-secret {bad}"), 2, "64 hexadecimal digits");
    assert_eq!(json_of(&server.url(), "stats users")["hits"], 1);
    let both = format!("--key-secret {other} --old-key-secret {ours}");
    check(&server, &format!("ns rotate users begin {both}"), (0, "", ""));
    refused(&format!("get alice --key-secret {ours}"), 1, "another secret");
    check(&server, &format!("ns rotate users end {both}"), (0, "", ""));
    check(&server, &format!("put alice w --key-secret {other}"), (0, "", ""));
    check(&server, &format!("get alice --key-secret {other}"), (0, "w", ""));
    let keys = format!("{:?}", server.command(&["KEYS", "*alice*"]).unwrap());
    assert_eq!(keys, "Array([])");
}

#[test]
fn entries_are_written_read_and_deleted() {
    let server = server_with("--max-entries 100");
    let nobody = "inval: there is no entry under the key in the namespace users\n";
    check(&server, "get k", (3, "", nobody));
    check(&server, "ttl k", (3, "", nobody));
    let is_gone = "inval: there is no entry under the key, so nothing was written\n";
    check(&server, "put k v --if-present", (3, "", is_gone));
    check(&server, "put k v --if-absent", (0, "", ""));
    let is_there = "inval: there is an entry under the key already, so nothing was written\n";
    check(&server, "put k w --if-absent", (3, "", is_there));
    check(&server, "get k", (0, "v", ""));
    check(&server, "get 6b --key-encoding hex", (0, "v", ""));
    check(&server, "ttl k", (0, "never\n", ""));
    check(&server, "put l w --ttl 1d", (0, "", ""));
    let left = json_of(&server.url(), "ttl l")["expires_in_ms"].as_u64().unwrap();
    assert!((1..=86_400_000).contains(&left), "{left}");
    check(&server, "rm k l m l --dry-run", (0, "2 of 3 would be deleted\n", ""));
    check(&server, "rm k l m l", (0, "2 of 3 deleted\n", ""));
    check(&server, "rm k", (0, "0 of 1 deleted\n", ""));
    check(&server, "get k", (3, "", nobody));
}

#[test]
fn an_entry_is_explained_by_what_the_server_tells() {
    let server = server_with("--max-entries 100");
    let unknown =
        "absent: why is not remembered here; ask the daemon that maintains the namespace\n";
    check(&server, "explain k", (3, unknown, ""));
    check(&server, "put k value --ttl 1d", (0, "", ""));
    let (code, stdout, stderr) = inval(&["explain", "k"], &server.url());
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.starts_with("present: expires in 23h59m, last used "), "{stdout}");
    let told = json_of(&server.url(), "explain k");
    let present = &told["present"];
    assert!(present["expires_in_ms"].is_u64() && present["idle_ms"].is_u64(), "{told}");
    assert_eq!((&present["weight"], &present["age_ms"]), (&Value::Null, &Value::Null));
    assert_eq!((&told["remembered"], &told["maintained_here"]), (&Value::Null, &json!(false)));
}

#[test]
fn namespaces_are_created_changed_and_deleted() {
    let server = Server::redis().unwrap();
    let none = "inval: there is no namespace users; `inval ns list` shows those there are\n";
    for command in
        ["get k", "put k v", "rm k", "ttl k", "explain k", "stats users", "run-now users"]
    {
        check(&server, command, (3, "", none));
    }
    for command in ["ns show users", "ns set users --ttl 1m", "ns rm users --yes"] {
        check(&server, command, (3, "", none));
    }
    let shown = "\
namespace     users
strategy      lru
max entries   100
max bytes     -
ttl           1m
time to idle  -
ttl jitter    0
partitions    2
";
    let create = "ns create users --strategy lru --max-entries 100 --ttl 60s --partitions 2";
    check(&server, create, (0, shown, ""));
    let same = "inval: the namespace users was there already, just so\n";
    check(&server, create, (0, shown, same));
    let exists = "inval: the namespace users is there already and keeps to something else; \
                  `inval ns set` changes it\n";
    check(&server, "ns create users --max-entries 9", (2, "", exists));
    let changed = json_of(&server.url(), "ns set users --ttl none --max-bytes 1MiB");
    let config = json!({
        "strategy": "lru", "max_entries": 100, "max_bytes": 1 << 20, "ttl": null,
        "time_to_idle": null, "ttl_jitter": 0.0
    });
    let users = json!({ "name": "users", "config": config, "partitions": 2, "paused": null });
    assert_eq!(changed, users);
    let other = json_of(&server.url(), "ns create other --ttl 1h");
    assert_eq!(json_of(&server.url(), "ns list"), json!({ "namespaces": [other, users] }));
    check(&server, "ns rm users --yes", (0, "users deleted\n", ""));
    assert_eq!(json_of(&server.url(), "ns list"), json!({ "namespaces": [other] }));
}

#[test]
fn settings_that_contradict_are_refused() {
    let server = server_with("--max-entries 100");
    let check = |args: &str, want: &str| {
        let args: Vec<&str> = args.split(' ').collect();
        let (code, stdout, stderr) = inval(&args, &server.url());
        assert_eq!((code, stdout.as_str()), (2, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(want), "{args:?}: {stderr}");
    };
    check("ns create n", "the cache would grow without bound");
    check("ns create n --max-entries 0", "max_entries is 0");
    check("ns create n --ttl 1h --time-to-idle 1m", "ttl and time_to_idle cannot be had together");
    check("ns create n --max-entries 5 --partitions 9", "no more than the limits have room for");
    check("ns set users --max-entries none", "the cache would grow without bound");
    check("ns set users --strategy lru", "strategy cannot change");
    check("ns set users --time-to-idle 1m", "time_to_idle cannot change");
    check("ns set users --partitions 2", "partitions cannot change");
    let before = json_of(&server.url(), "ns show users");
    assert_eq!(before["config"]["max_entries"], 100);
}

#[test]
fn statistics_count_what_operators_do_as_well() {
    let server = server_with("--max-entries 100");
    check(&server, "put k value", (0, "", ""));
    check(&server, "get k", (0, "value", ""));
    let nobody = "inval: there is no entry under the key in the namespace users\n";
    check(&server, "get l", (3, "", nobody));
    let done = json_of(&server.url(), "run-now users");
    assert_eq!((&done[0]["records"], &done[0]["is_done"]), (&json!(1), &json!(true)));
    let one = json_of(&server.url(), "stats users");
    assert_eq!(
        (&one["hits"], &one["misses"], &one["miss_ratio"]),
        (&json!(1), &json!(1), &json!(0.5))
    );
    assert_eq!(one["usage"], json!({ "entries": 1, "bytes": 6 }));
    assert_eq!(one["limits"], json!({ "max_entries": 100, "max_bytes": null }));
    for of_a_manager in ["lag_ms", "backlog", "peak"] {
        assert_eq!(one[of_a_manager], Value::Null, "{of_a_manager}");
    }
    assert_eq!(json_of(&server.url(), "stats"), json!({ "namespaces": { "users": one } }));
}

#[test]
fn a_namespace_is_analysed_without_books_and_without_a_trace() {
    let server = server_with("--max-entries 1000 --partitions 2");
    for n in 0..20 {
        check(&server, &format!("put user:{n} value"), (0, "", ""));
        check(&server, &format!("put page/{n} value --ttl 1h"), (0, "", ""));
    }
    let report = json_of(&server.url(), "analyze --top 5 --duty-cycle 20%");
    assert_eq!(report["state"], "done", "{report}");
    let found = &report["result"];
    let bytes = found["seen"]["bytes"].as_u64().unwrap();
    assert_eq!((&found["seen"]["entries"], &found["estimated"]), (&json!(40), &json!(40)));
    assert!(bytes >= 20 * 11 + 20 * 11, "an estimate is not below the truth: {bytes}");
    assert_eq!(found["remaining_ms"]["count"], 20);
    assert_eq!((&found["idle_ms"]["count"], &found["age_ms"]["count"]), (&json!(40), &json!(0)));
    let prefixes = found["prefixes"].as_array().unwrap();
    assert_eq!((prefixes.len(), &prefixes[0]["prefix"]), (1, &json!("user:")));
    assert_eq!(prefixes[0]["entries"], 20);
    assert_eq!(
        (&found["unprefixed"]["entries"], found["largest"].as_array().unwrap().len()),
        (&json!(20), 5)
    );
    assert!(found["duty_cycle"].as_f64().unwrap() <= 0.2, "{found}");
    let (code, stdout, stderr) = inval(&["analyze", "--delimiter", "/"], &server.url());
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    assert!(stdout.contains("  page/\n") && stdout.contains("the server's estimates"), "{stdout}");
    assert_eq!(json_of(&server.url(), "stats users")["hits"], 0);
    for partition in 0..2 {
        let lease = format!("inval:{{users:{partition}}}:lease");
        assert_eq!(server.command(&["EXISTS", &lease]).unwrap().int(), Some(0));
    }
    let none = "inval: there is no namespace other; `inval ns list` shows those there are\n";
    check(&server, "analyze -n other", (3, "", none));
    let invalid = "inval: depth must be from 1 to 8\n";
    check(&server, "analyze --depth 0", (2, "", invalid));
}

#[test]
fn upkeep_keeps_the_limits_and_leaves_no_lease() {
    let server = server_with("--strategy fifo --max-entries 10 --partitions 2");
    for key in 0..40 {
        check(&server, &format!("put {key} v"), (0, "", ""));
    }
    let done = &json_of(&server.url(), "run-now")[0];
    let field = |name: &str| done[name].as_u64().unwrap();
    assert_eq!((field("records"), field("evicted")), (40, 30), "{done}");
    assert_eq!((&done["is_done"], &done["namespace"]), (&json!(true), &json!("users")));
    assert_eq!(json_of(&server.url(), "stats users")["usage"]["entries"], 10);
    for partition in 0..2 {
        let lease = format!("inval:{{users:{partition}}}:lease");
        assert_eq!(server.command(&["EXISTS", &lease]).unwrap().int(), Some(0));
    }
    let nothing = &json_of(&server.url(), "run-now users users")[0];
    assert_eq!((&nothing["records"], &nothing["evicted"]), (&json!(0), &json!(0)));
}

#[test]
fn a_lease_that_is_not_renewed_is_waited_for_and_another_is_told_of() {
    const LEASE: &str = "inval:{users:0}:lease";
    let server = server_with("--max-entries 10");
    check(&server, "put k v", (0, "", ""));
    assert!(server.command(&["SET", LEASE, "7:other", "PX", "300"]).unwrap().is_ok());
    assert_eq!(json_of(&server.url(), "run-now users")[0]["records"], 1);

    let has_ended = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !has_ended.load(Ordering::Relaxed) {
                server.command(&["SET", LEASE, "9:other", "PX", "5000"]).unwrap();
                thread::sleep(Duration::from_millis(20));
            }
        });
        let (code, stdout, stderr) = inval(&["run-now", "users"], &server.url());
        has_ended.store(true, Ordering::Relaxed);
        assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
        assert!(stderr.contains("another manager has the lease of users"), "{stderr}");
    });
}

#[test]
fn watching_does_not_look_for_namespaces_with_every_reading() {
    let server = server_with("--max-entries 10");
    assert!(server.command(&["CONFIG", "RESETSTAT"]).unwrap().is_ok());
    let args = ["stats", "--watch", "100ms", "--count", "3"];
    let (code, stdout, stderr) = inval(&args, &server.url());
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(stdout.matches("users").count(), 3, "{stdout}");
    let counts = server.command(&["INFO", "commandstats"]).unwrap();
    let counts = counts.text().unwrap();
    assert!(counts.contains("cmdstat_scan:calls=1,"), "{counts}");
}

#[test]
fn a_cluster_is_reached_as_well() {
    let cluster = Cluster::start(3, 0).unwrap();
    let url = format!("redis+cluster://{}", cluster.node(1).address());
    json_of(&url, "ns create users --max-entries 100 --partitions 6");
    json_of(&url, "ns create other --max-entries 100");
    for key in ["a", "b", "c"] {
        assert_eq!(json_of(&url, &format!("put {key} v")), json!({ "outcome": "stored" }));
    }
    assert_eq!(json_of(&url, "get b"), json!({ "key": "b", "value": "v" }));
    let names: Vec<Value> = json_of(&url, "ns list")["namespaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|namespace| namespace["name"].clone())
        .collect();
    assert_eq!(names, ["other", "users"]);
    let done = json_of(&url, "run-now users");
    assert_eq!(done[0]["records"], 3);
    assert_eq!(json_of(&url, "rm a b c x")["deleted"], 3);
}

#[test]
fn a_server_that_cannot_be_reached_is_exit_code_4_and_shows_no_password() {
    let server = Server::start(Options::redis().password("hush")).unwrap();
    let down = Server::redis().unwrap();
    down.kill().unwrap();
    let port = server.port();
    let check = |url: &str, want_code: i32, want: &str| {
        let (code, stdout, stderr) = inval(&["get", "k"], url);
        assert_eq!((code, stdout.as_str()), (want_code, ""), "{url}: {stderr}");
        assert!(stderr.contains(want), "{url}: {stderr}");
        assert!(!stderr.contains("hush") && !stderr.contains("bob"), "{url}: {stderr}");
    };
    check(&down.url(), 4, "check its address and that it runs");
    check(&format!("redis://127.0.0.1:{port}"), 1, "give credentials");
    check(&format!("redis://bob:hush@127.0.0.1:{port}"), 1, "WRONGPASS");
    check(&format!("redis://:hush@127.0.0.1:{port}"), 3, "there is no namespace users");
    check("redis://bob:hu/hush@host", 2, "write @ : / ? # % , as %40");
    check("memory:", 2, "start a daemon with `inval serve`");
}
