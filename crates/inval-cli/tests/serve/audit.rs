//! The audit log: who did what, and what is never in it.

use serde_json::{Value, json};

use super::guarded::Guarded;

/// What the log has for auditors, each line as its object.
fn audited(guarded: &Guarded) -> Vec<Value> {
    let log = guarded.daemon.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["message"] == "audit").collect()
}

/// The fields of a line that are of interest, those that are there.
fn told(line: &Value) -> Value {
    let fields = ["principal", "operation", "namespace", "entries", "status", "outcome", "reason"];
    fields
        .iter()
        .filter(|field| !line[**field].is_null())
        .map(|field| ((*field).to_owned(), line[*field].clone()))
        .collect()
}

#[test]
fn what_changes_much_is_told_with_who_what_where_and_how_much() {
    let guarded = Guarded::start(&["--log-format", "json"]);
    let (writer, admin) = (guarded.token("write"), guarded.admin.clone());
    let before = audited(&guarded).len();
    let entries = json!({"entries": [{"key": "hush-key", "value": "hush-value"}, {"key": "b", "value": "v"}]});
    let send = |token: &str, request, body: Option<Value>| {
        guarded.send(Some(token), request, body.as_ref()).status
    };
    assert_eq!(send(&writer, ("POST", "/v1/namespaces/users/batch/put"), Some(entries)), 200);
    let keys = json!({"keys": ["hush-key", "absent"]});
    let invalidate = ("POST", "/v1/namespaces/users/invalidate");
    assert_eq!(send(&admin, invalidate, Some(keys.clone())), 200);
    assert_eq!(send(&writer, invalidate, Some(keys)), 403);
    let clear = ("POST", "/v1/namespaces/users/clear");
    assert_eq!(send(&admin, clear, Some(json!({"dry_run": true}))), 200);
    assert_eq!(send(&admin, clear, Some(json!({}))), 200);
    assert_eq!(send(&admin, ("PUT", "/v1/namespaces/new"), Some(json!({"ttl": "1m"}))), 201);
    assert_eq!(send(&admin, ("DELETE", "/v1/namespaces/absent"), None), 404);
    assert_eq!(guarded.send(None, clear, Some(&json!({}))).status, 401);

    let root = |operation: &str, namespace: &str, entries: Option<u64>, status: u16| {
        let outcome = if status < 300 { "done" } else { "failed" };
        let mut told = json!({
            "principal": "root", "operation": operation, "namespace": namespace, "status": status,
            "outcome": outcome,
        });
        if let Some(entries) = entries {
            told["entries"] = entries.into();
        }
        told
    };
    let want = [
        root("Invalidate", "users", Some(1), 200),
        json!({
            "principal": "somebody-write", "operation": "Invalidate", "namespace": "users",
            "outcome": "refused", "reason": "no grant allows invalidate",
        }),
        root("Clear", "users", Some(0), 200),
        root("Clear", "users", Some(1), 200),
        root("CreateNamespace", "new", None, 201),
        root("DeleteNamespace", "absent", None, 404),
        json!({"operation": "Clear", "status": 401, "outcome": "refused"}),
    ];
    let lines = audited(&guarded);
    assert_eq!(lines[before..].iter().map(told).collect::<Vec<_>>(), want);
    assert!(lines[before]["token_id"].as_str().is_some_and(|id| id.len() == 12));
    let log = guarded.daemon.log();
    for secret in ["hush-key", "hush-value", &admin, &writer] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
}

#[test]
fn a_reload_is_told_of_whoever_asked_for_it() {
    let guarded = Guarded::start(&["--log-format", "json"]);
    guarded.reload();
    guarded.daemon.signal("HUP");
    guarded.daemon.wait_for_log("(signal)");
    let who: Vec<_> = audited(&guarded).iter().map(|line| line["principal"].clone()).collect();
    assert_eq!(who, ["root", "(signal)"]);
}
