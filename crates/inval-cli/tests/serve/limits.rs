//! How large a request may be, and how long it may take.

use serde_json::json;

use super::daemon::Daemon;
use super::document::Document;

const NS: &str = "/v1/namespaces/users";
const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

fn daemon(config: &str) -> Daemon {
    let namespace = "[namespaces.users]\nmax_bytes = \"1 KiB\"\npartitions = 1";
    Daemon::with_config(&format!("{config}\n{namespace}"), &[])
}

#[test]
fn a_body_has_a_limit() {
    let daemon = daemon("http.max_body = 2000");
    let path = format!("{NS}/entries/a");
    let check = |length: usize, status: u16, problem: Option<&str>| {
        let response = daemon.put(&path, &vec![b'x'; length]);
        let got = (response.status >= 400).then(|| response.problem());
        assert_eq!((response.status, got.as_deref()), (status, problem), "{length}");
    };
    check(1023, 204, None);
    check(1024, 413, Some("value-too-large"));
    check(2000, 413, Some("value-too-large"));
    check(2001, 413, Some("body-too-large"));
    check(5_000_000, 413, Some("body-too-large"));

    let body = json!({"keys": ["x".repeat(2000)]}).to_string();
    let batch = daemon.call(("POST", &format!("{NS}/batch/get")), &JSON, Some(body.as_bytes()));
    assert_eq!(batch.problem(), "body-too-large");

    // Without a length it is found out on the way.
    let mut connection = daemon.connect();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.write(head.as_bytes()).unwrap();
    let chunk = [b"400\r\n", &[b'x'; 1024][..], b"\r\n"].concat();
    connection.write(&[&chunk[..], &chunk[..], b"0\r\n\r\n"].concat()).unwrap();
    let response = connection.receive("PUT").unwrap();
    assert_eq!((response.status, response.problem().as_str()), (413, "body-too-large"));
}

#[test]
fn a_value_may_come_in_chunks_but_must_come() {
    let daemon = daemon("");
    let path = format!("{NS}/entries/a");
    let mut connection = daemon.connect();
    let head = format!("PUT {path} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.write(head.as_bytes()).unwrap();
    connection.write(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap();
    assert_eq!(connection.receive("PUT").unwrap().status, 204);
    assert_eq!(daemon.get(&path).body, b"abcde");
    let response = daemon.call(("PUT", &path), &[], None);
    assert_eq!((response.status, response.problem().as_str()), (411, "length-required"));
    assert_eq!(daemon.get(&path).body, b"abcde");
}

#[test]
fn a_key_has_a_limit() {
    let daemon = daemon("");
    let get = |length: usize| {
        let body = json!({"keys": ["k".repeat(length)]}).to_string();
        daemon.call(("POST", &format!("{NS}/batch/get")), &JSON, Some(body.as_bytes())).status
    };
    assert_eq!(get(65_535), 200);
    assert_eq!(get(65_536), 422);
    // In a path there is room for less; what is beyond is refused before anything else is looked at.
    let mut connection = daemon.connect();
    let path = format!("{NS}/entries/{}", "k".repeat(65_536));
    connection.write(format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).unwrap();
    assert_eq!(connection.receive("GET").unwrap().status, 414);
}

#[test]
fn a_batch_has_a_limit() {
    let daemon = daemon("");
    let check = |what: &str, body: String, status: u16| {
        let path = format!("{NS}/{what}");
        let response = daemon.call(("POST", &path), &JSON, Some(body.as_bytes()));
        assert_eq!(response.status, status, "{what}");
    };
    let keys = |count| json!({"keys": vec!["k"; count]}).to_string();
    check("batch/get", keys(10_000), 200);
    check("batch/get", keys(10_001), 422);
    check("invalidate", keys(10_001), 422);
    let entries = vec![json!({"key": "k", "value": ""}); 10_001];
    check("batch/put", json!({"entries": entries}).to_string(), 422);
}

#[test]
fn an_answer_has_a_limit() {
    let daemon =
        Daemon::with_config("[namespaces.large]\nmax_bytes = \"64 MiB\"\npartitions = 1", &[]);
    assert_eq!(daemon.put("/v1/namespaces/large/entries/k", &vec![b'x'; 7 << 20]).status, 204);
    let get = |count| {
        let body = json!({"keys": vec!["k"; count]});
        daemon.json(("POST", "/v1/namespaces/large/batch/get"), &body)
    };
    assert_eq!(get(1).status, 200);
    let response = get(1_000);
    assert_eq!((response.status, response.problem().as_str()), (413, "answer-too-large"));
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let daemon = daemon("http.request_timeout = \"50ms\"");
    let mut connection = daemon.connect();
    let head =
        format!("PUT {NS}/entries/a HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc");
    connection.write(head.as_bytes()).unwrap();
    let response = connection.receive("PUT").unwrap();
    assert_eq!((response.status, response.problem().as_str()), (408, "body-timeout"));
    Document::get().check_problem(&response);
    assert_eq!(daemon.get(&format!("{NS}/entries/a")).status, 404);
}

#[cfg(target_os = "linux")]
#[test]
fn a_value_holds_no_more_than_its_bytes() {
    let daemon = Daemon::start();
    daemon.create("small", &json!({"max_entries": 20_000}));
    let before = daemon.resident_kib();
    let mut connection = daemon.connect();
    for number in 0..10_000 {
        let path = format!("/v1/namespaces/small/entries/{number}");
        assert_eq!(connection.send("PUT", &path, &[], Some(b"value")).status, 204);
    }
    // The buffer that a request is received in has 8 KiB.
    let grown = daemon.resident_kib() - before;
    assert!(grown < 30_000, "{grown} KiB for 10,000 values of 5 bytes");
}
