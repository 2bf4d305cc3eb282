//! Garbage and random requests: the daemon answers or closes, and stays.

use std::io::Write;
use std::net::{Shutdown, TcpStream};

use fastrand::Rng;
use serde_json::json;

use super::client::Connection;
use super::daemon::Daemon;

#[test]
fn garbage_ends_its_connection_and_nothing_else() {
    let mut daemon = Daemon::start();
    let mut rng = Rng::with_seed(7);
    let random: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(5_000).collect();
    let messages: &[&[u8]] = &[
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"PUT /v1/health HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"PUT /v1/health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/%zz HTTP/1.1\r\n\r\n",
        b"GET http:// HTTP/1.1\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[b'A'; 1_000_000],
        &random,
    ];
    for message in messages {
        let mut stream = TcpStream::connect(daemon.address).unwrap();
        // It may be closed before all of it is taken.
        let _ = stream.write_all(message);
        let _ = stream.shutdown(Shutdown::Write);
        drop(stream);
    }
    let mut connection = daemon.connect();
    let _ = connection.write(b"nonsense\r\n\r\n");
    assert!(connection.rest().starts_with(b"HTTP/1.1 400"));
    assert!(daemon.is_alive());
    assert_eq!(daemon.get("/v1/health").status, 200);
}

#[test]
fn random_requests_never_break_anything() {
    let mut daemon = Daemon::start();
    let mut rng = Rng::with_seed(42);
    let mut connection = daemon.connect();
    let mut statuses = [0; 6];
    for number in 0..5_000 {
        if number % 25 == 0 {
            // It may have been deleted.
            daemon.json(("PUT", "/v1/namespaces/users"), &json!({"max_entries": 100}));
        }
        let request = Request::random(&mut rng);
        let told = format!("{request:?}");
        let response = request.send(&mut connection);
        let is_paused = told.contains("/v1/ready");
        assert!(response.status < 500 || is_paused, "{told}: {response:?}");
        statuses[usize::from(response.status / 100)] += 1;
        if response.header("connection") == Some("close") {
            connection = daemon.connect();
        }
    }
    // It was not all refused.
    assert!(statuses[2] > 200 && statuses[4] > 200, "{statuses:?}");
    assert!(daemon.is_alive());
    let log = daemon.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[derive(Debug)]
struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Option<String>,
}

impl Request {
    fn random(rng: &mut Rng) -> Self {
        let methods =
            ["GET", "GET", "HEAD", "PUT", "PUT", "POST", "POST", "DELETE", "PATCH", "OPTIONS"];
        let headers = [
            ("Content-Type", "application/json"),
            ("Content-Type", "application/json"),
            ("If-None-Match", "*"),
            ("If-Match", "*"),
            ("If-Match", "\"x\""),
            ("Content-Type", "text/plain"),
            ("Expect", "nothing"),
        ];
        let count = rng.usize(0..3);
        Self {
            method: choose(rng, &methods),
            path: path(rng),
            headers: (0..count).map(|_| choose(rng, &headers)).collect(),
            body: (rng.u8(0..4) > 0).then(|| body(rng)),
        }
    }

    fn send(self, connection: &mut Connection) -> super::client::Response {
        let body = self.body.as_ref().map(String::as_bytes);
        connection.send(self.method, &self.path, &self.headers, body)
    }
}

fn choose<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn path(rng: &mut Rng) -> String {
    let name = choose(
        rng,
        &["users", "users", "users", "users", "users", "new", "%75sers", "no%20body", "%ff"],
    );
    let key = choose(rng, &["a", "b", "%00", "%F0%9F", "%", "a%2Fb", "%zz", "..", "a;b=c"]);
    let tail = choose(
        rng,
        &[
            "entries",
            "entries",
            "entries",
            "batch/get",
            "batch/put",
            "invalidate",
            "clear",
            "stats",
            "run",
            "pause",
            "resume",
            "",
            "nothing",
        ],
    );
    let query = choose(
        rng,
        &[
            "",
            "",
            "",
            "",
            "",
            "",
            "",
            "?ttl=10m",
            "?ttl=1",
            "?timeout=1ms",
            "?&&",
            "?ttl=%",
            "?a=b=c",
        ],
    );
    match rng.u8(0..10) {
        0 => choose(rng, &["/v1/stats", "/v1/ready", "/v1/health", "/v1/namespaces", "/v1/reload"])
            .into(),
        _ if tail == "entries" => format!("/v1/namespaces/{name}/entries/{key}{query}"),
        _ if tail.is_empty() => format!("/v1/namespaces/{name}{query}"),
        _ => format!("/v1/namespaces/{name}/{tail}{query}"),
    }
}

fn body(rng: &mut Rng) -> String {
    let values = [
        "\"a\"",
        "\"\"",
        "null",
        "1",
        "-1",
        "1e400",
        "true",
        "[]",
        "{}",
        "[\"a\",\"b\"]",
        "\"10m\"",
        "{\"base64\":\"/w==\"}",
        "{\"base64\":\"!\"}",
        "[{\"key\":\"a\",\"value\":\"1\"}]",
        "\"lru\"",
        "18446744073709551616",
        "\"1 KiB\"",
        "0.5",
        "100",
    ];
    let names = [
        "keys",
        "entries",
        "dry_run",
        "ttl",
        "max_entries",
        "max_bytes",
        "strategy",
        "ttl_jitter",
        "partitions",
        "time_to_idle",
        "colour",
    ];
    if rng.u8(0..8) == 0 {
        return choose(rng, &["", "{", "nonsense", "[1]", "\u{0}", "{\"a\":"]).into();
    }
    let count = rng.usize(0..3);
    let fields: Vec<String> = (0..count)
        .map(|_| format!("\"{}\":{}", choose(rng, &names), choose(rng, &values)))
        .collect();
    format!("{{{}}}", fields.join(","))
}
