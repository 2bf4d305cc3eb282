//! A stage for the page: its clock, its timers and the daemon's answers are played.

use serde_json::json;

use super::browser::Browser;
use super::daemon::Daemon;

/// The page of a real daemon, in a browser whose page asks `stage` instead of the network.
pub(crate) struct Stage {
    pub(crate) browser: Browser,
    _daemon: Daemon,
}

impl Stage {
    /// The page after its first answer, which holds what `namespaces`, an expression, comes to. It comes to it anew
    /// each time.
    pub(crate) fn set(namespaces: &str) -> Self {
        let daemon = Daemon::start();
        let browser = Browser::open();
        let script = format!("{}\nstage.play(() => ({namespaces}));", include_str!("stage.js"));
        browser.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }));
        browser.go(&format!("http://{}/", daemon.address));
        browser.until("document.title !== 'inval'");
        Self { browser, _daemon: daemon }
    }

    /// From now on this is told.
    pub(crate) fn play(&self, namespaces: &str) {
        self.browser.ask(&format!("stage.play(() => ({namespaces}))"));
    }

    /// Goes on by so many answers.
    pub(crate) fn pass(&self, polls: u32) {
        self.browser.ask(&format!("stage.pass({polls})"));
    }
}
