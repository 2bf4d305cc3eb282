//! A daemon for a test: started on a free port, gone when dropped.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Connection, Response};
use super::document::Document;

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    /// What it writes to standard output after its address.
    pub(crate) out: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Daemon {
    /// One that keeps its namespaces in memory and has none yet.
    pub(crate) fn start() -> Self {
        Self::with_args(&[])
    }

    pub(crate) fn with_args(args: &[&str]) -> Self {
        Self::launch(args, TempDir::new().unwrap())
    }

    /// One with a file of settings, which [`Self::write_config`] can change.
    pub(crate) fn with_config(text: &str, args: &[&str]) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("inval.toml");
        fs::write(&path, text).unwrap();
        let args = [&["--config", path.to_str().unwrap()], args].concat();
        Self::launch(&args, directory)
    }

    /// One that keeps its namespaces in memory, at an address that is free again.
    pub(crate) fn at(address: SocketAddr) -> Self {
        Self::launch_at(&address.to_string(), &[], TempDir::new().unwrap())
    }

    fn launch(args: &[&str], directory: TempDir) -> Self {
        Self::launch_at("127.0.0.1:0", args, directory)
    }

    fn launch_at(address: &str, args: &[&str], directory: TempDir) -> Self {
        let log = fs::File::create(directory.path().join("log")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_inval"))
            .args(["serve", "--listen", address])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("inval: listening on ");
        let address = address.and_then(|url| url.split_once("://")).map(|(_, address)| address);
        let log = || fs::read_to_string(directory.path().join("log")).unwrap();
        let address = address.unwrap_or_else(|| panic!("{line:?}\n{}", log())).parse().unwrap();
        Self { child, address, out, directory }
    }

    pub(crate) fn write_config(&self, text: &str) {
        fs::write(self.directory.path().join("inval.toml"), text).unwrap();
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a request and checks that the answer is as the document of the API says.
    pub(crate) fn call(
        &self,
        (method, path): (&str, &str),
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Response {
        let response = self.connect().send(method, path, headers, body);
        Document::get().check((method, path), body, &response);
        response
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.call(("GET", path), &[], None)
    }

    pub(crate) fn put(&self, path: &str, value: &[u8]) -> Response {
        self.call(("PUT", path), &[], Some(value))
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.call(("DELETE", path), &[], None)
    }

    pub(crate) fn post(&self, path: &str) -> Response {
        self.call(("POST", path), &[], None)
    }

    pub(crate) fn json(&self, request: (&str, &str), body: &Value) -> Response {
        let headers = [("Content-Type", "application/json")];
        self.call(request, &headers, Some(body.to_string().as_bytes()))
    }

    /// Makes a namespace.
    pub(crate) fn create(&self, name: &str, config: &Value) {
        let response = self.json(("PUT", &format!("/v1/namespaces/{name}")), config);
        assert_eq!(response.status, 201, "{response:?}");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        until("the daemon ends", || self.child.try_wait().unwrap())
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How much of its memory is resident, in KiB.
    #[cfg(target_os = "linux")]
    pub(crate) fn resident_kib(&self) -> i64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_path()).unwrap()
    }

    /// Waits until this stands in the log.
    pub(crate) fn wait_for_log(&self, text: &str) {
        until(text, || self.log().contains(text).then_some(()));
    }

    fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until there is something.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(POLL);
    }
}
