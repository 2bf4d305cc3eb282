//! A real `inval serve` that manages the namespaces, to be killed, stopped and woken.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use inval_test_servers::{Clock, Process};
use tempfile::TempDir;

use crate::load::{CROWD, KEY_MARK, ROOMY, TIGHT, TIGHT_ENTRIES, VALUE_MARK};
use crate::site::{PASSWORD, Site};

const STARTING: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(10);
/// The same for what a daemon answers: all its namespaces one by one, of which there may be thousands.
const READY_POLL: Duration = Duration::from_millis(200);
/// How long an answer of the daemon may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file to which nothing can be written.
const FULL: &str = "/dev/full";

/// The lease where nothing else is said.
pub(crate) const LEASE: Duration = Duration::from_secs(1);

/// What daemons are to manage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Duties {
    /// The most records of a journal.
    pub(crate) journal_cap: u64,
    /// How many more namespaces there are, with a few entries each.
    pub(crate) namespaces: u32,
    pub(crate) times: Times,
}

/// When managers do what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// The lease of a manager: how long it takes until one that died is replaced.
    pub(crate) lease: Duration,
    /// The longest pause between two reads of a journal.
    pub(crate) idle: Duration,
    /// The pause between two pages of the scrub.
    pub(crate) scrub: Duration,
}

impl Times {
    /// So that a trial need not be long.
    pub(crate) const HASTY: Self =
        Self { lease: LEASE, idle: Duration::from_millis(200), scrub: Duration::from_millis(100) };
}

impl Duties {
    /// None besides the two namespaces that clients use.
    pub(crate) const fn few() -> Self {
        Self { journal_cap: 100_000, namespaces: 0, times: Times::HASTY }
    }
}

/// What every daemon is started with.
pub(crate) struct Recipe {
    program: PathBuf,
    config: String,
    disk_is_full: bool,
}

impl Recipe {
    pub(crate) fn new(program: &Path, site: &Site, duties: Duties, disk_is_full: bool) -> Self {
        Self { program: program.to_owned(), config: config(site, duties), disk_is_full }
    }
}

/// A daemon, running or not.
pub(crate) struct Daemon {
    number: usize,
    directory: TempDir,
    process: Process,
    clock: Option<Clock>,
    starts: u32,
}

impl Daemon {
    /// Starts the daemon of this number; returns when it listens.
    pub(crate) fn start(number: usize, recipe: &Recipe, clock: Option<Clock>) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("inval-chaos-").tempdir()?;
        fs::write(directory.path().join("inval.toml"), &recipe.config)?;
        let process = launch(number, recipe, directory.path(), clock.as_ref(), 0)?;
        let daemon = Self { number, directory, process, clock, starts: 1 };
        daemon.address()?;
        Ok(daemon)
    }

    /// Kills it with SIGKILL. Harmless if it is dead.
    pub(crate) fn kill(&self) -> Result<()> {
        Ok(self.process.kill()?)
    }

    /// Starts it again; does not wait for anything. Harmless if it runs.
    pub(crate) fn revive(&mut self, recipe: &Recipe) -> Result<()> {
        if !self.process.is_running() {
            let clock = self.clock.as_ref();
            self.process = launch(self.number, recipe, self.directory.path(), clock, self.starts)?;
            self.starts += 1;
        }
        Ok(())
    }

    /// Stops it with SIGSTOP.
    pub(crate) fn pause(&self) -> Result<()> {
        Ok(self.process.pause()?)
    }

    /// Lets it go on. Harmless if it does, or is dead.
    pub(crate) fn resume(&self) -> Result<()> {
        if self.process.is_running() {
            self.process.resume()?;
        }
        Ok(())
    }

    /// Sets its clock so much ahead, or back.
    pub(crate) fn shift_clock(&self, offset_ms: i64) -> Result<()> {
        let clock = self.clock.as_ref().context("the daemon's clock cannot be set")?;
        Ok(clock.shift(offset_ms)?)
    }

    /// How much of its memory is resident, in bytes; `None` where nobody tells.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok().map(|kib| kib * 1024)
    }

    /// Waits until it manages all its namespaces, or another does.
    pub(crate) fn wait_until_ready(&self, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            let answer = self.request("GET", "/v1/ready", None);
            if matches!(answer, Ok(200)) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("a daemon does not become ready: {answer:?}\n{}", self.end_of_log());
            }
            std::thread::sleep(READY_POLL);
        }
    }

    /// Asks it for something over HTTP; the status of its answer.
    pub(crate) fn request(&self, method: &str, path: &str, body: Option<&str>) -> Result<u16> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address()?))
            .header("Content-Type", "application/json")
            .body(body.unwrap_or_default().to_owned())?;
        Ok(agent.run(request)?.status().as_u16())
    }

    /// What its logs say that no log should.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        for start in 0..self.starts {
            let log = fs::read_to_string(log_of(self.directory.path(), start)).unwrap_or_default();
            for (word, complaint) in [
                ("panicked", "panicked"),
                (KEY_MARK, "has logged a key"),
                (VALUE_MARK, "has logged a value"),
                (PASSWORD, "has logged a password"),
            ] {
                if log.contains(word) {
                    complaints.push(format!("a daemon {complaint}"));
                }
            }
        }
        complaints
    }

    fn address(&self) -> Result<String> {
        let deadline = Instant::now() + STARTING;
        let path = out_of(self.directory.path(), self.starts.saturating_sub(1));
        loop {
            let told = fs::read_to_string(&path).unwrap_or_default();
            let line = told.lines().next().filter(|_| told.contains('\n'));
            if let Some((_, address)) = line.and_then(|line| line.split_once("://")) {
                return Ok(address.to_owned());
            }
            if !self.process.is_running() || Instant::now() > deadline {
                bail!("a daemon does not start\n{}", self.end_of_log());
            }
            std::thread::sleep(POLL);
        }
    }

    fn end_of_log(&self) -> String {
        let path = log_of(self.directory.path(), self.starts.saturating_sub(1));
        let log = fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

fn launch(
    number: usize,
    recipe: &Recipe,
    directory: &Path,
    clock: Option<&Clock>,
    start: u32,
) -> Result<Process> {
    let mut command = Command::new(&recipe.program);
    command.arg("serve").arg("--config").arg(directory.join("inval.toml"));
    command.env("INVAL_REDIS_USER", format!("manager{number}"));
    command.env("INVAL_REDIS_PASSWORD", PASSWORD);
    command.envs(clock.into_iter().flat_map(Clock::variables));
    let out = File::create(out_of(directory, start))?;
    let log = if recipe.disk_is_full { FULL.into() } else { log_of(directory, start) };
    let log = File::options().create(true).append(true).open(log)?;
    Ok(Process::start(&command, out, log)?)
}

fn out_of(directory: &Path, start: u32) -> PathBuf {
    directory.join(format!("out{start}"))
}

fn log_of(directory: &Path, start: u32) -> PathBuf {
    directory.join(format!("log{start}"))
}

fn config(site: &Site, duties: Duties) -> String {
    let Duties { journal_cap, namespaces, times } = duties;
    let [lease, idle, scrub] = [times.lease, times.idle, times.scrub].map(|time| time.as_millis());
    let partitions = site.topology.partitions();
    let mut text = format!(
        "store = \"{}\"\n\
         store_credentials = \"env\"\n\
         http.listen = \"127.0.0.1:0\"\n\
         manager.longest_retry = \"1s\"\n\
         [redis]\n\
         lease = \"{lease}ms\"\n\
         response_timeout = \"500ms\"\n\
         overall_timeout = \"2s\"\n\
         idle_interval = \"{idle}ms\"\n\
         scrub_interval = \"{scrub}ms\"\n\
         journal_cap = {journal_cap}\n\
         [namespaces.{ROOMY}]\n\
         strategy = \"s3-fifo\"\n\
         max_entries = 1000000\n\
         partitions = {partitions}\n\
         [namespaces.{TIGHT}]\n\
         strategy = \"lru\"\n\
         max_entries = {TIGHT_ENTRIES}\n\
         partitions = {partitions}\n\
         [namespaces.{CROWD}]\n\
         strategy = \"ttl\"\n\
         max_entries = 2000000\n\
         partitions = {partitions}\n",
        site.target()
    );
    for number in 0..namespaces {
        text += &format!("[namespaces.many{number}]\nstrategy = \"lru\"\nmax_entries = 10\n");
    }
    text
}
