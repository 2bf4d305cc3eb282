//! A real Prometheus, which scrapes daemons and is asked what it has.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use super::daemon::until;

/// What a query has found: the value of each series by its labels.
pub(crate) type Series = Vec<(BTreeMap<String, String>, f64)>;

pub(crate) struct Prometheus {
    child: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Prometheus {
    /// One that scrapes `targets` so often as the job `inval`, and evaluates `rules` every second.
    pub(crate) fn start(targets: &[SocketAddr], every: Duration, rules: &Path) -> Self {
        let directory = TempDir::new().unwrap();
        let targets: Vec<_> = targets.iter().map(|target| format!("'{target}'")).collect();
        let config = format!(
            "global: {{scrape_interval: {every:?}, evaluation_interval: 1s}}\n\
             rule_files: ['{}']\n\
             scrape_configs: [{{job_name: inval, static_configs: [{{targets: [{}]}}]}}]\n",
            rules.display(),
            targets.join(", ")
        );
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, config).unwrap();
        let address = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("prometheus is missing; `cargo xtask servers` installs it");
        let mut prometheus = Self { child, address, directory };
        until("prometheus is ready", || {
            let exited = prometheus.child.try_wait().unwrap();
            assert!(exited.is_none(), "{}", prometheus.log());
            prometheus.get("/-/ready").filter(|(status, _)| *status == 200)
        });
        prometheus
    }

    /// What a query finds now.
    pub(crate) fn query(&self, query: &str) -> Series {
        let query = utf8_percent_encode(query, NON_ALPHANUMERIC);
        let answer = self.api(&format!("/api/v1/query?query={query}"));
        let series = |series: &Value| {
            let labels = serde_json::from_value(series["metric"].clone()).unwrap();
            (labels, series["value"][1].as_str().unwrap().parse().unwrap())
        };
        answer["result"].as_array().unwrap().iter().map(series).collect()
    }

    /// The one number that a query finds, if it finds any.
    pub(crate) fn number(&self, query: &str) -> Option<f64> {
        self.query(query).first().map(|(_, value)| *value)
    }

    /// The data of an answer of its API.
    pub(crate) fn api(&self, path: &str) -> Value {
        let (status, body) = self.get(path).unwrap();
        let mut answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &answer["status"]), (200, &"success".into()), "{answer}");
        answer["data"].take()
    }

    fn get(&self, path: &str) -> Option<(u16, String)> {
        let request = ureq::get(format!("http://{}{path}", self.address)).config();
        let mut answer = request.http_status_as_error(false).build().call().ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.body_mut().read_to_string().unwrap()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
