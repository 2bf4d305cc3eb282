//! `inval replay --store` against real servers: what it measures, and that it leaves nothing behind.

#![cfg(test)]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command as Inval;
use inval_test_servers::{Cluster, Endpoint, Options, Reply, Sentinel, Server};
use serde_json::Value;

/// Long enough to make up for its first second, in which a cache does not know yet which of its entries
/// were read.
const WORKLOAD: &str = "zipf:keys=10000,skew=0.9,requests=100000";

/// What `inval` did: exit code, standard output, standard error.
fn inval(args: &str) -> (i32, String, String) {
    let mut command = Inval::new(env!("CARGO_BIN_EXE_inval"));
    let output = command.args(args.split_whitespace()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn replay(args: &str) -> Vec<Value> {
    let (code, stdout, stderr) = inval(&format!("replay {args} --output json"));
    assert_eq!((code, stderr.as_str()), (0, ""), "{args}");
    serde_json::from_str(&stdout).unwrap()
}

fn keys(server: &Server) -> i64 {
    server.command(&["DBSIZE"]).unwrap().int().unwrap()
}

fn field(outcome: &Value, name: &str) -> f64 {
    outcome[name].as_f64().unwrap_or_else(|| panic!("no {name} in {outcome}"))
}

/// Compares a replay against a server with one in memory, and looks at what was measured there.
fn check(url: &str, args: &str) {
    let caches = format!("--workload {WORKLOAD} --max-entries 10% --strategy lru,s3-fifo");
    let in_memory = replay(&caches);
    let on_server = replay(&format!("{caches} --store {url} {args}"));
    for (memory, server) in in_memory.iter().zip(&on_server) {
        let fields = |outcome: &Value| outcome.as_object().unwrap().keys().cloned().collect();
        let (mut want, got): (Vec<String>, Vec<String>) = (fields(memory), fields(server));
        want.extend(
            ["overshoot_max_entries", "server_us_per_get", "server_us_per_put"].map(String::from),
        );
        want.sort();
        assert_eq!(got, want);
        for same in ["trace", "strategy", "requests", "max_entries", "max_bytes", "expired"] {
            assert_eq!(server[same], memory[same], "{same}");
        }
        assert_eq!(field(server, "hits") + field(server, "misses"), field(server, "requests"));
        let apart = field(memory, "miss_ratio") - field(server, "miss_ratio");
        assert!(apart.abs() < 0.02, "{memory} but {server}");
        // What was written and did not go is at the limit.
        let kept = field(server, "misses") - field(server, "evicted");
        assert_eq!(kept, field(server, "max_entries"), "{server}");
        assert!(field(server, "overshoot_max_entries") < field(server, "misses"));
        assert!(field(server, "server_us_per_get") > 0.0, "{server}");
        assert!(field(server, "server_us_per_put") > field(server, "server_us_per_get"));
    }
}

#[test]
fn a_server_misses_as_memory_does_and_is_left_empty() {
    let server = Server::redis().unwrap();
    check(&server.url(), "");
    assert_eq!(keys(&server), 0);
}

#[test]
fn partitions_sockets_and_one_lane_work_as_well() {
    let server = Server::start(Options::redis().endpoint(Endpoint::Unix)).unwrap();
    check(&server.url(), "--shards 3 --concurrency 8");
    assert_eq!(keys(&server), 0);
    let args =
        "--workload zipf:keys=100,requests=500 --strategy lru --concurrency 1 --max-entries 9";
    let outcomes = replay(&format!("{args} --store {}", server.url()));
    assert_eq!(outcomes[0]["requests"], 500);
    assert_eq!(keys(&server), 0);
}

#[test]
fn keys_of_others_are_left_alone() {
    let server = Server::redis().unwrap();
    let others = ["mine", "inval:{users}:config", "inval:{replay-lru-1000:0}:k:x"];
    for name in others {
        assert!(server.command(&["SET", name, "value"]).unwrap().is_ok());
    }
    check(&server.url(), "");
    assert_eq!(keys(&server), others.len() as i64);
    for name in others {
        assert_eq!(server.command(&["GET", name]).unwrap(), Reply::Bulk(b"value".to_vec()));
    }
}

#[test]
fn a_limit_in_bytes_counts_sizes_and_has_no_overshoot_in_entries() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("t.csv");
    let lines = (0..2000).map(|n| format!("{},100\n", n % 300)).collect::<String>();
    std::fs::write(&trace, format!("key,size_bytes\n{lines}")).unwrap();
    let server = Server::redis().unwrap();
    let args = format!("--trace {} --strategy fifo --max-bytes 10kB", trace.display());
    let outcome = &replay(&format!("{args} --store {}", server.url()))[0];
    assert_eq!(outcome["overshoot_max_entries"], Value::Null);
    assert_eq!(outcome["max_bytes"], 10_000);
    let kept = field(outcome, "misses") - field(outcome, "evicted");
    assert_eq!(kept, 100.0, "{outcome}");
    assert_eq!(keys(&server), 0);
}

#[test]
fn table_and_csv_show_what_was_measured() {
    let server = Server::redis().unwrap();
    let args = format!(
        "replay --workload zipf:keys=50,requests=500 --strategy fifo --max-entries 5 --store {}",
        server.url()
    );
    let (code, table, stderr) = inval(&args);
    assert_eq!((code, stderr.as_str()), (0, ""));
    let heading = table.lines().next().unwrap();
    assert!(heading.ends_with("time  over limit  us/get  us/put"), "{table}");
    let (code, csv, _) = inval(&format!("{args} --output csv"));
    assert_eq!(code, 0);
    let columns: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    let outcome = &replay(&args["replay ".len()..])[0];
    assert_eq!(columns.len(), outcome.as_object().unwrap().len(), "{csv}");
    assert!(columns.iter().all(|column| outcome.get(column).is_some()), "{csv}");
}

#[test]
fn a_cluster_and_a_sentinel_lead_to_their_servers() {
    let cluster = Cluster::start(3, 0).unwrap();
    let address = |server: &Server| server.address().to_string();
    check(&format!("redis+cluster://{}", address(cluster.node(1))), "--shards 6");
    for node in 0..3 {
        assert_eq!(keys(cluster.node(node)), 0, "node {node}");
    }
    let sentinel = Sentinel::start(0, 1).unwrap();
    let (hosts, name) = (address(&sentinel.sentinels()[0]), sentinel.master_name());
    check(&format!("redis+sentinel://{hosts}/{name}"), "");
    assert_eq!(keys(sentinel.master().unwrap()), 0);
}

#[test]
fn failures_say_what_is_wrong_and_show_no_password() {
    let server = Server::start(Options::redis().password("hush")).unwrap();
    let down = Server::redis().unwrap();
    down.kill().unwrap();
    let (port, down) = (server.port(), down.url());
    let check = |args: &str, want_code, want: &str| {
        let (code, stdout, stderr) = inval(&format!("replay --workload loop {args}"));
        assert_eq!(code, want_code, "{args}: {stderr}");
        assert!(stderr.contains(want), "{args}: {stderr}");
        assert!(!stderr.contains("hush") && !stderr.contains("bob"), "{args}: {stderr}");
        assert_eq!(stdout, "", "{args}");
    };
    check("--store http://bob:hush@host", 2, "must begin with redis://");
    check("--store redis://bob:hu/hush@host", 2, "write @ : / ? # % , as %40");
    check("redis://bob:hush@host", 2, "unexpected argument '<URL>'");
    check("--strategy=redis://bob:hush@host", 2, "invalid value '<URL>'");
    check("--store memory", 2, "--store is neither memory: nor a server");
    check(&format!("--store {down}"), 4, "check its address and that it runs");
    check(&format!("--store redis://127.0.0.1:{port}"), 1, "give credentials");
    check(&format!("--store redis://bob:hush@127.0.0.1:{port}"), 1, "WRONGPASS");
    check(&format!("--store redis://:hush@127.0.0.1:{port} --shards 20000"), 2, "1 to 16384");
    check(
        &format!("--store redis://:hush@127.0.0.1:{port} --trace - --max-entries 5"),
        2,
        "--trace",
    );
    check("--concurrency 5", 2, "--store");
    check("--store-credentials env", 2, "--store");
    let only_once = format!("--store redis://:hush@127.0.0.1:{port} --max-entries 5");
    let (code, _, stderr) = inval(&format!("replay --trace - {only_once}"));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("name one strategy and one size"), "{stderr}");
    assert_eq!(keys(&server), 0);
}

#[test]
fn credentials_come_from_a_file_or_the_environment() {
    let rules = "bob on >hush ~* &* +@all";
    let server = Server::start(Options::redis().password("other").user(rules)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("credentials");
    std::fs::write(&file, "bob\nhush\n").unwrap();
    let run = |credentials: &str| {
        let mut command = Inval::new(env!("CARGO_BIN_EXE_inval"));
        let args = format!(
            "replay --workload zipf:keys=50,requests=500 --strategy lru --max-entries 5 --store {} \
             --store-credentials {credentials}",
            server.url()
        );
        command.env("INVAL_REDIS_USER", "bob").env("INVAL_REDIS_PASSWORD", "hush");
        command.args(args.split_whitespace()).assert().success();
    };
    run(&file.display().to_string());
    run("env");
    assert_eq!(keys(&server), 0);
}

#[test]
fn a_user_without_info_gets_results_without_costs() {
    let rules = "bob on >hush ~inval:* &* +@all -info -dbsize";
    let server = Server::start(Options::redis().user(rules)).unwrap();
    let url = format!("redis://bob:hush@{}", server.address());
    let args = "--workload zipf:keys=500,requests=5000 --strategy lru --max-entries 50";
    let outcome = &replay(&format!("{args} --store {url}"))[0];
    assert_eq!(outcome["server_us_per_get"], Value::Null);
    assert_eq!(outcome["server_us_per_put"], Value::Null);
    assert!(outcome["overshoot_max_entries"].is_u64(), "{outcome}");
    assert_eq!(keys(&server), 0);
}

#[test]
fn a_manager_that_cannot_work_ends_the_replay() {
    let rules = "bob on >hush ~inval:* &* +@all -evalsha -eval";
    let server = Server::start(Options::redis().user(rules)).unwrap();
    let url = format!("redis://bob:hush@{}", server.address());
    let (code, stdout, stderr) = inval(&format!("replay --workload loop --store {url}"));
    assert_eq!((code, stdout.as_str()), (1, ""), "{stderr}");
    assert!(stderr.contains("NOPERM"), "{stderr}");
    assert_eq!(keys(&server), 0);
}

#[test]
fn malformed_input_and_a_signal_leave_nothing_behind() {
    let server = Server::redis().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("bad.csv");
    let good = (0..5000).map(|n| format!("{n}\n")).collect::<String>();
    std::fs::write(&trace, format!("key,size_bytes\n{good}1,x\n")).unwrap();
    let args = format!("--trace {} --store {}", trace.display(), server.url());
    let (code, _, stderr) = inval(&format!("replay {args} --max-entries 10"));
    assert_eq!(code, 2, "{stderr}");
    assert_eq!(keys(&server), 0);
    for signal in ["-INT", "-TERM"] {
        let mut child =
            start(&format!("--workload loop:requests=100000000 --store {}", server.url()));
        wait_for(|| keys(&server) > 100);
        let status = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(status.unwrap().success());
        let output = finish(&mut child, 1);
        assert_eq!(output, "inval: interrupted\n");
        assert_eq!(keys(&server), 0);
    }
}

#[test]
fn a_server_that_dies_ends_the_replay() {
    let server = Server::redis().unwrap();
    let mut child = start(&format!("--workload loop:requests=100000000 --store {}", server.url()));
    wait_for(|| keys(&server) > 100);
    server.kill().unwrap();
    let output = finish(&mut child, 4);
    assert!(output.contains("keys were left on the server: inval:{replay-ttl-10000-"), "{output}");
    assert!(output.contains(&format!("inval: {}: ", server.url())), "{output}");
}

fn start(args: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_inval"))
        .args(["replay", "--max-entries", "10000"])
        .args(args.split_whitespace())
        .current_dir(Path::new("."))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits for the end with an exit code, and returns what was said.
fn finish(child: &mut Child, want_code: i32) -> String {
    wait_for(|| child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(want_code));
    std::io::read_to_string(child.stderr.take().unwrap()).unwrap()
}

fn wait_for(mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it takes too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}
