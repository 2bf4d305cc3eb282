//! Access control: who may do what, who learns what, and how tokens come and go.

use std::collections::BTreeSet;

use inval_test_servers::Server;
use serde_json::json;

use super::client::Response;
use super::daemon::until;
use super::document::Document;
use super::guarded::{Guarded, ROLES, WISHES, timeless};

const ENTRY: &str = "/v1/namespaces/users/entries/a";

/// Whether each role may do just what it is to, and nothing else.
fn check_matrix(guarded: &Guarded) {
    let tokens: Vec<_> = ROLES.iter().map(|role| guarded.unknown_token(role, &[])).collect();
    guarded.reload();
    for (role, token) in ROLES.iter().zip(&tokens) {
        let allowed = WISHES.iter().filter(|wish| {
            let response = guarded.ask(Some(token), wish, "users");
            match response.status {
                403 => assert!(!wish.roles.contains(role), "{role} may {}", wish.operation),
                200..=299 | 404 => {}
                503 if wish.operation == "ready" => {}
                _ => panic!("{role}, {}: {response:?}", wish.operation),
            }
            response.status != 403
        });
        let allowed: Vec<_> = allowed.map(|wish| wish.operation).collect();
        let want = WISHES.iter().filter(|wish| wish.roles.contains(role));
        assert_eq!(allowed, want.map(|wish| wish.operation).collect::<Vec<_>>(), "{role}");
        // It may have deleted or paused the namespace.
        guarded.reload();
        guarded.send(Some(&guarded.admin), ("POST", "/v1/namespaces/users/resume"), None);
    }
}

#[test]
fn each_role_may_do_what_its_grants_allow_and_nothing_else() {
    check_matrix(&Guarded::start(&[]));
}

#[test]
fn each_role_may_do_the_same_on_a_real_server() {
    let server = Server::redis().unwrap();
    check_matrix(&Guarded::start(&["--store", &server.url()]));
}

#[test]
fn the_matrix_has_every_operation() {
    let here: BTreeSet<String> = WISHES.iter().map(|wish| wish.operation.to_owned()).collect();
    assert_eq!(here, Document::get().operations());
}

#[test]
fn without_a_token_there_is_nothing_but_health_and_an_empty_page() {
    let guarded = Guarded::start(&[]);
    let mut answers = Vec::new();
    for wish in WISHES {
        let [there, absent] =
            ["users", "absent"].map(|namespace| timeless(guarded.ask(None, wish, namespace)));
        assert_eq!(there, absent, "{}", wish.operation);
        if ["health", "dashboard"].contains(&wish.operation) {
            assert_eq!(there.status, 200);
            continue;
        }
        assert_eq!(there.status, 401, "{}", wish.operation);
        assert_eq!(there.header("www-authenticate"), Some("Bearer realm=\"inval\""));
        if wish.method != "HEAD" {
            answers.push(there);
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    // Not even which paths and methods there are.
    for (method, path) in
        [("POST", "/"), ("GET", "/v2/x"), ("PATCH", "/v1/stats"), ("OPTIONS", "/v1/stats")]
    {
        let response = guarded.daemon.connect().send(method, path, &[], None);
        assert_eq!(timeless(response), answers[0], "{method} {path}");
    }
    // What an operation does is not done.
    let response = guarded.send(Some(&guarded.admin), ("GET", "/v1/namespaces/users"), None);
    assert_eq!(response.json()["config"]["max_entries"], 1000);
}

#[test]
fn a_token_that_is_worth_nothing_is_told_nothing() {
    let guarded = Guarded::start(&[]);
    let expired = guarded.unknown_token("admin", &["--expires", "0s"]);
    let revoked = guarded.token("admin");
    guarded.revoke(&revoked);
    guarded.reload();
    let unknown = format!("inval_{}", "A".repeat(43));
    let answers: Vec<Response> = [&expired, &revoked, &unknown, "hush", "inval_"]
        .map(|token| timeless(guarded.send(Some(token), ("GET", ENTRY), None)))
        .into();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    assert_eq!(answers[0].status, 401);
    let challenge = answers[0].header("www-authenticate").unwrap();
    assert_eq!(challenge, "Bearer realm=\"inval\", error=\"invalid_token\"");
    let log = guarded.daemon.log();
    for token in [&expired, &revoked, &unknown, &guarded.admin, "hush"] {
        assert!(!log.contains(token), "{log}");
    }
}

#[test]
fn a_tenant_learns_nothing_of_others() {
    let guarded = Guarded::start(&[]);
    let tenant = Some(guarded.token("tenant"));
    let tenant = tenant.as_deref();
    let made =
        guarded.send(tenant, ("PUT", "/v1/namespaces/theirs-1"), Some(&json!({"ttl": "1m"})));
    assert_eq!(made.status, 201);
    for wish in WISHES.iter().filter(|wish| wish.path.contains("NS")) {
        let [there, absent] =
            ["users", "absent"].map(|namespace| timeless(guarded.ask(tenant, wish, namespace)));
        assert_eq!(there.status, 403, "{}", wish.operation);
        assert_eq!(there, absent, "{}", wish.operation);
    }
    let list = guarded.send(tenant, ("GET", "/v1/namespaces"), None).json();
    assert_eq!(list["namespaces"].as_array().unwrap().len(), 1);
    assert_eq!(list["namespaces"][0]["name"], "theirs-1");
    let stats = guarded.send(tenant, ("GET", "/v1/stats"), None).json();
    assert_eq!(stats.as_object().unwrap().keys().collect::<Vec<_>>(), ["namespaces"]);
    let names = stats["namespaces"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names, ["theirs-1"]);
    // Of its own it may know that something is not there.
    let absent = guarded.send(tenant, ("GET", "/v1/namespaces/theirs-2/entries/a"), None);
    assert_eq!(absent.problem(), "unknown-namespace");
}

#[test]
fn tokens_rotate_with_an_overlap() {
    let guarded = Guarded::start(&[]);
    let get = |token: &str| guarded.send(Some(token), ("GET", ENTRY), None).status;
    let old = guarded.token("read");
    let new = guarded.unknown_token("read", &["--expires", "90d"]);
    assert_eq!((get(&old), get(&new)), (404, 401), "the new one is known after a reload");
    guarded.reload();
    assert_eq!((get(&old), get(&new)), (404, 404), "both are worth something");
    guarded.revoke(&old);
    assert_eq!((get(&old), get(&new)), (404, 404), "until the file is read again");
    guarded.daemon.signal("HUP");
    until("the old one is revoked", || (get(&old) == 401).then_some(()));
    assert_eq!(get(&new), 404);
}

#[test]
fn a_file_of_tokens_that_is_wrong_changes_nothing() {
    let guarded = Guarded::start(&[]);
    let reader = guarded.token("read");
    let text = std::fs::read_to_string(guarded.file()).unwrap();
    let try_with = |text: &str, want: &str| {
        std::fs::write(guarded.file(), text).unwrap();
        let response = guarded.send(Some(&guarded.admin), ("POST", "/v1/reload"), None);
        assert_eq!(response.status, 422, "{response:?}");
        let detail = response.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(want) && !detail.contains("hush"), "{detail}");
    };
    try_with("{\"tokens\": [{\"hush\": 1}]}", "tokens.json:1:");
    try_with(
        &text.replace("\"read\"", "\"owner\""),
        "the role owner, which is not in the settings",
    );
    assert_eq!(guarded.send(Some(&reader), ("GET", ENTRY), None).status, 404);
}

#[test]
fn wrong_tokens_are_slowed_down_and_valid_ones_are_not() {
    let guarded = Guarded::start(&[]);
    let reader = guarded.token("read");
    let wrong = || guarded.send(Some("wrong"), ("GET", ENTRY), None);
    let limited =
        until("it is limited", || Some(wrong()).filter(|response| response.status != 401));
    assert_eq!((limited.status, limited.problem().as_str()), (429, "too-many-attempts"));
    assert!(limited.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    for _ in 0..100 {
        assert!([401, 429].contains(&wrong().status));
        assert_eq!(guarded.send(Some(&reader), ("GET", ENTRY), None).status, 404);
    }
    assert_eq!(guarded.send(None, ("GET", ENTRY), None).status, 401);
    // Nor can the log be flooded.
    let refused = guarded.daemon.log().matches("status=401").count();
    assert!(refused < 60, "{refused}");
}

#[test]
fn a_token_in_a_url_is_refused_and_shown_nowhere() {
    let guarded = Guarded::start(&[]);
    for path in ["/v1/stats?access_token=", "/v1/health?token=", "/v1/namespaces/users?x="] {
        let path = format!("{path}{}", guarded.admin);
        let response = guarded.send(Some(&guarded.admin), ("GET", &path), None);
        assert_eq!((response.status, response.problem().as_str()), (400, "malformed-request"));
        assert!(!String::from_utf8(response.body).unwrap().contains(&guarded.admin));
    }
    let path = format!("/v1/namespaces/{}/clear", guarded.admin);
    let reader = guarded.token("read");
    assert_eq!(guarded.send(Some(&reader), ("POST", &path), None).status, 403);
    assert!(!guarded.daemon.log().contains(&guarded.admin));
}

#[test]
fn pages_of_other_origins_cannot_use_a_browser() {
    let guarded = Guarded::start(&[]);
    let bearer = format!("Bearer {}", guarded.admin);
    let pause = |origin: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Origin", origin)];
        guarded.daemon.call(("POST", "/v1/namespaces/users/pause"), &headers, None).status
    };
    assert_eq!(pause("http://evil.example"), 403);
    assert_eq!(pause("http://test"), 204);
}

#[test]
fn every_answer_says_that_it_is_no_page() {
    let guarded = Guarded::start(&[]);
    for token in [None, Some(guarded.admin.as_str())] {
        for (method, path) in [("GET", "/v1/stats"), ("GET", "/nothing"), ("PATCH", "/v1/stats")] {
            let bearer = token.map(|token| format!("Bearer {token}"));
            let headers: Vec<_> =
                bearer.iter().map(|bearer| ("Authorization", bearer.as_str())).collect();
            let response = guarded.daemon.connect().send(method, path, &headers, None);
            assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(response.header("cache-control"), Some("no-store"));
        }
    }
}
