//! chromedriver as a process, and requests to it by the WebDriver protocol.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

const BY_HAND: &str = "the tests of the dashboard need Chromium and its driver; to install them, as root on Debian:\n    \
                       apt-get install -y chromium chromium-driver";

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A driver on a free port, gone when dropped.
pub(crate) struct Driver {
    child: Child,
    agent: Agent,
    url: String,
}

impl Driver {
    /// Panics with what to install if there is no browser or no driver.
    pub(crate) fn start() -> Self {
        let driver = in_path(&["chromedriver"]);
        // The kernel ends the driver with the thread of its test, and the browser goes with the driver.
        let mut command = match in_path_or_none(&["setpriv"]) {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                command.args(["--pdeathsig", "KILL"]).arg(driver);
                command
            }
            None => Command::new(driver),
        };
        let mut child =
            command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = lines.find_map(|line| {
            let line = line.unwrap();
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(format!("http://127.0.0.1:{}", port.trim_end_matches('.')))
        });
        // Nobody reads on: what it says later has to go somewhere.
        std::thread::spawn(move || lines.for_each(drop));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { child, agent: config.into(), url: told.unwrap() }
    }

    /// Where the browser is.
    pub(crate) fn browser() -> PathBuf {
        in_path(&["chromium", "chromium-browser", "google-chrome"])
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}/session{path}", self.url));
        let request = request.header("Content-Type", "application/json");
        let mut response = request.send(body.to_string()).unwrap();
        let text = response.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
        let mut told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(response.status(), 200, "{path} {body}: {told}");
        told["value"].take()
    }

    pub(crate) fn delete(&self, path: &str) {
        let _ = self.agent.delete(format!("{}/session{path}", self.url)).call();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn in_path(names: &[&str]) -> PathBuf {
    in_path_or_none(names).unwrap_or_else(|| panic!("{} is missing: {BY_HAND}", names[0]))
}

fn in_path_or_none(names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let directories: Vec<_> = env::split_paths(&path).collect();
    let mut candidates =
        names.iter().flat_map(|name| directories.iter().map(move |directory| directory.join(name)));
    candidates.find(|candidate| candidate.is_file())
}
