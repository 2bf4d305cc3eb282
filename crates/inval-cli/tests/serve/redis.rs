//! The daemon on a real server: the same API, and what happens when the server goes.

use std::os::unix::fs::FileExt;

use inval_core::Key;
use inval_core::digest::{KeyDigester, KeySecret};
use inval_test_servers::Server;
use serde_json::json;

use super::daemon::{Daemon, until};

const NS: &str = "/v1/namespaces/users";
const FILE: &str = "\
redis.response_timeout = \"1s\"
redis.overall_timeout = \"2s\"
manager.longest_retry = \"100ms\"
[namespaces.users]
strategy = \"lru\"
max_entries = 50
";

fn daemon(server: &Server, args: &[&str]) -> Daemon {
    Daemon::with_config(FILE, &[&["--store", &server.url()], args].concat())
}

fn ready(daemon: &Daemon) {
    until("every namespace is maintained", || {
        (daemon.get("/v1/ready").status == 200).then_some(())
    });
}

#[test]
fn entries_are_on_the_server_and_limits_are_kept() {
    let server = Server::redis().unwrap();
    let daemon = daemon(&server, &[]);
    ready(&daemon);
    assert_eq!(daemon.get("/v1/version").json()["store"], "redis");
    for number in 0..200 {
        assert_eq!(daemon.put(&format!("{NS}/entries/{number}"), b"value").status, 204);
    }
    until("the limit is kept", || {
        let stats = daemon.get(&format!("{NS}/stats")).json();
        (stats["usage"]["entries"] == 50 && stats["removed"]["evicted"]["entries"] == 150)
            .then_some(())
    });
    let started = daemon.json(("POST", &format!("{NS}/analysis")), &json!({"duty_cycle": 0.5}));
    assert_eq!(started.status, 202);
    let found = until("the analysis is done", || {
        let report = daemon.get(&format!("{NS}/analysis")).json();
        (report["state"] == "done").then(|| report["result"].clone())
    });
    assert_eq!((&found["seen"]["entries"], &found["estimated"]), (&json!(50), &json!(0)));
    assert_eq!(
        (&found["idle_ms"]["count"], &found["largest"][0]["bytes"]),
        (&json!(50), &json!(8))
    );
    let value = server.command(&["GET", "inval:{users:0}:k:199"]).unwrap();
    assert_eq!(value, inval_test_servers::Reply::Bulk(b"value".to_vec()));
    let stored =
        daemon.call(("PUT", &format!("{NS}/entries/199")), &[("If-None-Match", "*")], Some(b"x"));
    assert_eq!(stored.status, 412);
    let cleared = daemon.json(("POST", &format!("{NS}/clear")), &json!({})).json();
    assert_eq!(cleared["matched"], 50);
    assert_eq!(daemon.get(&format!("{NS}/entries/199")).status, 404);
    assert_eq!(daemon.delete(NS).status, 204);
    assert_eq!(server.command(&["DBSIZE"]).unwrap().int().unwrap(), 0);
}

#[test]
fn a_key_on_the_server_is_explained_by_who_maintains_it() {
    let server = Server::redis().unwrap();
    let first = daemon(&server, &[]);
    ready(&first);
    for number in 0..51 {
        assert_eq!(first.put(&format!("{NS}/entries/{number}"), b"value").status, 204);
    }
    let told = until("the first has been evicted", || {
        let told = first.get(&format!("{NS}/explain/0")).json();
        (told["removals"][0]["cause"] == "evicted").then_some(told)
    });
    assert_eq!((&told["present"], &told["maintained_here"]), (&json!(null), &json!(true)));
    let last = first.get(&format!("{NS}/explain/50")).json();
    assert_eq!(last["present"]["expires_in_ms"], json!(null));
    assert!(last["present"]["idle_ms"].is_u64(), "{last}");

    // Another one has no lease, so it learns of no removals.
    let second = daemon(&server, &[]);
    ready(&second);
    until("the lease is another's", || {
        let told = second.get(&format!("{NS}/explain/0")).json();
        (told["maintained_here"] == false && told["removals"] == json!([])).then_some(())
    });
}

#[test]
fn without_its_server_it_lives_and_is_not_ready() {
    let server = Server::redis().unwrap();
    let mut daemon = daemon(&server, &[]);
    ready(&daemon);
    server.kill().unwrap();
    let degraded = until("it is found out", || {
        let response = daemon.get("/v1/ready");
        (response.status == 503 && response.json()["namespaces"][0]["state"] == "failing")
            .then_some(response)
    });
    let namespace = &degraded.json()["namespaces"][0];
    assert!(namespace["error"].is_string(), "{namespace}");
    assert!(namespace["failing_for_ms"].is_u64(), "{namespace}");
    assert_eq!(daemon.get("/v1/health").status, 200);
    let read = daemon.get(&format!("{NS}/entries/a"));
    assert_eq!((read.status, read.problem().as_str()), (503, "store-unavailable"));
    assert_eq!(read.header("retry-after"), Some("1"));
    server.restart().unwrap();
    ready(&daemon);
    assert_eq!(daemon.put(&format!("{NS}/entries/a"), b"1").status, 204);
    assert_eq!(daemon.get(&format!("{NS}/entries/a")).body, b"1");
    let log = daemon.log();
    assert!(log.contains("upkeep fails") && log.contains("upkeep works again"), "{log}");
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(0));
}

#[test]
fn a_stalled_server_does_not_hold_requests_for_ever() {
    let server = Server::redis().unwrap();
    let daemon = Daemon::with_config(
        &FILE.replace("[namespaces", "http.request_timeout = \"50ms\"\n[namespaces"),
        &["--store", &server.url()],
    );
    ready(&daemon);
    server.pause().unwrap();
    let read = daemon.get(&format!("{NS}/entries/a"));
    assert_eq!((read.status, read.problem().as_str()), (504, "timeout"));
    server.resume().unwrap();
    until("it answers", || (daemon.get(&format!("{NS}/entries/a")).status == 404).then_some(()));
}

#[test]
fn what_stays_on_the_server_is_there_at_the_next_start() {
    let server = Server::redis().unwrap();
    let mut first = daemon(&server, &[]);
    ready(&first);
    first.put(&format!("{NS}/entries/a"), b"1");
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    let second = daemon(&server, &[]);
    ready(&second);
    assert_eq!(second.get(&format!("{NS}/entries/a")).body, b"1");

    // Out of the file, it is maintained no longer, but its entries stay.
    second.write_config("");
    let reloaded = second.post("/v1/reload");
    assert_eq!(reloaded.json()["removed"], json!(["users"]), "{reloaded:?}");
    assert_eq!(second.get(NS).status, 404);
    assert_eq!(server.command(&["EXISTS", "inval:{users:0}:k:a"]).unwrap().int().unwrap(), 1);
    assert!(second.log().contains("its entries stay"), "{}", second.log());
}

#[test]
fn passwords_come_by_a_file_and_are_never_shown() {
    let server = Server::with_args(&["--requirepass", "hush"]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, "hush\n").unwrap();
    let daemon =
        daemon(&server, &["--store-credentials", path.to_str().unwrap(), "--log", "trace"]);
    ready(&daemon);
    daemon.put(&format!("{NS}/entries/the-key"), b"the-value");
    daemon.get(&format!("{NS}/entries/the-key"));
    daemon.get(&format!("{NS}/explain/the-key"));
    let log = daemon.log();
    assert!(!log.contains("hush"), "{log}");
    for secret in ["the-key", "the-value"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn with_a_key_secret_the_server_learns_no_keys() {
    let server = Server::redis().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, digits: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, digits.repeat(32)).unwrap();
        path.display().to_string()
    };
    let (one, two) = (path("one", "01"), path("two", "02"));
    let start = |secrets: &str| {
        Daemon::with_config(&format!("{FILE}{secrets}"), &["--store", &server.url()])
    };
    let entry = format!("{NS}/entries/alice");
    let daemon = start(&format!("key_secret = \"{one}\"\n"));
    ready(&daemon);
    assert_eq!(daemon.put(&entry, b"the-value").status, 204);
    assert_eq!(daemon.get(&entry).body, b"the-value");
    let names = format!("{:?}", server.command(&["KEYS", "*"]).unwrap());
    let alice = format!("{:?}", inval_test_servers::Reply::Bulk(b"alice".to_vec()));
    let digits = alice.split(['[', ']']).nth(1).unwrap();
    assert!(!names.contains(digits), "{names}");
    drop(daemon);
    // Another secret finds nothing, and is not let in.
    let config = format!("{FILE}key_secret = \"{two}\"\n");
    let file = directory.path().join("inval.toml");
    std::fs::write(&file, config).unwrap();
    let args = ["serve", "--listen", "127.0.0.1:0", "--store", &server.url(), "--config"];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_inval"));
    let output = command.args(args).arg(&file).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && error.contains("another secret"), "{error}");
    // Prepared to change it, it finds what is there.
    let both = start(&format!("key_secret = \"{two}\"\nold_key_secret = \"{one}\"\n"));
    ready(&both);
    assert_eq!(both.get(&entry).body, b"the-value");
}

#[test]
fn removals_are_explained_while_one_key_secret_takes_the_place_of_another() {
    let server = Server::redis().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str, digits: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, digits.repeat(32)).unwrap();
        path.display().to_string()
    };
    let (one, two) = (path("one", "01"), path("two", "02"));
    let secrets = format!("key_secret = \"{two}\"\nold_key_secret = \"{one}\"\n");
    let first = Daemon::with_config(
        &format!("{FILE}key_secret = \"{one}\"\n"),
        &["--store", &server.url()],
    );
    ready(&first);
    for name in ["alice", "bob", "carol"] {
        assert_eq!(first.put(&format!("{NS}/entries/{name}"), b"value").status, 204);
    }
    let explained = |daemon: &Daemon, name: &str| {
        until("its removal is known", || {
            let told = daemon.get(&format!("{NS}/explain/{name}")).json();
            (told["removals"][0]["cause"] == "invalidated").then_some(())
        });
    };
    assert_eq!(first.delete(&format!("{NS}/entries/alice")).status, 204);
    explained(&first, "alice");
    drop(first);

    let both = Daemon::with_config(&format!("{FILE}{secrets}"), &["--store", &server.url()]);
    ready(&both);
    until("it maintains", || {
        let told = both.get(&format!("{NS}/explain/bob")).json();
        (told["maintained_here"] == true && told["remembered"]["includes_key"] == true)
            .then_some(())
    });
    assert_eq!(both.delete(&format!("{NS}/entries/bob")).status, 204);
    explained(&both, "bob");
    let begin = std::process::Command::new(env!("CARGO_BIN_EXE_inval"))
        .args(["ns", "rotate", "users", "begin", "--store", &server.url()])
        .args(["--key-secret", &two, "--old-key-secret", &one])
        .output()
        .unwrap();
    assert!(begin.status.success(), "{begin:?}");
    let digester = KeyDigester::new(&KeySecret::new([2; 32]), &"users".parse().unwrap());
    let digest = digester.digest(&Key::new(b"dave").unwrap());
    let name = format!("inval:{{users:0}}:k:{}", std::str::from_utf8(digest.as_bytes()).unwrap());
    until("it writes by the new secret", || {
        assert_eq!(both.put(&format!("{NS}/entries/dave"), b"value").status, 204);
        (server.command(&["EXISTS", &name]).unwrap().int().unwrap() == 1).then_some(())
    });
    explained(&both, "bob");
    assert_eq!(both.delete(&format!("{NS}/entries/carol")).status, 204);
    explained(&both, "carol");
}

/// A password is looked for where others can see it or where it could get by accident.
#[test]
fn a_password_stays_neither_in_arguments_nor_in_memory() {
    let password = format!("{:032x}", fastrand::u128(1..));
    let server = Server::with_args(&["--requirepass", &password]).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    std::fs::write(&path, format!("{password}\n")).unwrap();
    let daemon =
        daemon(&server, &["--store-credentials", path.to_str().unwrap(), "--log", "trace"]);
    ready(&daemon);
    daemon.put(&format!("{NS}/entries/the-key"), b"the-value");
    // What it must keep is found, so the password would be as well.
    assert!(memory_holds(daemon.pid(), server.url().as_bytes()));
    assert!(!memory_holds(daemon.pid(), password.as_bytes()), "it stays in memory");
    for file in ["cmdline", "environ", "comm"] {
        let text = std::fs::read(format!("/proc/{}/{file}", daemon.pid())).unwrap();
        assert!(!contains(&text, password.as_bytes()), "it is in {file}");
    }
    let body = |path| String::from_utf8(daemon.get(path).body).unwrap();
    let shown = [daemon.log(), body("/v1/stats"), body(NS)].concat();
    assert!(!shown.contains(&password), "{shown}");
}

/// Whether a process has these bytes in the memory that it can write.
fn memory_holds(pid: u32, bytes: &[u8]) -> bool {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let regions = maps.lines().filter(|line| line.contains(" rw"));
    let holds = |line: &str| {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let address = |digits| u64::from_str_radix(digits, 16).unwrap();
        let mut region = vec![0; (address(to) - address(from)) as usize];
        // What is unmapped meanwhile holds nothing.
        memory.read_exact_at(&mut region, address(from)).is_ok() && contains(&region, bytes)
    };
    regions.into_iter().any(holds)
}

fn contains(text: &[u8], bytes: &[u8]) -> bool {
    memchr::memmem::find(text, bytes).is_some()
}

#[test]
fn what_a_server_cannot_keep_is_not_valid() {
    let server = Server::redis().unwrap();
    let daemon = daemon(&server, &[]);
    let create = |config| daemon.json(("PUT", "/v1/namespaces/other"), &config).status;
    assert_eq!(create(json!({"ttl": "1m", "time_to_idle": "1s"})), 422);
    assert_eq!(create(json!({"time_to_idle": "1h", "partitions": 20_000})), 422);
    assert_eq!(create(json!({"time_to_idle": "1h", "partitions": 2})), 201);
    let put = daemon.put("/v1/namespaces/other/entries/a?ttl=1m", b"1");
    assert_eq!(put.status, 422, "{put:?}");
}

#[test]
fn the_file_changes_a_namespace_that_is_there_and_the_api_does_not() {
    let server = Server::redis().unwrap();
    let mut first = daemon(&server, &[]);
    ready(&first);
    first.put(&format!("{NS}/entries/a"), b"1");
    first.create("other", &json!({"max_entries": 5}));
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));

    let url = server.url();
    let more = FILE.replace("max_entries = 50", "max_entries = 60");
    let second = Daemon::with_config(&more, &["--store", &url]);
    ready(&second);
    second.wait_for_log("not maintained here namespace=other");
    assert_eq!(second.get(NS).json()["config"]["max_entries"], 60);
    assert_eq!(second.get(&format!("{NS}/entries/a")).body, b"1");
    let other = ("PUT", "/v1/namespaces/other");
    let refused = second.json(other, &json!({"max_entries": 6}));
    assert_eq!((refused.status, refused.problem().as_str()), (409, "namespace-exists"));
    assert_eq!(second.json(other, &json!({"max_entries": 5})).status, 201);
    let patched = second.json(("PATCH", "/v1/namespaces/other"), &json!({"max_entries": 6}));
    assert_eq!((patched.status, &patched.json()["config"]["max_entries"]), (200, &json!(6)));

    // What cannot be as the file says is named, and the rest is in force.
    let half =
        "[namespaces.other]\nstrategy = \"lfu\"\nmax_entries = 5\n[namespaces.new]\nttl = \"1m\"";
    assert_eq!(second.delete("/v1/namespaces/users").status, 204);
    second.write_config("[namespaces.users]\nttl = \"1m\"");
    assert_eq!(second.post("/v1/reload").json()["removed"], json!(["other"]));
    second.write_config(half);
    let reloaded = second.post("/v1/reload");
    assert_eq!((reloaded.status, reloaded.problem().as_str()), (409, "reload-incomplete"));
    assert!(reloaded.json()["detail"].as_str().unwrap().contains("namespace other: strategy"));
    assert_eq!(second.get("/v1/namespaces/new").status, 200);
    assert_eq!(second.get("/v1/namespaces/other").status, 404);
}

#[test]
fn a_namespace_that_cannot_be_as_the_file_says_keeps_it_from_starting() {
    let server = Server::redis().unwrap();
    let url = server.url();
    let mut first = daemon(&server, &[]);
    ready(&first);
    first.signal("TERM");
    assert_eq!(first.wait().code(), Some(0));
    let fixed = FILE.replace("\"lru\"", "\"lfu\"");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inval.toml");
    std::fs::write(&path, fixed).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_inval"))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            &url,
            "--config",
            path.to_str().unwrap(),
        ])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("namespace users: strategy is lfu here but lru on the server"), "{text}");
}

#[test]
fn what_could_not_be_deleted_can_be_deleted_again() {
    let server = Server::redis().unwrap();
    let daemon = daemon(&server, &[]);
    ready(&daemon);
    server.kill().unwrap();
    let refused = daemon.delete(NS);
    assert_eq!((refused.status, refused.problem().as_str()), (503, "store-unavailable"));
    server.restart().unwrap();
    until("it is deleted", || (daemon.delete(NS).status == 204).then_some(()));
    assert_eq!(daemon.get(NS).status, 404);
    assert_eq!(server.command(&["DBSIZE"]).unwrap().int().unwrap(), 0);
}
