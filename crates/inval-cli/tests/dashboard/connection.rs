//! A daemon that goes and comes back, a page that nobody sees, and a daemon behind a path.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use serde_json::json;

use super::browser::Browser;
use super::daemon::Daemon;
use super::guarded::Guarded;
use super::stage::Stage;

#[test]
fn a_lost_daemon_is_said_and_found_again() {
    let daemon = Daemon::start();
    let address = daemon.address;
    daemon.create("users", &json!({"max_entries": 10}));
    let browser = Browser::open();
    browser.go(&format!("http://{address}/"));
    browser.until("document.title == 'inval: all ready'");
    drop(daemon);
    browser.until("document.title == 'inval: no answer'");
    let health = browser.text("#health");
    assert!(
        health.starts_with("No answer since ")
            && health.contains(": no connection to the daemon. These are the last numbers"),
        "{health}"
    );
    assert_eq!(browser.text("#list tbody a"), "users", "what was last known stays");
    assert_eq!(browser.ask("document.body.classList.contains('stale')"), true);

    let daemon = Daemon::at(address);
    daemon.create("pages", &json!({"max_entries": 10}));
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.text("#list tbody a"), "pages");
    assert_eq!(browser.ask("document.body.classList.contains('stale')"), false);
}

#[test]
fn a_daemon_that_does_not_answer_is_asked_less_and_less() {
    let stage = Stage::set("{ a: stage.namespace({ hits: stage.hits = (stage.hits ?? 0) + 20 }) }");
    stage.pass(5);
    stage.browser.ask("stage.asked = 0, stage.told = stage.tell, stage.tell = () => null");
    stage.pass(60);
    let asked = stage.browser.ask("stage.asked").as_u64().unwrap();
    assert!((8..=14).contains(&asked), "{asked} times in two minutes");
    // Another daemon may have counted on meanwhile, so there is no rate before the second answer.
    stage.browser.ask("stage.hits = 1e9, stage.tell = stage.told");
    stage.pass(8);
    assert_eq!(stage.browser.text("#health"), "The namespace is ready");
    assert_eq!(stage.browser.text("#list tbody .w-reads"), "10.0");
}

#[test]
fn nothing_is_asked_while_nobody_sees_it() {
    let stage = Stage::set("{ a: stage.namespace() }");
    stage.pass(2);
    stage.browser.ask("stage.hide(true).then(() => { stage.asked = 0; })");
    stage.pass(100);
    assert_eq!(stage.browser.ask("stage.asked"), 0);
    stage.browser.ask("stage.hide(false)");
    assert_eq!(stage.browser.ask("stage.asked"), 1, "at once");
    stage.pass(3);
    assert_eq!(stage.browser.ask("stage.asked"), 4, "and then as ever");
}

#[test]
fn it_works_behind_a_path() {
    let daemon = Daemon::start();
    daemon.create("users", &json!({"max_entries": 10}));
    let front = front("/caches/eu", daemon.address).unwrap();
    let browser = Browser::open();
    browser.go(&format!("http://{front}/caches/eu/"));
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.text("#list tbody a"), "users");
    assert_eq!(browser.complaints(), [""; 0]);
}

/// Serves under `prefix` what `daemon` serves, and nothing elsewhere.
fn front(prefix: &'static str, daemon: SocketAddr) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || pass_on(stream, prefix, daemon));
        }
    });
    Ok(address)
}

fn pass_on(stream: TcpStream, prefix: &str, daemon: SocketAddr) -> io::Result<()> {
    let mut lines = BufReader::new(&stream).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().transpose()?.is_some_and(|header| !header.is_empty()) {}
    let within = request.strip_prefix("GET ").and_then(|path| path.strip_prefix(prefix));
    let Some(within) = within else {
        return (&stream).write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
    };
    let mut behind = TcpStream::connect(daemon)?;
    write!(behind, "GET {within}\r\nHost: front\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    behind.read_to_end(&mut answer)?;
    (&stream).write_all(&answer)
}

#[test]
fn a_daemon_that_asks_for_tokens_is_shown_to_who_enters_one() {
    let guarded = Guarded::start(&[]);
    let browser = Browser::open();
    browser.go(&format!("http://{}/", guarded.daemon.address));
    browser.until("document.title == 'inval: a token is needed'");
    let enter = |token: &str| {
        browser.ask(&format!("document.querySelector('#token').value = '{token}'"));
        browser.ask("document.querySelector('#door').requestSubmit()");
    };
    enter("inval_wrong");
    browser
        .until("!document.querySelector('#door').hidden && document.title != 'inval: all ready'");
    enter(&guarded.admin);
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.ask("document.querySelector('#door').hidden"), true);
    assert_eq!(browser.text("#list tbody a"), "users");
    assert!(browser.text("#version").contains("store: memory"));
    // Kept by the tab, and in no address.
    browser.go(&format!("http://{}/?", guarded.daemon.address));
    browser.until("document.title == 'inval: all ready'");
    assert_eq!(browser.ask("location.href.includes('inval_')"), false);
}
