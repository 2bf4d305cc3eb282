//! The HTTP API of the daemon beside a Redis server: keep-alive reads of the embedded store, by wrk.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};
use inval_test_servers::Server;

use crate::report::Row;

/// Connections, each with one request under way.
const CONNECTIONS: &str = "64";
/// Bytes of the value that is read.
const VALUE: usize = 100;

/// `inval serve` on a free port; gone when dropped.
struct Daemon {
    process: Child,
    url: String,
}

impl Daemon {
    fn start() -> Result<Self> {
        let program = beside_us("inval")?;
        let mut process = Command::new(&program)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| program.display().to_string())?;
        let mut line = String::new();
        let output = process.stdout.take().context("standard output")?;
        BufReader::new(output).read_line(&mut line)?;
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let url = url.context("the daemon did not say where it listens")?.to_owned();
        Ok(Self { process, url })
    }

    fn curl(&self, args: &[&str], path: &str) -> Result<()> {
        let url = format!("{}{path}", self.url);
        let status =
            Command::new("curl").args(["-sf", "-o", "/dev/null"]).args(args).arg(&url).status();
        anyhow::ensure!(status.context("curl")?.success(), "the daemon refused {path}");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program that was built beside this one.
fn beside_us(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(name);
    anyhow::ensure!(program.is_file(), "{} is missing: cargo build --release", program.display());
    Ok(program)
}

pub(crate) fn measure(seconds: u32) -> Result<Vec<Row>> {
    let daemon = Daemon::start()?;
    let value = "v".repeat(VALUE);
    let json = "content-type: application/json";
    daemon.curl(
        &["-X", "PUT", "-H", json, "-d", r#"{"max_entries": 1000}"#],
        "/v1/namespaces/bench",
    )?;
    daemon.curl(&["-X", "PUT", "-d", &value], "/v1/namespaces/bench/entries/key")?;
    let of_daemon = wrk(&format!("{}/v1/namespaces/bench/entries/key", daemon.url), seconds)?;
    drop(daemon);
    let server = Server::redis()?;
    let of_redis = redis_benchmark(&server, of_daemon, seconds)?;
    Ok(vec![
        Row::new(
            "HTTP GET of the embedded store, 64 keep-alive connections, wrk with one thread",
            format!("{:.0} k/s", of_daemon / 1e3),
            "",
            "",
        ),
        Row::new(
            "Redis GET, 64 connections without pipelining, redis-benchmark",
            format!("{:.0} k/s", of_redis / 1e3),
            "",
            "",
        ),
        Row::new("HTTP GET ÷ Redis GET", format!("{:.2}×", of_daemon / of_redis), "", ""),
    ])
}

/// Requests a second by wrk.
fn wrk(url: &str, seconds: u32) -> Result<f64> {
    let duration = format!("{seconds}s");
    let output =
        Command::new("wrk").args(["-t1", "-c", CONNECTIONS, "-d", &duration, url]).output();
    let output = output.context("wrk is missing: apt-get install wrk")?;
    let text = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(!text.contains("Non-2xx"), "the daemon refused some requests:\n{text}");
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    Ok(rate.with_context(|| text.to_string())?.trim().parse()?)
}

/// Reads a second by redis-benchmark, over about as many seconds as the rate of the daemon would take.
fn redis_benchmark(server: &Server, rate: f64, seconds: u32) -> Result<f64> {
    let (port, count) = (server.port().to_string(), (rate * f64::from(seconds)).to_string());
    server.command(&["SET", "key", &"v".repeat(VALUE)])?;
    let args = ["-p", &port, "-c", CONNECTIONS, "-n", &count, "--csv", "GET", "key"];
    let output = Command::new("redis-benchmark").args(args).output().context("redis-benchmark")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let row = text.lines().last().with_context(|| text.to_string())?;
    let rate = row.split(',').nth(1).with_context(|| text.to_string())?;
    Ok(rate.trim_matches('"').parse()?)
}
