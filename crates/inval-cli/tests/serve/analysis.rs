//! Analyses over HTTP: what they find, that there is one at a time, and how long results are kept.

use serde_json::{Value, json};

use super::client::Response;
use super::daemon::{Daemon, until};

const NS: &str = "/v1/namespaces/users";
const ANALYSIS: &str = "/v1/namespaces/users/analysis";

/// A daemon with the namespace `users` and so many entries in it, half of which expire.
fn daemon(entries: u64) -> Daemon {
    let daemon = Daemon::start();
    create(&daemon);
    for (prefix, ttl) in [("user:", None), ("session:", Some("10m"))] {
        let entry = |n: u64| json!({"key": format!("{prefix}{n:04}"), "value": "a value"});
        let entries: Vec<Value> = (0..entries / 2).map(entry).collect();
        let mut body = json!({ "entries": entries });
        if let Some(ttl) = ttl {
            body["ttl"] = json!(ttl);
        }
        assert_eq!(daemon.json(("POST", &format!("{NS}/batch/put")), &body).status, 200);
    }
    daemon
}

fn create(daemon: &Daemon) {
    daemon.create("users", &json!({"max_entries": 10_000, "partitions": 1}));
}

fn start(daemon: &Daemon, options: &Value) -> Response {
    daemon.json(("POST", ANALYSIS), options)
}

/// Options with which an analysis does not come to an end within a test.
fn endless() -> Value {
    json!({"page_size": 1, "duty_cycle": 1e-9})
}

/// Waits until the analysis is in this state, and returns what is told of it.
fn report(daemon: &Daemon, state: &str) -> Value {
    until("the analysis gets there", || {
        let report = daemon.get(ANALYSIS).json();
        (report["state"] == state).then_some(report)
    })
}

#[test]
fn an_analysis_tells_of_everything_in_the_namespace() {
    let daemon = daemon(1_000);
    daemon.put(&format!("{NS}/entries/%FF:large"), &[b'v'; 5_000]);
    daemon.put(&format!("{NS}/entries/bare"), b"");
    let before = daemon.get(&format!("{NS}/stats")).json();
    let started = start(&daemon, &json!({"top": 3, "page_size": 100, "duty_cycle": 0.5}));
    assert_eq!(started.status, 202, "{started:?}");
    let report = report(&daemon, "done");
    let want = json!({"page_size": 100, "duty_cycle": 0.5, "delimiter": ":", "depth": 1, "top": 3});
    assert_eq!(report["options"], want);
    assert_eq!(report["progress"], json!({"entries": 1002, "booked": 1002, "pages": 11}));
    let result = &report["result"];
    assert_eq!(result["seen"], before["usage"]);
    assert_eq!(result["unprefixed"], json!({"entries": 1, "bytes": 4}));
    let prefixes = json!([
        {"prefix": "session:", "entries": 500, "bytes": 500 * 19, "error": 0},
        {"prefix": "user:", "entries": 500, "bytes": 500 * 16, "error": 0},
        {"prefix": {"base64": "/zo="}, "entries": 1, "bytes": 5_007, "error": 0},
    ]);
    assert_eq!(result["prefixes"], prefixes);
    let largest = &result["largest"];
    assert_eq!(largest[0], json!({"key": {"base64": "/zpsYXJnZQ=="}, "bytes": 5_007}));
    assert_eq!(largest[1], json!({"key": "session:0000", "bytes": 19}));
    assert_eq!(largest.as_array().unwrap().len(), 3);
    let left = &result["remaining_ms"];
    assert_eq!((&left["count"], &left["missing"]), (&json!(500), &json!(502)));
    let buckets = result["bytes"]["buckets"].as_array().unwrap();
    let filled: Vec<&Value> = buckets.iter().filter(|bucket| bucket["count"] != 0).collect();
    let want = json!([
        {"up_to": 7, "count": 1}, {"up_to": 31, "count": 1000}, {"up_to": 8191, "count": 1},
    ]);
    assert_eq!((json!(filled), buckets.len()), (want, 11));
    assert_eq!(result["estimated"], 0);
    assert!(result["duty_cycle"].as_f64().unwrap() <= 0.5, "{result}");
    let after = daemon.get(&format!("{NS}/stats")).json();
    assert_eq!((&after["hits"], &after["misses"]), (&before["hits"], &before["misses"]));
}

#[test]
fn one_is_under_way_at_a_time_and_can_be_cancelled() {
    let daemon = daemon(100);
    assert_eq!(daemon.get(ANALYSIS).json()["type"], "urn:inval:problem:no-analysis");
    assert_eq!(start(&daemon, &endless()).status, 202);
    let refused = start(&daemon, &json!({}));
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(refused.json()["type"], "urn:inval:problem:analysis-running");
    let running = report(&daemon, "running");
    assert!(running["result"].is_null() && running["progress"]["entries"].is_u64(), "{running}");
    assert_eq!(daemon.delete(ANALYSIS).status, 204);
    assert_eq!(daemon.get(ANALYSIS).json()["state"], "cancelled");
    assert_eq!(start(&daemon, &json!({})).status, 202, "there is room for another");
    let done = report(&daemon, "done");
    assert_eq!(daemon.delete(ANALYSIS).status, 204);
    assert_eq!(daemon.get(ANALYSIS).json(), done, "what has ended stays as it is");
}

#[test]
fn an_analysis_goes_with_its_namespace() {
    let daemon = daemon(100);
    assert_eq!(start(&daemon, &endless()).status, 202);
    assert_eq!(daemon.delete(NS).status, 204);
    assert_eq!(daemon.get(ANALYSIS).json()["type"], "urn:inval:problem:unknown-namespace");
    create(&daemon);
    assert_eq!(daemon.get(ANALYSIS).json()["type"], "urn:inval:problem:no-analysis");
    assert_eq!(start(&daemon, &json!({})).status, 202);
    assert_eq!(report(&daemon, "done")["result"]["seen"]["entries"], 0);
}

#[test]
fn what_is_no_option_is_refused() {
    let daemon = daemon(0);
    let check = |options: Value, want: &str| {
        let refused = start(&daemon, &options);
        assert_eq!(refused.status, 422, "{refused:?}");
        let problem = refused.json();
        assert!(problem["detail"].as_str().unwrap().contains(want), "{problem}");
    };
    check(json!({"page_size": 0}), "page_size must be from 1 to 10000");
    check(json!({"page_size": 1_u64 << 40}), "page_size must be a whole number");
    check(json!({"duty_cycle": 1.5}), "above 0 and at most 1");
    check(json!({"duty_cycle": "2%"}), "duty_cycle must be a number");
    check(json!({"delimiter": ""}), "a delimiter has 1 to 16 bytes");
    check(json!({"delimiter": 7}), "delimiter must be a text");
    check(json!({"depth": 9}), "depth must be from 1 to 8");
    check(json!({"top": 0}), "top must be from 1 to 1000");
    check(json!({"pagesize": 9}), "pagesize");
    assert_eq!(daemon.get(ANALYSIS).status, 404, "nothing was started");
}
