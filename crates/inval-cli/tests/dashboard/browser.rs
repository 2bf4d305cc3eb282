//! A browser for a test: fresh, without a screen, gone when dropped.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::daemon::until;
use super::driver::Driver;

/// Keys without a character of their own, as WebDriver calls them.
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ENTER: &str = "\u{E007}";
pub(crate) const ESCAPE: &str = "\u{E00C}";

const ARGS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
    "--hide-scrollbars",
    "--window-size=1280,800",
];

pub(crate) struct Browser {
    driver: Driver,
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn open() -> Self {
        let profile = TempDir::new().unwrap();
        let driver = Driver::start();
        let directory = format!("--user-data-dir={}", profile.path().display());
        let args: Vec<&str> = ARGS.iter().copied().chain([directory.as_str()]).collect();
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": Driver::browser(), "args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let session = driver.post("", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let session = format!("/{}", session["sessionId"].as_str().unwrap());
        Self { driver, session, _profile: profile }
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        self.driver.post(&format!("{}{path}", self.session), body)
    }

    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// What an expression comes to in the page; if it is a promise, what that comes to.
    pub(crate) fn ask(&self, expression: &str) -> Value {
        let script = format!("return ({expression})");
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// The text of what a selector finds first.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.ask(&format!("document.querySelector({selector:?})?.textContent"));
        text.as_str().unwrap_or_else(|| panic!("no {selector}")).to_owned()
    }

    /// Waits until an expression is true in the page.
    pub(crate) fn until(&self, expression: &str) {
        until(expression, || (self.ask(expression) == true).then_some(()));
    }

    /// A command of the DevTools protocol.
    pub(crate) fn devtools(&self, command: &str, params: Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": params}))
    }

    /// Presses keys one after the other, where the focus is.
    pub(crate) fn press(&self, keys: &str) {
        let strokes = keys.chars().flat_map(|key| {
            ["keyDown", "keyUp"].map(|stroke| json!({"type": stroke, "value": key.to_string()}))
        });
        let strokes: Vec<Value> = strokes.collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.post("/actions", &json!({ "actions": [keyboard] }));
    }

    /// The page as wide and high as a screen of that size shows it.
    pub(crate) fn resize(&self, width: u32, height: u32) {
        let params = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.devtools("Emulation.setDeviceMetricsOverride", params);
    }

    /// What the user prefers, such as `prefers-color-scheme`.
    pub(crate) fn prefer(&self, feature: &str, value: &str) {
        let params = json!({"features": [{"name": feature, "value": value}]});
        self.devtools("Emulation.setEmulatedMedia", params);
    }

    /// What the page has complained about since it was last asked for.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter();
        entries.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// What can be seen, as a PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let picture = self.devtools("Page.captureScreenshot", json!({"format": "png"}));
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.delete(&self.session);
    }
}
