//! What the page shows is what the daemon tells, and it asks nobody else.

use serde_json::json;

use super::browser::Browser;
use super::daemon::Daemon;

/// A daemon with a namespace that was used and one without limits that was not.
fn daemon() -> Daemon {
    let daemon = Daemon::start();
    let limits =
        json!({"strategy": "lru", "max_entries": 4, "max_bytes": "1 MiB", "partitions": 1});
    daemon.create("users", &limits);
    daemon.create("nobody", &json!({"strategy": "ttl", "ttl": "1h"}));
    let path = |key: u32| format!("/v1/namespaces/users/entries/{key}");
    for key in 0..6 {
        assert_eq!(daemon.put(&path(key), &[b'v'; 1023]).status, 204);
    }
    for key in 0..6 {
        daemon.get(&path(key));
    }
    assert_eq!(daemon.delete(&path(5)).status, 204);
    daemon
}

#[test]
fn every_namespace_is_shown_with_its_numbers() {
    let (daemon, browser) = (daemon(), Browser::open());
    browser.go(&format!("http://{}/", daemon.address));
    // There is a rate once it was told twice.
    browser.until("document.querySelector('#reads').textContent == '0 reads/s'");
    let shown = browser.ask(
        "[...document.querySelectorAll('#list tbody tr')].map(tr => [...tr.cells].map(cell => cell.innerText.trim()))",
    );
    let rows = [
        ["nobody", "ready", "no limit", "–", "0", "0", "0 ms"],
        ["users", "ready", "75.0 %", "–", "0", "0", "0 ms"],
    ];
    assert_eq!(shown, json!(rows));
    assert_eq!(browser.text("#bytes"), "3.00 KiB");
    assert_eq!(browser.text("#entries"), "3 entries");

    browser.go(&format!("http://{}/#/users", daemon.address));
    browser.until("document.querySelector('#who').textContent == 'users'");
    let stats = daemon.get("/v1/namespaces/users/stats").json();
    let (entries, bytes) = (&stats["usage"]["entries"], &stats["usage"]["bytes"]);
    assert_eq!((entries, bytes), (&json!(3), &json!(3 * 1024)));
    assert_eq!(browser.text(".limit:first-of-type span:last-child"), "3 of 4, 75.0 %");
    assert_eq!(browser.text(".limit:last-of-type span:last-child"), "3.00 KiB of 1.00 MiB, 0.29 %");
    let removed = browser.ask(
        "[...document.querySelectorAll('#causes tbody tr')].map(tr => [tr.cells[0].innerText.trim(), +tr.cells[3].innerText])",
    );
    let causes = ["expired", "evicted", "invalidated", "replaced", "vanished"];
    let told = causes.map(|cause| json!([cause, stats["removed"][cause]["entries"]]));
    assert_eq!(removed, json!(told));
    assert_eq!(removed[1], json!(["evicted", 2]));
    assert_eq!(browser.text("#f-reads"), "0/s, 66.7 % hits in all");
    assert_eq!(browser.text("#f-lag"), "0 ms, at most 1.0 s wanted");
    assert_eq!(browser.text("#f-peak"), "4 entries, 4.00 KiB");
    assert_eq!(browser.text("#strategy"), "lru");
}

#[test]
fn what_happens_is_followed() {
    let (daemon, browser) = (daemon(), Browser::open());
    browser.go(&format!("http://{}/#/users", daemon.address));
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(daemon.get("/v1/namespaces/users/entries/0").status, 404);
    browser.until("/^0\\.\\d\\/s, 57\\.1 % hits in all$/.test(document.querySelector('#f-reads').textContent)");
    browser.until("document.querySelector('#hits-plot path').getAttribute('d').length > 0");
    assert_eq!(daemon.delete("/v1/namespaces/nobody").status, 204);
    browser.until("document.querySelectorAll('#list tbody tr').length == 1");
    daemon.create("after", &json!({"ttl": "1h"}));
    browser.until("document.querySelectorAll('#list tbody tr').length == 2");
}

#[test]
fn it_asks_its_daemon_alone_and_complains_of_nothing() {
    let (daemon, browser) = (daemon(), Browser::open());
    browser.go(&format!("http://{}/#/users", daemon.address));
    browser.until("performance.getEntriesByType('resource').length >= 3");
    let asked = browser
        .ask("[...new Set(performance.getEntriesByType('resource').map(one => one.name))].sort()");
    let url = |path: &str| format!("http://{}/v1/{path}", daemon.address);
    assert_eq!(asked, json!([url("stats"), url("version")]));
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn the_browser_is_told_to_allow_nothing_else() {
    let daemon = Daemon::start();
    for method in ["GET", "HEAD"] {
        let page = daemon.connect().send(method, "/", &[], None);
        assert_eq!(page.status, 200);
        assert_eq!(page.body.is_empty(), method == "HEAD");
        let policy = page.header("content-security-policy").unwrap();
        for wanted in [
            "default-src 'none'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        ] {
            assert!(policy.split("; ").any(|directive| directive == wanted), "{policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn a_script_that_is_not_its_own_does_not_run() {
    let (daemon, browser) = (daemon(), Browser::open());
    browser.go(&format!("http://{}/", daemon.address));
    browser.ask(
        "(() => { const script = document.createElement('script'); script.textContent = 'window.ran = true'; \
         document.body.append(script); })()",
    );
    assert_eq!(browser.ask("window.ran === undefined"), true);
    assert!(browser.complaints().iter().any(|text| text.contains("Content Security Policy")));
}
