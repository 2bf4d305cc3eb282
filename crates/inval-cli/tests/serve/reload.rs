//! Reading the file again, by request and by signal.

use serde_json::json;

use super::daemon::{Daemon, until};

const FILE: &str = "\
[namespaces.sessions]
strategy = \"lru\"
max_entries = 100
[namespaces.pages]
max_bytes = \"1 MiB\"
";

fn names(daemon: &Daemon) -> Vec<String> {
    let list = daemon.get("/v1/namespaces").json();
    let list = list["namespaces"].as_array().unwrap();
    list.iter().map(|ns| ns["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn namespaces_of_the_file_come_change_and_go() {
    let daemon = Daemon::with_config(FILE, &[]);
    assert_eq!(names(&daemon), ["pages", "sessions"]);
    daemon.put("/v1/namespaces/sessions/entries/a", b"1");
    daemon.create("by-hand", &json!({"ttl": "1m"}));
    daemon.write_config(
        "manager.duty_cycle = 0.1\n\
         [namespaces.sessions]\nstrategy = \"lru\"\nmax_entries = 200\n\
         [namespaces.new]\nttl = \"5m\"",
    );
    let response = daemon.post("/v1/reload");
    assert_eq!(response.status, 200, "{response:?}");
    let want = json!({
        "added": ["new"],
        "changed": ["sessions"],
        "removed": ["by-hand", "pages"],
        "unchanged": [],
        "needs_restart": ["manager.duty_cycle"],
    });
    assert_eq!(response.json(), want);
    assert_eq!(names(&daemon), ["new", "sessions"]);
    let sessions = daemon.get("/v1/namespaces/sessions").json();
    assert_eq!(sessions["config"]["max_entries"], 200);
    assert_eq!(daemon.get("/v1/namespaces/sessions/entries/a").body, b"1");
    assert!(daemon.log().contains("gone with its entries"), "{}", daemon.log());

    // What needs a restart is told until there is one.
    let again = daemon.post("/v1/reload").json();
    assert_eq!(again["unchanged"], json!(["new", "sessions"]));
    assert_eq!(again["needs_restart"], json!(["manager.duty_cycle"]));
}

#[test]
fn what_the_api_changed_lasts_until_the_next_reload() {
    let daemon = Daemon::with_config(FILE, &[]);
    let patched = daemon.json(("PATCH", "/v1/namespaces/pages"), &json!({"max_bytes": 5000}));
    assert_eq!(patched.status, 200);
    assert_eq!(daemon.delete("/v1/namespaces/sessions").status, 204);
    let reloaded = daemon.post("/v1/reload").json();
    assert_eq!(
        (&reloaded["added"], &reloaded["changed"]),
        (&json!(["sessions"]), &json!(["pages"]))
    );
    assert_eq!(daemon.get("/v1/namespaces/pages").json()["config"]["max_bytes"], 1 << 20);
}

#[test]
fn what_cannot_change_in_use_is_named_and_stays() {
    let daemon = Daemon::with_config(FILE, &[]);
    daemon.put("/v1/namespaces/sessions/entries/a", b"1");
    let text = FILE.replace("\"lru\"", "\"lfu\"");
    daemon.write_config(&format!("{text}partitions = 2\nmanager.max_lag = \"3s\"\n"));
    let reloaded = daemon.post("/v1/reload").json();
    let want =
        ["namespaces.pages.partitions", "namespaces.pages.manager", "namespaces.sessions.strategy"];
    assert_eq!(reloaded["needs_restart"], json!(want));
    assert_eq!(reloaded["unchanged"], json!(["pages", "sessions"]));
    assert_eq!(daemon.get("/v1/namespaces/sessions").json()["config"]["strategy"], "lru");
    assert_eq!(daemon.get("/v1/namespaces/sessions/entries/a").body, b"1");
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let daemon = Daemon::with_config(FILE, &[]);
    daemon.write_config("[namespaces.sessions]\nmax_entries = 0\nmax_entrys = 5\n");
    let response = daemon.post("/v1/reload");
    assert_eq!(response.status, 422);
    let detail = response.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("inval.toml:") && detail.contains("max_entrys"), "{detail}");
    assert_eq!(names(&daemon), ["pages", "sessions"]);
    daemon.signal("HUP");
    daemon.wait_for_log("nothing reloaded");
    assert!(daemon.log().contains("max_entrys"), "{}", daemon.log());
    assert_eq!(names(&daemon), ["pages", "sessions"]);
}

#[test]
fn a_signal_reloads() {
    let mut daemon = Daemon::with_config(FILE, &[]);
    daemon.write_config("[namespaces.new]\nttl = \"5m\"");
    daemon.signal("HUP");
    until("the file is in force", || (names(&daemon) == ["new"]).then_some(()));
    assert!(daemon.is_alive());
}

#[test]
fn without_a_file_there_is_nothing_to_reload() {
    let daemon = Daemon::start();
    daemon.create("users", &json!({"ttl": "1m"}));
    let response = daemon.post("/v1/reload");
    assert_eq!(response.status, 422);
    assert!(response.json()["detail"].as_str().unwrap().contains("--config"));
    assert_eq!(names(&daemon), ["users"]);
}
