//! The operator's commands against a daemon that plays its part: what each asks, and what it makes of the answers.

#![cfg(test)]

mod support;
#[cfg(target_os = "linux")]
#[path = "daemon/terminal.rs"]
mod terminal;
#[path = "daemon/top.rs"]
mod top;

use std::net::TcpListener;
use std::slice::from_ref;

use assert_cmd::Command;
use serde_json::{Value, json};
use support::{Answer, Daemon, answer, problem};

/// What `inval` did: exit code, standard output, standard error.
type Done = (i32, String, String);

fn inval(args: &[&str], stdin: &[u8], daemon: &str) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    command.env("INVAL_DAEMON", daemon).env_remove("INVAL_NAMESPACE");
    let output = command.args(args).write_stdin(stdin).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs `inval args` against a daemon that plays `answers`. It must ask what `asked` says, a line of method
/// and path each, followed by the body if there is one, and end as `want` says.
fn check(args: &str, answers: &[Answer], asked: &[&str], want: (i32, &str, &str)) {
    let daemon = Daemon::playing(answers.iter().cloned());
    let args: Vec<&str> = args.split(' ').collect();
    let (code, stdout, stderr) = inval(&args, b"", &daemon.url);
    assert_eq!((code, stdout.as_str(), stderr.as_str()), want, "{args:?}");
    let got: Vec<String> = daemon.asked().iter().map(told).collect();
    assert_eq!(got, asked, "{args:?}");
}

fn told(asked: &support::Asked) -> String {
    let body = String::from_utf8_lossy(&asked.body);
    if body.is_empty() { asked.line.clone() } else { format!("{} {body}", asked.line) }
}

fn statistics(hits: u64, misses: u64) -> Value {
    let amount = |entries: u64| json!({ "entries": entries, "bytes": 10 * entries });
    json!({
        "usage": amount(1234),
        "strategy": "lru",
        "state": "ready",
        "limits": { "max_entries": 2000, "max_bytes": null },
        "hits": hits,
        "misses": misses,
        "miss_ratio": 0.25,
        "inserted": amount(1300),
        "rejected": 1,
        "removed": {
            "expired": amount(6), "evicted": amount(50), "invalidated": amount(4),
            "replaced": amount(5), "vanished": amount(1)
        },
        "evicted_age_ms": { "p50": 127, "p90": 255, "p99": null },
        "evicted_idle_ms": { "p50": 63, "p90": 127, "p99": 127 },
        "peak": amount(2000),
        "lag_ms": 12,
        "max_lag_ms": 1000,
        "backlog": 3,
        "age_ms": 0
    })
}

fn namespace(name: &str) -> Value {
    json!({
        "name": name,
        "config": {
            "strategy": "lru", "max_entries": 2000, "max_bytes": null, "ttl": "1h30m",
            "time_to_idle": null, "ttl_jitter": 0.1
        },
        "partitions": 2,
        "paused": false
    })
}

#[test]
fn get_writes_the_value_and_nothing_else() {
    let entry = "GET /v1/namespaces/users/entries/a%2Fb";
    check("get a/b -n users", &[answer(200, "v 1")], &[entry], (0, "v 1", ""));
    check("get a/b -n users", &[answer(200, "")], &[entry], (0, "", ""));
    check("get 612f62 --key-encoding hex -n users", &[answer(200, "v")], &[entry], (0, "v", ""));
    check("get YS9i --key-encoding base64 -n users", &[answer(200, "v")], &[entry], (0, "v", ""));
    let object = "{\n  \"key\": \"a/b\",\n  \"value\": \"v\"\n}\n";
    check("get a/b -n users --output json", &[answer(200, "v")], &[entry], (0, object, ""));
    let object = "{\n  \"key\": \"a/b\",\n  \"value\": {\n    \"base64\": \"/w==\"\n  }\n}\n";
    check("get a/b -n users --output json", &[answer(200, b"\xff")], &[entry], (0, object, ""));
}

#[test]
fn what_is_not_there_is_exit_code_3_and_writes_nothing() {
    let entry = "/v1/namespaces/users/entries/k";
    let nobody = "inval: there is no entry under the key in the namespace users\n";
    let no_entry = problem(404, "no-entry", "There is no entry.");
    let no_namespace = problem(404, "unknown-namespace", "There is no namespace users.");
    let get = &*format!("GET {entry}");
    check("get k -n users", &[no_entry], &[get], (3, "", nobody));
    let none = "inval: there is no namespace users; `inval ns list` shows those there are\n";
    let none = (3, "", none);
    check("get k -n users", from_ref(&no_namespace), &[get], none);
    // The answer to HEAD has no body, so another request tells what is missing.
    let head = &*format!("HEAD {entry}");
    let show = "GET /v1/namespaces/users";
    let there = answer(200, &namespace("users").to_string());
    check("ttl k -n users", &[answer(404, ""), there], &[head, show], (3, "", nobody));
    check("ttl k -n users", &[answer(404, ""), no_namespace], &[head, show], none);
}

#[test]
fn put_sends_bytes_ttl_and_condition() {
    let put = "PUT /v1/namespaces/users/entries/k";
    let stored = [answer(204, "")];
    check("put k v -n users", &stored, &[&format!("{put} v")], (0, "", ""));
    let with_ttl = format!("{put}?ttl=1m30s v");
    check("put k v -n users --ttl 90s", &stored, &[&with_ttl], (0, "", ""));
    let outcome = "{\n  \"outcome\": \"stored\"\n}\n";
    check("put k v -n users --output json", &stored, &[&format!("{put} v")], (0, outcome, ""));
    let large = problem(413, "value-too-large", "The value has 9 bytes, the limit is 5.");
    let want = (2, "", "inval: The value has 9 bytes, the limit is 5.\n");
    check("put k v -n users", &[large], &[&format!("{put} v")], want);

    let unmet = [problem(412, "condition-unmet", "Unmet.")];
    let is_there = "inval: there is an entry under the key already, so nothing was written\n";
    let args = "put k v -n users --if-absent";
    check(args, &unmet, &[&format!("{put} v")], (3, "", is_there));
    let is_gone = "inval: there is no entry under the key, so nothing was written\n";
    let args = "put k v -n users --if-present";
    check(args, &unmet, &[&format!("{put} v")], (3, "", is_gone));
    for (flag, header) in [("--if-absent", "if-none-match"), ("--if-present", "if-match")] {
        let daemon = Daemon::playing(stored.clone());
        assert_eq!(inval(&["put", "k", "v", "-n", "users", flag], b"", &daemon.url).0, 0);
        let asked = daemon.asked().remove(0);
        assert_eq!(asked.headers[header], "*");
        assert_eq!(asked.headers["content-type"], "application/octet-stream");
    }
}

#[test]
fn values_come_from_files_and_standard_input_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("value");
    std::fs::write(&file, b"\x00\xff\n").unwrap();
    let file = file.to_str().unwrap();
    let check = |args: &[&str], stdin: &[u8], want: &[u8]| {
        let daemon = Daemon::playing([answer(204, "")]);
        let args = [&["put", "k", "-n", "users"], args].concat();
        assert_eq!(inval(&args, stdin, &daemon.url), (0, String::new(), String::new()));
        let asked = daemon.asked().remove(0);
        assert_eq!(asked.body, want);
        assert_eq!(asked.headers["content-length"], want.len().to_string());
    };
    check(&["--file", file], b"", b"\x00\xff\n");
    check(&["-"], b"\xfe\x00", b"\xfe\x00");
    check(&["-"], b"", b"");
    check(&[""], b"", b"");
    check(&["--", "-v"], b"", b"-v");
    let (code, _, stderr) = inval(&["put", "k", "-n", "users", "--file", "/no/such"], b"", "");
    assert_eq!((code, stderr.contains("/no/such: No such file")), (1, true), "{stderr}");
}

#[test]
fn rm_tells_how_many_entries_there_were() {
    let invalidate = "POST /v1/namespaces/users/invalidate";
    let done = answer(200, r#"{"matched":1,"deleted":1,"dry_run":false}"#);
    let asked = format!(r#"{invalidate} {{"dry_run":false,"keys":["a","b"]}}"#);
    check("rm b a b -n users", &[done], &[&asked], (0, "1 of 2 deleted\n", ""));
    let dry = answer(200, r#"{"matched":2,"deleted":0,"dry_run":true}"#);
    let asked = format!(r#"{invalidate} {{"dry_run":true,"keys":["a",{{"base64":"/w=="}}]}}"#);
    let args = "rm 61 ff --key-encoding hex -n users --dry-run";
    check(args, from_ref(&dry), &[&asked], (0, "2 of 2 would be deleted\n", ""));
    let object = "{\n  \"matched\": 2,\n  \"deleted\": 0,\n  \"dry_run\": true\n}\n";
    check(&format!("{args} --output json"), &[dry], &[&asked], (0, object, ""));
}

#[test]
fn ttl_tells_a_duration_as_options_take_it() {
    let head = "HEAD /v1/namespaces/users/entries/k";
    let mortal = [answer(200, "").header("Inval-Expires-In-Ms", 5_400_001)];
    check("ttl k -n users", &mortal, &[head], (0, "1h30m1ms\n", ""));
    check("ttl k -n users", &[answer(200, "")], &[head], (0, "never\n", ""));
    let object = "{\n  \"expires_in_ms\": 5400001\n}\n";
    check("ttl k -n users --output json", &mortal, &[head], (0, object, ""));
    let object = "{\n  \"expires_in_ms\": null\n}\n";
    check("ttl k -n users --output json", &[answer(200, "")], &[head], (0, object, ""));
}

#[test]
fn explain_says_in_sentences_what_the_daemon_tells() {
    let explanation = |present: Value, removals: Value| {
        json!({
            "present": present,
            "removals": removals,
            "remembered": { "share": 1.0, "includes_key": true, "since_ms": 61_000, "missed": 0 },
            "maintained_here": true,
            "config": namespace("users")["config"],
            "partitions": 2,
            "usage": { "entries": 1_990, "bytes": 12_340 }
        })
    };
    let asked = ["GET /v1/namespaces/users/explain/a%2Fb"];
    let check = |told: &Value, want: (i32, &str)| {
        let answers = [answer(200, &told.to_string())];
        check("explain a/b -n users", &answers, &asked, (want.0, want.1, ""));
    };
    let entry =
        json!({ "weight": 1234, "expires_in_ms": 42_900, "idle_ms": 3_000, "age_ms": 120_000 });
    let evicted = json!({ "cause": "evicted", "weight": 1234, "ago_ms": 12_345 });
    let expired = json!({ "cause": "expired", "weight": 7, "ago_ms": 90_000 });
    let present = explanation(entry, json!([]));
    let line = "present: 1,234 bytes, expires in 42s, last used 3s ago, written 2m ago\n";
    check(&present, (0, line));
    let least = json!({ "weight": null, "expires_in_ms": null, "idle_ms": 400, "age_ms": null });
    let again = explanation(least, json!([evicted, expired]));
    let lines = "present: does not expire, last used just now\n\
                 before: evicted 12s ago (1,234 bytes), expired 1m30s ago (7 bytes)\n";
    check(&again, (0, lines));
    let gone = explanation(Value::Null, json!([evicted, expired]));
    let lines = "absent: evicted 12s ago (1,234 bytes); lru evicts what was used least recently to keep \
                 max_entries 2,000; raise max_entries to keep entries longer\n\
                 before: expired 1m30s ago (7 bytes)\n";
    check(&gone, (3, lines));
    let gone = explanation(Value::Null, Value::Array(vec![expired; 7]));
    let often = ["expired 1m30s ago (7 bytes)"; 4].join(", ");
    let lines = format!(
        "absent: expired 1m30s ago (7 bytes); write it with a TTL of its own, or raise ttl, which is \
         1h30m\nbefore: {often}, 2 more\n"
    );
    check(&gone, (3, &lines));
    let never = explanation(Value::Null, json!([]));
    let line =
        "absent: it was never there, or went more than 1m1s ago, before what is remembered\n";
    check(&never, (3, line));
    for (told, want) in [(&present, 0), (&never, 3)] {
        let daemon = Daemon::playing([answer(200, &told.to_string())]);
        let args = ["explain", "a/b", "-n", "users", "--output", "json"];
        let (code, stdout, stderr) = inval(&args, b"", &daemon.url);
        assert_eq!((code, stderr.as_str()), (want, ""));
        assert_eq!(&serde_json::from_str::<Value>(&stdout).unwrap(), told);
    }
    let none = "inval: there is no namespace users; `inval ns list` shows those there are\n";
    let no_namespace = problem(404, "unknown-namespace", "There is no namespace users.");
    crate::check("explain a/b -n users", &[no_namespace], &asked, (3, "", none));
}

#[test]
fn namespaces_are_listed_by_name_and_shown() {
    let both = json!({ "namespaces": [namespace("b"), namespace("a")] }).to_string();
    let table = "\
namespace  strategy  max entries  max bytes    ttl  idle  jitter  partitions  paused
a               lru        2,000          -  1h30m     -     0.1           2      no
b               lru        2,000          -  1h30m     -     0.1           2      no
";
    check("ns list", &[answer(200, &both)], &["GET /v1/namespaces"], (0, table, ""));
    let shown = "\
namespace     a
strategy      lru
max entries   2,000
max bytes     -
ttl           1h30m
time to idle  -
ttl jitter    0.1
partitions    2
paused        no
";
    let one = answer(200, &namespace("a").to_string());
    check("ns show a", from_ref(&one), &["GET /v1/namespaces/a"], (0, shown, ""));
    let daemon = Daemon::playing([one]);
    let (code, stdout, _) = inval(&["ns", "show", "a", "--output", "json"], b"", &daemon.url);
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), namespace("a"));
}

#[test]
fn namespaces_are_created_and_changed_as_asked() {
    let info = answer(200, &namespace("a").to_string());
    let ends = |args: &str, answers: &[Answer], asked: &[&str], want: (i32, &str)| {
        let daemon = Daemon::playing(answers.iter().cloned());
        let args: Vec<&str> = args.split(' ').collect();
        let (code, _, stderr) = inval(&args, b"", &daemon.url);
        assert_eq!((code, stderr.as_str()), want, "{args:?}");
        let got: Vec<String> = daemon.asked().iter().map(told).collect();
        assert_eq!(got, asked, "{args:?}");
    };
    let show = "GET /v1/namespaces/a";
    let body =
        r#"{"max_bytes":1048576,"partitions":2,"strategy":"lru","ttl":"1m30s","ttl_jitter":0.1}"#;
    let put = &*format!("PUT /v1/namespaces/a {body}");
    let args =
        "ns create a --strategy lru --max-bytes 1MiB --ttl 90s --ttl-jitter 0.1 --partitions 2";
    ends(args, &[answer(201, "{}"), info.clone()], &[put, show], (0, ""));
    let same = "inval: the namespace a was there already, just so\n";
    ends(args, &[answer(200, "{}"), info.clone()], &[put, show], (0, same));
    let exists = problem(409, "namespace-exists", "It is another one.");
    let told = "inval: the namespace a is there already and keeps to something else; `inval ns set` \
                changes it\n";
    ends(args, &[exists], &[put], (2, told));

    let patch = r#"PATCH /v1/namespaces/a {"max_entries":5,"time_to_idle":null,"ttl":null}"#;
    let args = "ns set a --max-entries 5 --ttl none --time-to-idle none";
    ends(args, &[answer(200, "{}"), info], &[patch, show], (0, ""));
    let nothing =
        "inval: nothing to set; name a limit, --ttl or --ttl-jitter, see `inval ns set --help`\n";
    ends("ns set a", &[], &[], (2, nothing));

    let deleted = [answer(204, "")];
    check("ns rm a --yes", &deleted, &["DELETE /v1/namespaces/a"], (0, "a deleted\n", ""));
    let unasked =
        "inval: nobody can be asked here; to delete the namespace with its entries add --yes\n";
    check("ns rm a", &[], &[], (2, "", unasked));
}

#[test]
fn statistics_are_a_row_a_namespace_or_all_of_one() {
    let all = json!({ "namespaces": { "b": statistics(0, 0), "a": statistics(3000, 1000) } });
    let table = "\
namespace  entries  limit   bytes  limit   hits  misses  miss ratio  evicted  expired  backlog   lag
a            1,234  2,000  12,340      -  3,000   1,000      0.2500       50        6        3  12ms
b            1,234  2,000  12,340      -      0       0      0.2500       50        6        3  12ms
";
    check("stats", &[answer(200, &all.to_string())], &["GET /v1/stats"], (0, table, ""));
    let one = answer(200, &statistics(3000, 1000).to_string());
    let everything = "\
a            entries   bytes
usage          1,234  12,340
limit          2,000       -
peak           2,000  20,000
inserted       1,300  13,000
expired            6      60
evicted           50     500
invalidated        4      40
replaced           5      50
vanished           1      10

strategy    lru
state       ready
hits        3,000
misses      1,000
miss ratio  0.2500
rejected    1
backlog     3
lag         12ms
max lag     1s

evicted    p50    p90    p99
age      127ms  255ms      -
idle      63ms  127ms  127ms
";
    check("stats a", from_ref(&one), &["GET /v1/namespaces/a/stats"], (0, everything, ""));
    for (args, answered, want) in [
        (&["stats", "--output", "json"][..], answer(200, &all.to_string()), all),
        (&["stats", "a", "--output", "json"][..], one, statistics(3000, 1000)),
    ] {
        let daemon = Daemon::playing([answered]);
        let (code, stdout, _) = inval(args, b"", &daemon.url);
        assert_eq!(code, 0);
        assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), want);
    }
}

#[test]
fn watching_goes_on_for_as_many_readings_as_asked_for() {
    let reading = |hits| answer(200, &statistics(hits, 0).to_string());
    let args = "stats a --watch 100ms --count 3";
    let readings = [reading(0), reading(0), reading(1_000_000)];
    let daemon = Daemon::playing(readings.clone());
    let (code, stdout, stderr) = inval(&args.split(' ').collect::<Vec<_>>(), b"", &daemon.url);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert_eq!(daemon.asked().len(), 3);
    let blocks: Vec<&str> = stdout.split("\n\n").collect();
    assert_eq!(blocks.len(), 3, "{stdout}");
    let cell = |block: &str, column: usize| {
        let row = block.lines().nth(1).unwrap();
        row.split_whitespace().nth(column).unwrap().to_owned()
    };
    assert!(blocks[0].starts_with("namespace  entries   bytes  hits/s"), "{stdout}");
    assert_eq!(cell(blocks[0], 3), "-", "there is nothing to compare with");
    assert_eq!(cell(blocks[1], 3), "0.0");
    assert!(!["-", "0.0"].contains(&cell(blocks[2], 3).as_str()), "{stdout}");

    let daemon = Daemon::playing(readings);
    let args = format!("{args} --output json");
    let (code, stdout, _) = inval(&args.split(' ').collect::<Vec<_>>(), b"", &daemon.url);
    assert_eq!(code, 0);
    let rates: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|reading| reading["namespaces"]["a"]["rates_per_s"]["hits"].clone())
        .collect();
    assert_eq!(rates[..2], [Value::Null, json!(0.0)]);
    assert!(rates[2].as_f64().unwrap() > 0.0);
}

#[test]
fn run_now_asks_until_nothing_is_left() {
    let slice = |evicted: u64, is_done: bool| {
        let body = json!({ "evicted": evicted, "expired": 1, "records": 2, "is_done": is_done });
        answer(200, &body.to_string())
    };
    let run = |name: &str| format!("POST /v1/namespaces/{name}/run?timeout=10s {{}}");
    let table = "\
namespace  evicted  expired  changes booked  done
a            1,007        2               4   yes
b                0        1               2   yes
";
    let answers = [slice(1000, false), slice(7, true), slice(0, true)];
    let asked = [&*run("a"), &*run("a"), &*run("b")];
    check("run-now a b a", &answers, &asked, (0, table, ""));

    let all = json!({ "namespaces": [namespace("b")] }).to_string();
    let object = "[\n  {\n    \"evicted\": 0,\n    \"expired\": 1,\n    \"is_done\": true,\n    \
                  \"namespace\": \"b\",\n    \"records\": 2\n  }\n]\n";
    let asked = ["GET /v1/namespaces", &*run("b")];
    let answers = [answer(200, &all), slice(0, true)];
    check("run-now --output json", &answers, &asked, (0, object, ""));

    let daemon = Daemon::playing([slice(1, false)]);
    let args = ["run-now", "a", "--timeout", "0s"];
    let (code, stdout, stderr) = inval(&args, b"", &daemon.url);
    assert_eq!(code, 1);
    assert!(stdout.ends_with("  no\n"), "{stdout}");
    assert!(stderr.contains("something is left to do in a"), "{stderr}");
}

#[test]
fn a_daemon_that_cannot_be_asked_is_exit_code_4() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, stdout, stderr) = inval(&["ns", "list"], b"", &format!("http://{closed}"));
    let want = format!(
        "inval: no daemon answers at {closed}; start one with `inval serve`, or name another with \
         --daemon\n"
    );
    assert_eq!((code, stdout.as_str(), stderr), (4, "", want));

    let check = |answered: Answer, want_code: i32, want: &str| {
        let daemon = Daemon::playing([answered]);
        let (code, stdout, stderr) = inval(&["ns", "list"], b"", &daemon.url);
        assert_eq!((code, stdout.as_str()), (want_code, ""), "{stderr}");
        assert!(stderr.contains(want), "{stderr}");
    };
    check(answer(404, "<html>"), 4, "is no daemon (status 404); name another with --daemon");
    check(answer(301, "").header("Location", "http://127.0.0.1:1/"), 4, "(status 301)");
    check(answer(200, "<html>"), 1, "see that it and this program are of one version");
    check(problem(503, "store-unavailable", "The server is loading."), 4, "The server is loading.");
    check(problem(502, "store-failed", "The server refused."), 1, "The server refused.");
    check(problem(504, "timeout", "It took too long."), 4, "It took too long.");

    // One that takes the request and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = std::thread::spawn(move || drop(listener.accept().unwrap()));
    let (code, _, stderr) = inval(&["put", "k", "v", "-n", "users"], b"", &url);
    silent.join().unwrap();
    assert_eq!(code, 4, "{stderr}");
    assert!(stderr.contains("may or may not have taken effect"), "{stderr}");
}

#[test]
fn what_is_wrong_is_said_without_keys_values_and_passwords() {
    let check = |args: &[&str], daemon: &str, want_code: i32, want: &str| {
        let (code, stdout, stderr) = inval(args, b"", daemon);
        assert_eq!((code, stdout.as_str()), (want_code, ""), "{args:?}: {stderr}");
        assert!(stderr.contains(want), "{args:?}: {stderr}");
        assert!(!stderr.contains("hush"), "{args:?}: {stderr}");
    };
    let get = ["get", "k", "-n", "users"];
    check(&get, "http://bob:hush@host", 2, "INVAL_DAEMON: a daemon asks for no user and password");
    check(&get, "ftp://hush", 2, "begins with http:// or https://");
    check(&get, "hush", 2, "begins with http://");
    check(&[&get[..], &["--daemon", "http://bob:hush@host"]].concat(), "", 2, "--daemon: a daemon");
    check(
        &[&get[..], &["--store", "memory:"]].concat(),
        "",
        2,
        "start a daemon with `inval serve`",
    );
    check(
        &[&get[..], &["--store", "http://bob:hush@h"]].concat(),
        "",
        2,
        "must begin with redis://",
    );
    check(&["get", "hush", "--key-encoding", "hex", "-n", "users"], "", 2, "not hexadecimal");
    check(&["get", "", "-n", "users"], "", 2, "a key needs at least one byte");
    check(&["get", "k", "hush", "-n", "users"], "", 2, "unexpected argument");
    check(&["put", "k", "v", "hush", "-n", "users"], "", 2, "unexpected argument");
    check(&["put", "k", "-xhush", "-n", "users"], "", 2, "unexpected argument '-x'");
    check(&["get", "k"], "", 2, "--namespace <NS>");
    let long = "/".repeat(30_000);
    check(&["get", &long, "-n", "users"], "http://127.0.0.1:1", 2, "too long for a URL");
}

#[test]
fn the_namespace_may_come_from_the_environment() {
    let daemon = Daemon::playing([answer(200, "v")]);
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    command.env("INVAL_NAMESPACE", "users").env("INVAL_DAEMON", "http://bob:hush@host");
    command.args(["get", "k", "--daemon", &daemon.url]).assert().success().stdout("v");
    assert_eq!(daemon.asked()[0].line, "GET /v1/namespaces/users/entries/k");
}
