//! Ten thousand requests from people who know no secret: nothing breaks and nothing leaks.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::guarded::Guarded;

const REQUESTS: usize = 10_000;
/// How many go over one connection; then it is closed to send.
const AT_ONCE: usize = 20;
const SECRETS: [&str; 3] = ["secret-key-7f3a", "secret-value-91bc", "vault"];

#[test]
fn nothing_breaks_and_nothing_leaks() {
    let mut guarded = Guarded::start(&[]);
    let (tenant, nobody) = (guarded.token("tenant"), guarded.token("nobody"));
    let admin = guarded.admin.clone();
    let send = |token: &str, request, body| guarded.send(Some(token), request, Some(&body)).status;
    assert_eq!(send(&admin, ("PUT", "/v1/namespaces/vault"), json!({"max_entries": 9})), 201);
    assert_eq!(send(&tenant, ("PUT", "/v1/namespaces/theirs"), json!({"max_entries": 99})), 201);
    let entries = json!({"entries": [{"key": SECRETS[0], "value": SECRETS[1]}]});
    assert_eq!(send(&admin, ("POST", "/v1/namespaces/vault/batch/put"), entries), 200);

    let mut rng = Rng::with_seed(20_261_125);
    let expired = guarded.unknown_token("admin", &["--expires", "0s"]);
    let tokens = [tenant, nobody, expired, format!("inval_{}", "A".repeat(43))];
    let secrets: Vec<&str> =
        SECRETS.iter().copied().chain(tokens.iter().map(String::as_str)).collect();
    let mut statuses = [0_usize; 6];
    for _ in 0..REQUESTS / AT_ONCE {
        let requests: Vec<u8> = (0..AT_ONCE).flat_map(|_| request(&mut rng, &tokens)).collect();
        let answers = exchange(&guarded, &requests);
        let text = String::from_utf8_lossy(&answers);
        for secret in secrets.iter().chain([&admin.as_str()]) {
            assert!(!text.contains(secret), "{secret}: {text}\n{}", requests.escape_ascii());
        }
        for status in text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..1)?.parse().ok())
        {
            let status: usize = status;
            assert!(status < 5, "{text}\n{}", requests.escape_ascii());
            statuses[status] += 1;
        }
    }
    // It was neither all refused nor all cut off.
    assert!(statuses[2] > 1000 && statuses[4] > 4000, "{statuses:?}");
    assert!(guarded.daemon.is_alive());
    let value =
        guarded.send(Some(&admin), ("GET", "/v1/namespaces/vault/entries/secret-key-7f3a"), None);
    assert_eq!(value.body, SECRETS[1].as_bytes(), "it is as it was");
    let log = guarded.daemon.log();
    assert!(!log.contains("panicked"), "{log}");
    for secret in secrets.iter().filter(|secret| **secret != "vault").chain([&admin.as_str()]) {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

/// Sends bytes, and reads until the daemon closes.
fn exchange(guarded: &Guarded, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(guarded.daemon.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let mut answers = Vec::new();
    // It may close before it has taken everything, and that is fine.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = reader.read_to_end(&mut answers);
    answers
}

/// What the tenant may do, so that not all is refused; one makes anew what it deletes.
const PLAUSIBLE: [(&str, &str, &str); 8] = [
    ("PUT", "/v1/namespaces/theirs", r#"{"max_entries": 99}"#),
    ("PUT", "/v1/namespaces/theirs/entries/a", "secret of its own"),
    ("GET", "/v1/namespaces/theirs/entries/a", ""),
    ("POST", "/v1/namespaces/theirs/batch/get", r#"{"keys": ["a", "b"]}"#),
    ("POST", "/v1/namespaces/theirs/invalidate", r#"{"keys": ["a", "b"]}"#),
    ("GET", "/v1/stats", ""),
    ("GET", "/v1/namespaces", ""),
    ("POST", "/v1/namespaces/theirs/clear", "{}"),
];

fn plausible(rng: &mut Rng, tenant: &str) -> Vec<u8> {
    let (method, path, body) = choose(rng, &PLAUSIBLE);
    format!(
        "{method} {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {tenant}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A request that is now and then no request at all.
fn request(rng: &mut Rng, tokens: &[String]) -> Vec<u8> {
    if rng.u8(0..5) == 0 {
        return plausible(rng, &tokens[0]);
    }
    let methods = [
        "GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE",
        "get",
    ];
    let (method, body) = (choose(rng, &methods), body(rng));
    let mut text = format!("{method} {} HTTP/1.1\r\nHost: test\r\n", path(rng, tokens));
    for _ in 0..rng.usize(0..3) {
        text += &header(rng);
    }
    text += &authorization(rng, tokens);
    match rng.u8(0..200) {
        0 => text += &format!("Content-Length: {}\r\n", body.len() + rng.usize(1..9)),
        1 => text += "Content-Length: -1\r\n",
        2 => text += "Transfer-Encoding: chunked\r\n",
        _ => text += &format!("Content-Length: {}\r\n", body.len()),
    }
    let mut bytes = [text.as_bytes(), b"\r\n", &body].concat();
    if rng.u8(0..200) == 0 {
        let at = rng.usize(..bytes.len());
        bytes[at] = rng.u8(..);
    }
    bytes
}

fn path(rng: &mut Rng, tokens: &[String]) -> String {
    let name = choose(
        rng,
        &[
            "vault", "vault", "theirs", "theirs", "theirs", "theirs", "absent", "%76ault",
            "vault%00", "%ff", "..", "*", "",
        ],
    );
    let key = choose(rng, &["secret-key-7f3a", "a", "b", "%00", "%zz", "..%2f..", "%F0%9F", "a;b"]);
    let tail = choose(
        rng,
        &[
            "/entries/KEY",
            "/entries/KEY",
            "/entries/KEY",
            "/batch/get",
            "/batch/put",
            "/invalidate",
            "/clear",
            "/stats",
            "/run?timeout=1ms",
            "/pause",
            "/resume",
            "",
            "/entries/",
            "//",
            "/nothing",
        ],
    );
    let query =
        choose(rng, &["", "", "", "", "?ttl=10m", "?ttl=1", "?a=b=c", "?&&", "?%", "?token="]);
    match rng.u8(0..12) {
        0 => choose(
            rng,
            &[
                "/v1/stats",
                "/v1/ready",
                "/v1/health",
                "/v1/namespaces",
                "/v1/reload",
                "/v1/version",
            ],
        )
        .into(),
        1 => choose(
            rng,
            &["*", "/", "http://vault/v1/stats", "/v1/openapi.jso", "/v1/../v1/stats", "/metrics"],
        )
        .into(),
        2 => format!("/v1/namespaces/{name}?access_token={}", choose_from(rng, tokens)),
        3 => format!("/v1/namespaces/{}{tail}", choose_from(rng, tokens)),
        _ => format!("/v1/namespaces/{name}{}{query}", tail.replace("KEY", key)),
    }
}

fn header(rng: &mut Rng) -> String {
    let headers = [
        "Content-Type: application/json",
        "Content-Type: application/json",
        "If-None-Match: *",
        "If-Match: \"x\"",
        "Origin: http://evil.example",
        "Origin: http://test",
        "Origin: null",
        "Expect: nothing",
        "X-Forwarded-For: 127.0.0.1",
        "X-Original-URL: /v1/health",
        "Connection: keep-alive",
        "X-HTTP-Method-Override: GET",
        "Cookie: token=1",
        "Content-Type: \u{e9}",
        "Upgrade: websocket",
    ];
    format!("{}\r\n", choose(rng, &headers))
}

fn authorization(rng: &mut Rng, tokens: &[String]) -> String {
    let token = choose_from(rng, tokens);
    match rng.u8(0..12) {
        0 => String::new(),
        1 => format!("Authorization: {token}\r\n"),
        2 => format!("Authorization: Basic {token}\r\n"),
        3 => {
            format!("Authorization: Bearer {}\r\n", token.get(..rng.usize(..token.len())).unwrap())
        }
        4 => format!("Authorization: Bearer {token}\r\nAuthorization: Bearer {token}\r\n"),
        5 => format!("authorization:bearer\t{token}\r\n"),
        6 => format!("Authorization: Bearer {}\r\n", "A".repeat(rng.usize(..200))),
        7 => format!("Authorization: Bearer {token}\r\n"),
        _ => format!("Authorization: Bearer {}\r\n", tokens[0]),
    }
}

fn body(rng: &mut Rng) -> Vec<u8> {
    let bodies = [
        "",
        "",
        "{}",
        "{",
        "[]",
        "null",
        r#"{"dry_run": true}"#,
        r#"{"dry_run": 1}"#,
        r#"{"keys": ["a", "secret-key-7f3a"]}"#,
        r#"{"keys": [{"base64": "!"}]}"#,
        r#"{"keys": 5}"#,
        r#"{"entries": [{"key": "a", "value": "b"}], "ttl": "1m"}"#,
        r#"{"entries": [{"key": ""}]}"#,
        r#"{"max_entries": 99}"#,
        r#"{"max_entries": -1}"#,
        r#"{"ttl": "1m", "partitions": 70000}"#,
        r#"{"a": 1, "a": 2}"#,
    ];
    match rng.u8(0..20) {
        0 => (0..rng.usize(..300)).map(|_| rng.u8(..)).collect(),
        1 => "[".repeat(rng.usize(..2000)).into_bytes(),
        _ => choose(rng, &bodies).into(),
    }
}

fn choose<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

fn choose_from<'a>(rng: &mut Rng, from: &'a [String]) -> &'a str {
    &from[rng.usize(..from.len())]
}
