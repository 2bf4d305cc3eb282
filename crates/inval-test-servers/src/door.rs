//! A door in front of one port: a proxy that hands on all bytes until it is told to do harm.

mod faults;
mod connection;
mod user;
mod pump;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::ports::free_port;
use connection::Connection;
use faults::Faults;
pub use faults::{Fault, Who};

/// How often another port is tried when somebody took the one that was free.
const ATTEMPTS: usize = 10;

/// How long to wait after a connection that could not be accepted.
const BREATH: Duration = Duration::from_millis(10);

/// A proxy on a port of its own. Dropping it closes the port and every connection that leads through.
///
/// A connection goes on to the server once it is accepted; where the server refuses, it is closed. With
/// no fault all bytes pass at once, unchanged.
///
/// ```
/// use std::io::{Read, Write};
/// use std::net::TcpStream;
///
/// use inval_test_servers::{Door, Fault, Server, Who};
///
/// let server = Server::redis()?;
/// let door = Door::before(server.address())?;
/// let mut client = TcpStream::connect(door.address())?;
///
/// door.inflict(Who::All, Fault::CutAnswersAfter(2));
/// client.write_all(b"SET key 1\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert_eq!((answer.as_str(), door.inflicted()), ("+O", 1));
/// assert_eq!(server.command(&["GET", "key"])?.text(), Some("1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Door {
    port: u16,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What the door's threads have in common.
#[derive(Debug)]
struct Shared {
    server: SocketAddr,
    faults: RwLock<Faults>,
    connections: Mutex<Vec<Weak<Connection>>>,
    inflicted: AtomicU64,
    is_closing: AtomicBool,
}

impl Door {
    /// A door on a free port of 127.0.0.1, before a server that may come later, and come and go.
    pub fn before(server: SocketAddr) -> io::Result<Self> {
        let listener = listen()?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            server,
            faults: RwLock::default(),
            connections: Mutex::default(),
            inflicted: AtomicU64::new(0),
            is_closing: AtomicBool::new(false),
        });
        let common = Arc::clone(&shared);
        let acceptor = thread::Builder::new()
            .name("door".to_owned())
            .spawn(move || accept(&listener, &common))?;
        Ok(Self { port, shared, acceptor: Some(acceptor) })
    }

    /// The port that clients are to use.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port with its address.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Does this to all connections of `who` from now on, also to those that come later.
    ///
    /// Another fault for the same `who` takes its place. A user's connections suffer those of all and
    /// those of the user; of two delays, the longer. Bytes handed on a moment ago may still arrive.
    pub fn inflict(&self, who: Who, fault: Fault) {
        self.change(|faults| faults.inflict(who, fault));
        if fault == Fault::Reset {
            let connections = self.shared.open_connections();
            connections.iter().for_each(|connection| self.shared.reset_if_told(connection));
        }
    }

    /// Ends the fault of `who`; what was held back goes out, in order. Harmless if there is none.
    pub fn lift(&self, who: &Who) {
        self.change(|faults| faults.lift(who));
    }

    /// Ends all faults.
    pub fn lift_all(&self) {
        self.change(Faults::lift_all);
    }

    /// How many chunks were held back and connections cut, reset or left hanging so far.
    ///
    /// A chunk is what arrived at once; it counts as soon as it is held back.
    pub fn inflicted(&self) -> u64 {
        self.shared.inflicted.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn connections(&self) -> usize {
        self.shared.open_connections().len()
    }

    fn change(&self, how: impl FnOnce(&mut Faults)) {
        how(&mut self.shared.faults.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.shared.is_closing.store(true, Ordering::SeqCst);
        // It waits for connections, so one more tells it that this was the last.
        let is_woken = TcpStream::connect(self.address()).is_ok();
        if let Some(acceptor) = self.acceptor.take()
            && is_woken
        {
            // An error would be a panic, of which the test's output tells.
            let _ended = acceptor.join();
        }
        for connection in self.shared.open_connections() {
            connection.close(|| ());
        }
    }
}

impl Shared {
    fn faults<T>(&self, ask: impl FnOnce(&Faults) -> T) -> T {
        ask(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn open_connections(&self) -> Vec<Arc<Connection>> {
        self.registry().iter().filter_map(Weak::upgrade).collect()
    }

    fn register(&self, connection: &Arc<Connection>) {
        let mut registry = self.registry();
        registry.retain(|connection| connection.strong_count() > 0);
        registry.push(Arc::downgrade(connection));
    }

    fn registry(&self) -> MutexGuard<'_, Vec<Weak<Connection>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reset_if_told(&self, connection: &Connection) {
        if self.faults(|faults| faults.tell_to_reset(connection.whose())) {
            connection.reset(|| self.count());
        }
    }

    fn count(&self) {
        self.inflicted.fetch_add(1, Ordering::SeqCst);
    }
}

/// Another program may take a port between the look and the call.
fn listen() -> io::Result<TcpListener> {
    let mut attempts = 1;
    loop {
        let port = free_port().ok_or(io::ErrorKind::AddrInUse)?;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && attempts < ATTEMPTS => {
                attempts += 1;
            }
            outcome => return outcome,
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.is_closing.load(Ordering::SeqCst) {
            return;
        }
        let since = shared.faults(Faults::last);
        let Ok(connection) = client.and_then(|client| Connection::from_client(client, since))
        else {
            // Without a free descriptor the next one fails at once as well.
            thread::sleep(BREATH);
            continue;
        };
        let connection = Arc::new(connection);
        shared.register(&connection);
        shared.reset_if_told(&connection);
        // Without a thread the connection is dropped, which closes it.
        let _is_led = pump::lead_through(Arc::clone(shared), connection);
    }
}
