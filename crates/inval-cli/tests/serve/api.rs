//! What the API answers, on the store in memory.

use serde_json::{Value, json};

use super::client::Response;
use super::daemon::Daemon;
use super::document::Document;

const NS: &str = "/v1/namespaces/users";
const ANN: &str = "/v1/namespaces/users/entries/ann";
const IF_ABSENT: (&str, &str) = ("If-None-Match", "*");
const IF_PRESENT: (&str, &str) = ("If-Match", "*");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// A daemon with the namespace `users`.
fn daemon() -> Daemon {
    let daemon = Daemon::start();
    daemon.create("users", &json!({"strategy": "lru", "max_bytes": "1 MiB", "partitions": 1}));
    daemon
}

fn assert_status(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{response:?}");
}

#[test]
fn every_operation_answers_as_the_document_says() {
    let daemon = daemon();
    let reload = Daemon::with_config("", &[]);
    let check = |request: (&str, &str), body: Option<Value>, status: u16| {
        let response = match body {
            Some(body) => daemon.json(request, &body),
            None => daemon.call(request, &[], None),
        };
        assert_status(&response, status);
    };
    check(("GET", "/v1/namespaces"), None, 200);
    check(("GET", NS), None, 200);
    check(("PUT", NS), Some(json!({"strategy": "lru", "max_bytes": 1 << 20})), 200);
    check(("PUT", NS), Some(json!({"max_bytes": 1 << 20})), 409);
    check(("PUT", "/v1/namespaces/short"), Some(json!({"ttl": "90s", "ttl_jitter": 0.1})), 201);
    check(("PATCH", NS), Some(json!({"max_entries": 100, "ttl": "1h"})), 200);
    assert_status(&daemon.put(ANN, b"value"), 204);
    check(("GET", ANN), None, 200);
    check(("HEAD", ANN), None, 200);
    check(("DELETE", ANN), None, 204);
    check(("GET", ANN), None, 404);
    check(("GET", &format!("{NS}/explain/ann")), None, 200);
    let entries = json!({"entries": [{"key": "a", "value": "1"}], "ttl": "10m"});
    check(("POST", &format!("{NS}/batch/put")), Some(entries), 200);
    check(("POST", &format!("{NS}/batch/get")), Some(json!({"keys": ["a", "b"]})), 200);
    check(("POST", &format!("{NS}/invalidate")), Some(json!({"keys": ["a"]})), 200);
    check(("POST", &format!("{NS}/clear")), Some(json!({})), 200);
    check(("GET", &format!("{NS}/stats")), None, 200);
    check(("GET", "/v1/stats"), None, 200);
    check(("GET", &format!("{NS}/analysis")), None, 404);
    check(("POST", &format!("{NS}/analysis")), Some(json!({"depth": 2})), 202);
    check(("GET", &format!("{NS}/analysis")), None, 200);
    check(("DELETE", &format!("{NS}/analysis")), None, 204);
    check(("POST", &format!("{NS}/run?timeout=20s")), None, 200);
    check(("POST", &format!("{NS}/pause")), None, 204);
    check(("GET", "/v1/ready"), None, 503);
    check(("POST", &format!("{NS}/resume")), None, 204);
    check(("GET", "/v1/health"), None, 200);
    check(("GET", "/v1/ready"), None, 200);
    check(("GET", "/v1/version"), None, 200);
    check(("GET", "/v1/openapi.json"), None, 200);
    check(("GET", "/metrics"), None, 200);
    check(("GET", "/"), None, 200);
    check(("POST", "/v1/reload"), None, 422);
    assert_status(&reload.post("/v1/reload"), 200);
    check(("DELETE", NS), None, 204);
    assert_eq!(Document::get().checked(), Document::get().operations());
}

#[test]
fn the_document_is_served_and_of_this_version() {
    let daemon = Daemon::start();
    let document = daemon.get("/v1/openapi.json").json();
    assert_eq!(&document, Document::get().root());
    Document::get().check_examples();
    let version = daemon.get("/v1/version").json();
    assert_eq!(document["info"]["version"], version["version"]);
    assert_eq!(
        version,
        json!({"name": "inval", "version": env!("CARGO_PKG_VERSION"), "store": "memory"})
    );
}

#[test]
fn keys_and_values_are_any_bytes() {
    let daemon = daemon();
    let check = |key: &str, value: &[u8]| {
        let path = format!("{NS}/entries/{key}");
        assert_status(&daemon.put(&path, value), 204);
        let response = daemon.get(&path);
        assert_eq!((response.status, &response.body[..]), (200, value), "{key}");
        assert_eq!(response.header("content-type"), Some("application/octet-stream"));
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let deleted = daemon.delete(&path);
        assert_eq!(deleted.header("inval-deleted"), Some("1"), "{key}");
        assert_eq!(daemon.delete(&path).header("inval-deleted"), Some("0"), "{key}");
    };
    check("plain", b"");
    check("a%2Fb%3Fc%23d", b"with what a path gives a meaning to");
    check("%00%FF%80", &[0, 255, 128]);
    check("%E2%82%AC", "€".as_bytes());
    check("..", b"not above");
    check("%25", b"a percent");
    check("+", b"a plus is a plus");
    check("entries", &[b'x'; 100_000]);
    check(&"k".repeat(60_000), b"a long key");

    // One key, however it is written.
    assert_status(&daemon.put(&format!("{NS}/entries/a%62c"), b"1"), 204);
    assert_status(&daemon.get(&format!("{NS}/entries/%61b%63")), 200);
    // A namespace as well.
    assert_status(&daemon.get("/v1/namespaces/%75sers/entries/abc"), 200);
}

#[test]
fn writes_keep_to_their_conditions() {
    let daemon = daemon();
    let check = |condition: (&str, &str), value: &str, want: u16| {
        let response = daemon.call(("PUT", ANN), &[condition], Some(value.as_bytes()));
        assert_status(&response, want);
    };
    check(IF_PRESENT, "1", 412);
    check(IF_ABSENT, "2", 204);
    check(IF_ABSENT, "3", 412);
    assert_eq!(daemon.get(ANN).body, b"2");
    check(IF_PRESENT, "4", 204);
    assert_eq!(daemon.get(ANN).body, b"4");
    check(("If-Match", "\"a-tag\""), "5", 422);
    let both = daemon.call(("PUT", ANN), &[IF_ABSENT, IF_PRESENT], Some(b"6"));
    assert_status(&both, 422);
    assert_eq!(daemon.get(ANN).body, b"4");
}

#[test]
fn entries_live_as_long_as_they_are_told_to() {
    let daemon = daemon();
    let left = |path: &str| {
        let response = daemon.call(("HEAD", path), &[], None);
        assert_status(&response, 200);
        response.header("inval-expires-in-ms").map(|ms| ms.parse::<u64>().unwrap())
    };
    assert_status(&daemon.put(ANN, b"for ever"), 204);
    assert_eq!(left(ANN), None);
    assert_status(&daemon.put(&format!("{ANN}?ttl=1h"), b"for an hour"), 204);
    let ms = left(ANN).unwrap();
    assert!((3_000_000..=3_600_000).contains(&ms), "{ms}");
    assert_status(&daemon.put(&format!("{ANN}?ttl=1ms"), b"for a moment"), 204);
    super::daemon::until("it expires", || (daemon.get(ANN).status == 404).then_some(()));
    assert_status(&daemon.call(("HEAD", ANN), &[], None), 404);

    for wrong in ["?ttl=10", "?ttl=0s", "?ttl=", "?ttl=1x", "?ttl=%FF", "?tll=10m", "?ttl"] {
        let response = daemon.put(&format!("{ANN}{wrong}"), b"never");
        assert!([400, 422].contains(&response.status), "{wrong}: {response:?}");
    }
    assert_status(&daemon.get(ANN), 404);
}

#[test]
fn a_look_counts_as_no_access_and_a_read_does() {
    let daemon = daemon();
    daemon.put(ANN, b"value");
    daemon.call(("HEAD", ANN), &[], None);
    daemon.get(ANN);
    daemon.get(&format!("{NS}/entries/nobody"));
    let stats = daemon.get(&format!("{NS}/stats")).json();
    assert_eq!((&stats["hits"], &stats["misses"]), (&json!(1), &json!(1)));
    assert_eq!(stats["miss_ratio"], 0.5);
    assert_eq!(stats["usage"], json!({"entries": 1, "bytes": 8}));
    assert_eq!(stats["limits"], json!({"max_entries": null, "max_bytes": 1 << 20}));
}

#[test]
fn a_key_is_explained_whether_or_not_it_is_there() {
    let daemon = Daemon::start();
    let config = json!({"strategy": "fifo", "max_entries": 2, "ttl": "1h", "partitions": 1});
    daemon.create("users", &config);
    let explain = |key: &str| {
        let response = daemon.get(&format!("{NS}/explain/{key}"));
        assert_status(&response, 200);
        response.json()
    };
    let causes = |told: &Value| {
        let removals = told["removals"].as_array().unwrap().iter();
        removals.map(|removal| removal["cause"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for key in ["a%2Fb", "c", "d"] {
        daemon.put(&format!("{NS}/entries/{key}"), b"value");
    }
    let evicted = explain("a%2Fb");
    assert_eq!((&evicted["present"], causes(&evicted)), (&json!(null), vec!["evicted".into()]));
    assert_eq!(evicted["removals"][0]["weight"], 8);
    assert_eq!(evicted["remembered"]["share"], 1.0);
    assert_eq!(
        (&evicted["maintained_here"], &evicted["config"]["ttl"]),
        (&json!(true), &json!("1h"))
    );
    daemon.put(&format!("{NS}/entries/c?ttl=2h"), b"longer value");
    let present = explain("c");
    assert_eq!((&present["present"]["weight"], causes(&present)), (&json!(13), vec![]));
    let left = present["present"]["expires_in_ms"].as_u64().unwrap();
    assert!((6_000_000..=7_200_000).contains(&left), "{present}");
    assert!(present["present"]["age_ms"].as_u64().is_some(), "{present}");
    daemon.delete(&format!("{NS}/entries/c"));
    assert_eq!(causes(&explain("c")), ["invalidated"]);
    daemon.put(&format!("{NS}/entries/c?ttl=1ms"), b"brief");
    super::daemon::until("it has expired", || {
        (causes(&explain("c")) == ["expired", "invalidated"]).then_some(())
    });
    assert_eq!(causes(&explain("nobody")), Vec::<String>::new());
    let stats = daemon.get(&format!("{NS}/stats")).json();
    assert_eq!((&stats["hits"], &stats["misses"]), (&json!(0), &json!(0)));
    let unknown = daemon.get("/v1/namespaces/nobody/explain/the-key");
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "unknown-namespace"));
    let malformed = daemon.get(&format!("{NS}/explain/the-key%zz"));
    assert_status(&malformed, 400);
    for text in [unknown.json().to_string(), malformed.json().to_string(), daemon.log()] {
        assert!(!text.contains("the-key"), "{text}");
    }
}

#[test]
fn many_are_read_written_and_deleted_at_once() {
    let daemon = daemon();
    let post = |what: &str, body: Value| {
        let response = daemon.json(("POST", &format!("{NS}/{what}")), &body);
        assert_status(&response, 200);
        response.json()
    };
    let binary = json!({"base64": "/wA="});
    let entries = json!({"entries": [
        {"key": "a", "value": "1"},
        {"key": binary, "value": binary},
        {"key": "large", "value": "x".repeat(2 << 20)},
        {"key": "a", "value": "2"},
    ]});
    let outcomes = post("batch/put", entries)["outcomes"].clone();
    assert_eq!(
        (&outcomes[0], &outcomes[1], &outcomes[3]),
        (&json!("stored"), &json!("stored"), &json!("stored"))
    );
    assert!(outcomes[2]["rejected"].as_str().unwrap().contains("1048576"), "{outcomes}");
    let values = post("batch/get", json!({"keys": ["a", binary, "large", {"base64": "YQ=="}]}));
    assert_eq!(values, json!({"values": ["2", binary, null, "2"]}));
    assert_eq!(daemon.get(&format!("{NS}/entries/%FF%00")).body, [0xff, 0]);

    let keys = json!(["a", "a", "b", binary]);
    let dry = post("invalidate", json!({"keys": keys, "dry_run": true}));
    assert_eq!(dry, json!({"matched": 2, "deleted": 0, "dry_run": true}));
    assert_eq!(post("batch/get", json!({"keys": ["a"]})), json!({"values": ["2"]}));
    let real = post("invalidate", json!({"keys": keys}));
    assert_eq!(real, json!({"matched": 2, "deleted": 2, "dry_run": false}));
    assert_eq!(post("batch/get", json!({"keys": ["a"]})), json!({"values": [null]}));
    assert_eq!(post("batch/get", json!({"keys": []})), json!({"values": []}));
}

#[test]
fn everything_is_cleared_but_not_on_a_dry_run() {
    let daemon = daemon();
    daemon.put(ANN, b"1");
    daemon.put(&format!("{NS}/entries/bob"), b"2");
    let clear = |body: Value| daemon.json(("POST", &format!("{NS}/clear")), &body).json();
    assert_eq!(clear(json!({"dry_run": true})), json!({"matched": 2, "dry_run": true}));
    assert_status(&daemon.get(ANN), 200);
    assert_eq!(clear(json!({})), json!({"matched": 2, "dry_run": false}));
    assert_status(&daemon.get(ANN), 404);
    assert_eq!(clear(json!({"dry_run": false})), json!({"matched": 0, "dry_run": false}));
}

#[test]
fn namespaces_are_made_described_and_deleted() {
    let daemon = Daemon::start();
    assert_eq!(daemon.get("/v1/namespaces").json(), json!({"namespaces": []}));
    let config = json!({"strategy": "sieve", "max_entries": 10, "max_bytes": "1 KiB", "time_to_idle": "90s"});
    let response = daemon.json(("PUT", NS), &config);
    assert_status(&response, 201);
    assert_eq!(response.header("location"), Some(NS));
    let want = json!({
        "name": "users",
        "config": {
            "strategy": "sieve", "max_entries": 10, "max_bytes": 1024, "ttl": null,
            "time_to_idle": "1m30s", "ttl_jitter": 0.0,
        },
        "partitions": 1,
        "paused": false,
    });
    assert_eq!(response.json(), want);
    assert_eq!(daemon.get(NS).json(), want);
    assert_eq!(daemon.get("/v1/namespaces").json(), json!({"namespaces": [want]}));

    daemon.put(ANN, b"1");
    assert_status(&daemon.json(("PUT", NS), &config), 200);
    assert_status(&daemon.json(("PUT", NS), &json!({"max_entries": 10})), 409);
    assert_status(&daemon.get(ANN), 200);
    assert_status(&daemon.delete(NS), 204);
    for response in [daemon.delete(NS), daemon.get(NS), daemon.get(ANN), daemon.put(ANN, b"1")] {
        assert_eq!((response.status, response.problem().as_str()), (404, "unknown-namespace"));
    }
    // As many shards as are asked for, or the next power of two: the same request is the same.
    let in_parts = json!({"max_entries": 10_000, "partitions": 3});
    for want in [201, 200] {
        assert_status(&daemon.json(("PUT", "/v1/namespaces/parts"), &in_parts), want);
    }
    // Anew, it is empty.
    assert_status(&daemon.json(("PUT", NS), &config), 201);
    assert_eq!(daemon.get(ANN).problem(), "no-entry");
}

#[test]
fn what_is_wrong_with_a_configuration_is_named() {
    let daemon = daemon();
    let check = |config: Value, want: &str| {
        let response = daemon.json(("PUT", "/v1/namespaces/new"), &config);
        assert_status(&response, 422);
        let detail = response.json()["detail"].clone();
        assert!(detail.as_str().unwrap().contains(want), "{detail}");
    };
    check(json!({}), "set max_entries");
    check(json!({"max_entries": 0}), "max_entries is 0");
    check(json!({"ttl": 600}), "ttl must be a text");
    check(json!({"ttl": "1m", "time_to_idle": "2m"}), "time_to_idle");
    check(json!({"max_entries": 1, "colour": "red"}), "colour");
    check(json!([1]), "must be an object");
    assert_status(&daemon.get("/v1/namespaces/new"), 404);
    for name in ["a%20b", "%FF", &"n".repeat(65)] {
        let path = format!("/v1/namespaces/{name}");
        assert_status(&daemon.json(("PUT", &path), &json!({"ttl": "1m"})), 422);
        assert_status(&daemon.get(&path), 404);
    }
}

#[test]
fn limits_change_while_a_namespace_is_in_use() {
    let daemon = daemon();
    for number in 0..100 {
        daemon.put(&format!("{NS}/entries/{number}"), b"value");
    }
    let patch = |patch: Value| daemon.json(("PATCH", NS), &patch);
    let changed = patch(json!({"max_entries": 10, "max_bytes": null, "ttl": "2h"}));
    assert_status(&changed, 200);
    let config = changed.json()["config"].clone();
    assert_eq!(
        (&config["max_entries"], &config["max_bytes"], &config["ttl"]),
        (&json!(10), &json!(null), &json!("2h"))
    );
    assert_eq!(config["strategy"], "lru");
    let run = daemon.post(&format!("{NS}/run")).json();
    assert_eq!(run["is_done"], true, "{run}");
    let stats = daemon.json(("POST", &format!("{NS}/clear")), &json!({"dry_run": true})).json();
    assert_eq!(stats["matched"], 10);

    for (fixed, value) in
        [("strategy", json!("lfu")), ("time_to_idle", json!("1s")), ("partitions", json!(2))]
    {
        let response = patch(json!({fixed: value}));
        assert_eq!((response.status, response.problem().as_str()), (409, "unchangeable"));
        assert!(response.json()["detail"].as_str().unwrap().contains(fixed), "{response:?}");
    }
    assert_status(&patch(json!({"strategy": "lru", "partitions": 1})), 200);
    assert_status(&patch(json!({"max_entries": null, "ttl": null})), 422);
    assert_status(&patch(json!({"max_entries": 0})), 422);
    assert_status(&patch(json!({"speed": 9})), 422);
    let merge = [("Content-Type", "application/merge-patch+json; charset=utf-8")];
    assert_status(&daemon.call(("PATCH", NS), &merge, Some(br#"{"max_entries": 11}"#)), 200);
    assert_eq!(daemon.get(NS).json()["config"]["max_entries"], 11);
}

#[test]
fn upkeep_stands_still_until_it_is_resumed() {
    let daemon = daemon();
    let post = |what: &str| daemon.post(&format!("{NS}/{what}"));
    assert_status(&daemon.get("/v1/ready"), 200);
    assert_status(&post("pause"), 204);
    assert_eq!(daemon.get(NS).json()["paused"], true);
    let ready = daemon.get("/v1/ready");
    assert_status(&ready, 503);
    assert_eq!(ready.json()["namespaces"][0]["state"], "paused");
    assert_status(&daemon.get("/v1/health"), 200);
    assert_eq!(post("run").json()["is_done"], true);
    assert_status(&post("resume"), 204);
    assert_eq!(daemon.get(NS).json()["paused"], false);
    assert_status(&daemon.get("/v1/ready"), 200);
    assert_status(&post("run?timeout=1h"), 422);
    for what in ["pause", "resume", "run"] {
        assert_status(&daemon.post(&format!("/v1/namespaces/nobody/{what}")), 404);
    }
}

#[test]
fn expired_entries_are_counted_as_such() {
    let daemon = daemon();
    daemon.put(&format!("{ANN}?ttl=1ms"), b"value");
    super::daemon::until("it is off the books", || {
        let stats = daemon.get(&format!("{NS}/stats")).json();
        (stats["removed"]["expired"]["entries"] == 1 && stats["usage"]["entries"] == 0)
            .then_some(())
    });
}

#[test]
fn unknown_paths_and_methods_are_problems() {
    let daemon = daemon();
    let send = |method: &str, path: &str| daemon.connect().send(method, path, &[], Some(b""));
    for path in [
        "/v1",
        "/v2/namespaces",
        "/v1/namespaces/",
        "/v1/namespaces/users/entries/",
        "/v1/namespaces/users/entries/a/b",
        "//",
        "/v1/namespaces/users/",
        "/v1/stats/",
    ] {
        let response = send("GET", path);
        assert_eq!((response.status, response.problem().as_str()), (404, "unknown-path"), "{path}");
        Document::get().check_problem(&response);
    }
    let check = |method: &str, path: &str, allow: &str| {
        let response = send(method, path);
        assert_status(&response, 405);
        assert_eq!(response.header("allow"), Some(allow));
        if method != "HEAD" {
            Document::get().check_problem(&response);
        }
    };
    check("POST", ANN, "GET, HEAD, PUT, DELETE");
    check("DELETE", "/v1/namespaces", "GET, HEAD");
    check("GET", "/v1/reload", "POST");
    check("HEAD", "/v1/reload", "POST");
    check("BREW", NS, "GET, PUT, PATCH, DELETE, HEAD");
    check("OPTIONS", "/v1/health", "GET, HEAD");
    let head = send("HEAD", "/v1/health");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn bodies_must_be_json_where_json_belongs() {
    let daemon = daemon();
    let path = format!("{NS}/batch/get");
    let check = |headers: &[(&str, &str)], body: &str, status: u16, problem: &str| {
        let response = daemon.call(("POST", &path), headers, Some(body.as_bytes()));
        assert_eq!((response.status, response.problem().as_str()), (status, problem), "{body}");
        assert!(!response.json().to_string().contains("secret"), "{response:?}");
    };
    check(&[], r#"{"keys": []}"#, 415, "unsupported-media-type");
    check(&[("Content-Type", "text/plain")], r#"{"keys": []}"#, 415, "unsupported-media-type");
    check(&[JSON], "", 400, "malformed-json");
    check(&[JSON], r#"{"keys": ["secret"#, 400, "malformed-json");
    check(&[JSON], r#"{"keys": ["\ud800"]}"#, 400, "malformed-json");
    check(&[JSON], &"[".repeat(10_000), 400, "malformed-json");
    check(&[JSON], r#""secret""#, 422, "invalid");
    check(&[JSON], r#"{"keys": "secret"}"#, 422, "invalid");
    check(&[JSON], r#"{"keys": [["secret"]]}"#, 422, "invalid");
    check(&[JSON], r#"{"keys": [""]}"#, 422, "invalid");
    check(&[JSON], r#"{"keys": [{"base64": "secret"}]}"#, 422, "invalid");
    check(&[JSON], r#"{"keys": [], "dry_run": true}"#, 422, "invalid");
    check(&[JSON], "{}", 422, "invalid");
}

#[test]
fn requests_on_a_connection_are_answered_in_order() {
    let daemon = daemon();
    let mut connection = daemon.connect();
    let head = |method: &str| format!("{method} {ANN} HTTP/1.1\r\nHost: test\r\n");
    let put = head("PUT") + "Content-Length: 1\r\n\r\na";
    let (get, delete) = (head("GET") + "\r\n", head("DELETE") + "\r\n");
    connection.write([&put[..], &get, &delete, &get].concat().as_bytes()).unwrap();
    let statuses =
        ["PUT", "GET", "DELETE", "GET"].map(|method| connection.receive(method).unwrap().status);
    assert_eq!(statuses, [204, 200, 204, 404]);
}
