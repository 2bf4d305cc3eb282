//! One server: started on a free port in a directory of its own, gone when dropped.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::clock::{Clock, ClockError};
use crate::deadline::Deadline;
use crate::door::Door;
use crate::error::StartError;
use crate::log::LogTail;
use crate::options::{Endpoint, Flavour, Options};
use crate::ports::free_port;
use crate::process::Process;
use crate::resp::{CommandError, Connection, Reply};
use crate::settings::{self, ADMIN, ADMIN_PASSWORD, Ports, Role};
use crate::tls;

/// How long a server may take until it answers.
const STARTING: Duration = Duration::from_secs(10);

/// How often another port is tried when somebody took the one that was free.
const ATTEMPTS: usize = 10;

/// A running server. Dropping it kills the process and deletes its directory.
#[derive(Debug)]
pub struct Server {
    options: Options,
    role: Role,
    ports: Ports,
    door: Option<Door>,
    // Before clock and directory, which can be deleted only when no process uses them any more.
    process: Mutex<Process>,
    clock: Option<Clock>,
    directory: TempDir,
}

impl Server {
    /// Starts a server and returns when it answers.
    pub fn start(options: Options) -> Result<Self, StartError> {
        Self::start_as(Role::Single, &options)
    }

    /// A Redis server on a plain port.
    pub fn redis() -> Result<Self, StartError> {
        Self::start(Options::redis())
    }

    /// A Valkey server on a plain port; `None` if none is installed.
    pub fn valkey() -> Option<Result<Self, StartError>> {
        Flavour::Valkey.is_available().then(|| Self::start(Options::valkey()))
    }

    /// A Redis server that speaks TLS and nothing else on its port.
    pub fn with_tls() -> Result<Self, StartError> {
        Self::start(Options::redis().endpoint(Endpoint::Tls))
    }

    /// A Redis server with settings as its command line takes them: `["--maxmemory", "10mb"]`.
    pub fn with_args(args: &[&str]) -> Result<Self, StartError> {
        Self::start(Options::redis().args(args))
    }

    pub(crate) fn start_as(role: Role, options: &Options) -> Result<Self, StartError> {
        let mut attempts = 1;
        loop {
            match Self::attempt(role, options) {
                Err(StartError::Ended { log, .. })
                    if log.tells_that_the_port_is_taken() && attempts < ATTEMPTS =>
                {
                    attempts += 1;
                }
                outcome => return outcome,
            }
        }
    }

    fn attempt(role: Role, options: &Options) -> Result<Self, StartError> {
        let new_port = || free_port().ok_or(StartError::NoPort);
        let (client, bus) = (new_port()?, new_port()?);
        let door = options.has_door.then(|| Door::before(local(client)));
        let door = door.transpose().map_err(StartError::Door)?;
        let ports = Ports { client, bus, door: door.as_ref().map(Door::port) };
        let directory = tempfile::Builder::new()
            .prefix("inval-server-")
            .tempdir()
            .map_err(StartError::Files)?;
        if options.endpoint == Endpoint::Tls {
            tls::Paths::within(directory.path()).fill()?;
        }
        let settings = settings::render(options, role, ports, directory.path());
        fs::write(directory.path().join("server.conf"), settings).map_err(StartError::Files)?;
        let clock = options.has_clock.then(Clock::new).transpose().map_err(StartError::Clock)?;
        let process = Mutex::new(launch(options, role, directory.path(), clock.as_ref())?);
        let options = options.clone();
        let server = Self { options, role, ports, door, process, clock, directory };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where clients connect: `redis://…`, `rediss://…` or `redis+unix://…`, without a user.
    pub fn url(&self) -> String {
        match self.options.endpoint {
            Endpoint::Tcp => format!("redis://{}", self.address()),
            Endpoint::Tls => format!("rediss://{}", self.address()),
            Endpoint::Unix => format!("redis+unix://{}", self.socket_path().display()),
        }
    }

    /// The port on 127.0.0.1 that clients use, the door's if there is one; a restart keeps it.
    pub fn port(&self) -> u16 {
        self.ports.shown()
    }

    /// The port with its address.
    pub fn address(&self) -> SocketAddr {
        local(self.port())
    }

    /// The door before the port; `None` unless the options ask for it.
    pub fn door(&self) -> Option<&Door> {
        self.door.as_ref()
    }

    /// The port past the door.
    pub(crate) fn own_port(&self) -> u16 {
        self.ports.client
    }

    /// The port on which the nodes of a cluster talk to each other.
    pub(crate) fn bus_port(&self) -> u16 {
        self.ports.bus
    }

    /// The Unix socket, which every server has, whatever its endpoint.
    pub fn socket_path(&self) -> PathBuf {
        self.directory.path().join("server.sock")
    }

    /// The certificate, in PEM, of the authority to trust; `None` unless the endpoint is TLS.
    pub fn ca_certificate(&self) -> Option<PathBuf> {
        let tls = self.options.endpoint == Endpoint::Tls;
        tls.then(|| tls::Paths::within(self.directory.path()).ca)
    }

    /// The directory the server runs in; it holds `server.log`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The id of the process, which changes with a restart.
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// A connection as an administrator, whatever users there are.
    pub fn connect(&self) -> Result<Connection, CommandError> {
        let mut connection = Connection::open(&self.socket_path())?;
        connection.command(&["AUTH", ADMIN, ADMIN_PASSWORD])?;
        Ok(connection)
    }

    /// Sends one command as an administrator, over a connection of its own.
    pub fn command<A: AsRef<[u8]>>(&self, args: &[A]) -> Result<Reply, CommandError> {
        self.connect()?.command(args)
    }

    /// The fields of a section of `INFO`; `all` gives every section.
    pub fn info(&self, section: &str) -> Result<HashMap<String, String>, CommandError> {
        let reply = self.command(&["INFO", section])?;
        let lines = reply.text().ok_or(CommandError::Malformed)?.lines();
        let fields = lines.filter_map(|line| line.split_once(':'));
        Ok(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The processor time the server's main thread has used so far, in user and system mode.
    pub fn server_cpu(&self) -> Result<Duration, CommandError> {
        let info = self.info("cpu")?;
        let used = |mode: &str| {
            let of_main_thread = info.get(&format!("used_cpu_{mode}_main_thread"));
            let seconds = of_main_thread.or_else(|| info.get(&format!("used_cpu_{mode}")))?;
            Duration::try_from_secs_f64(seconds.parse().ok()?).ok()
        };
        used("user").zip(used("sys")).map(|(user, sys)| user + sys).ok_or(CommandError::Malformed)
    }

    /// Whether it has its master's data, by its own word; true of a server that is no replica.
    ///
    /// A master counts a replica as connected while that is still loading what it was sent.
    pub(crate) fn is_in_step(&self) -> Result<bool, CommandError> {
        let replication = self.info("replication")?;
        Ok(replication.get("master_link_status").is_none_or(|status| status == "up"))
    }

    /// Kills the server with SIGKILL; when this returns, its port refuses connections.
    ///
    /// Harmless if it is down already. Its directory stays for [`restart`](Self::restart).
    pub fn kill(&self) -> io::Result<()> {
        self.process().kill()
    }

    /// Starts the server again on the same port, in the same directory, with the same settings.
    ///
    /// It is killed first if it runs. Its data is lost unless it was told to save: with the settings
    /// `--appendonly yes --appendfsync always` all that it has answered to is there again.
    pub fn restart(&self) -> Result<(), StartError> {
        self.kill().map_err(StartError::Spawn)?;
        *self.process() =
            launch(&self.options, self.role, self.directory.path(), self.clock.as_ref())?;
        self.wait_until_ready()
    }

    /// Stops the process with SIGSTOP: connections stay open and nothing is answered any more.
    pub fn pause(&self) -> io::Result<()> {
        self.process().pause()
    }

    /// Lets a paused process go on.
    pub fn resume(&self) -> io::Result<()> {
        self.process().resume()
    }

    /// Has the server believe that it is this many milliseconds later than it is, or earlier if
    /// negative; a restart keeps that. An error unless the options give it a clock.
    pub fn shift_clock(&self, offset_ms: i64) -> Result<(), ClockError> {
        self.clock.as_ref().ok_or(ClockError::NotItsOwn)?.shift(offset_ms)
    }

    fn wait_until_ready(&self) -> Result<(), StartError> {
        let probe = || match self.process().ended() {
            Ok(Some(status)) => Some(Err(StartError::Ended { status, log: self.log() })),
            _ => self.answers().then_some(Ok(())),
        };
        let silent = || Err(StartError::Silent { log: self.log() });
        Deadline::after(STARTING).poll(probe).unwrap_or_else(silent)
    }

    /// It answers on its socket, has loaded what it had saved, and listens on its port.
    fn answers(&self) -> bool {
        let pong = matches!(self.command(&["PING"]), Ok(reply) if reply.text() == Some("PONG"));
        pong && TcpStream::connect(local(self.own_port())).is_ok()
    }

    fn log(&self) -> LogTail {
        LogTail::read(&self.directory.path().join("server.log"))
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn local(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

fn launch(
    options: &Options,
    role: Role,
    directory: &Path,
    clock: Option<&Clock>,
) -> Result<Process, StartError> {
    let program = options.flavour.program().ok_or(StartError::Missing(options.flavour))?;
    let log = File::options()
        .create(true)
        .append(true)
        .open(directory.join("server.log"))
        .map_err(StartError::Files)?;
    let mut command = Command::new(program);
    command
        .arg(directory.join("server.conf"))
        .envs(clock.iter().flat_map(|clock| clock.variables()));
    match role {
        Role::Sentinel(_) => command.arg("--sentinel"),
        _ => command.args(&options.args),
    };
    let errors = log.try_clone().map_err(StartError::Files)?;
    Process::start(&command, log, errors).map_err(StartError::Spawn)
}
