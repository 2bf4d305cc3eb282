//! The pictures of the documentation.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;
use std::{env, fs};

use super::browser::Browser;
use super::daemon::Daemon;

/// Pictures stay small.
const MOST_BYTES: usize = 200_000;

/// Draws them anew: `WRITE_DOCS=1 cargo test -p inval-cli --test dashboard pictures -- --ignored`.
#[test]
#[ignore = "watches the demonstration for minutes; a picture of a moment is no test"]
fn pictures_of_the_demonstration() {
    let daemon = Daemon::with_args(&["--demo"]);
    let browser = Browser::open();
    let write = |name: &str| {
        let picture = browser.picture();
        assert!(picture.len() < MOST_BYTES, "{name}: {} bytes", picture.len());
        if env::var_os("WRITE_DOCS").is_some() {
            let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
            fs::write(docs.join(name), picture).unwrap();
        }
    };
    browser.resize(1280, 632);
    browser.go(&format!("http://{}/", daemon.address));
    let minutes = env::var("MINUTES").ok().and_then(|minutes| minutes.parse().ok()).unwrap_or(10.5);
    sleep(Duration::from_secs_f64(60.0 * minutes));
    write("dashboard.png");
    browser.prefer("prefers-color-scheme", "dark");
    browser.resize(390, 880);
    browser.ask("location.hash = '#/pages'");
    sleep(Duration::from_secs(3));
    write("dashboard-phone.png");
}
