//! One connection through a door: the client's end and the server's.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use super::faults::Whose;

/// How long the server may take to accept, and how often a blocked writer looks whether all is over.
const CONNECTING: Duration = Duration::from_secs(5);
const WRITING: Duration = Duration::from_millis(20);

/// Both sockets close when the last of the threads that hold it drops it.
#[derive(Debug)]
pub(super) struct Connection {
    client: TcpStream,
    server: OnceLock<TcpStream>,
    user: OnceLock<String>,
    since: u64,
    is_over: AtomicBool,
}

impl Connection {
    /// One that comes after this fault.
    pub(super) fn from_client(client: TcpStream, since: u64) -> io::Result<Self> {
        let client = prepared(client)?;
        let (server, user) = (OnceLock::new(), OnceLock::new());
        Ok(Self { client, server, user, since, is_over: false.into() })
    }

    pub(super) fn connect(&self, server: SocketAddr) -> io::Result<()> {
        let server = prepared(TcpStream::connect_timeout(&server, CONNECTING)?)?;
        // It is called once.
        let _is_first = self.server.set(server);
        self.unless_over(())
    }

    pub(super) fn client(&self) -> End<'_> {
        End { stream: &self.client, connection: self }
    }

    /// An error before [`connect`](Self::connect).
    pub(super) fn server(&self) -> io::Result<End<'_>> {
        let stream = self.server.get().ok_or(io::ErrorKind::NotConnected)?;
        Ok(End { stream, connection: self })
    }

    pub(super) fn whose(&self) -> Whose<'_> {
        Whose { user: self.user.get().map(String::as_str), since: self.since }
    }

    pub(super) fn belongs_to(&self, user: String) {
        // Who logs in a second time stays who it was.
        let _is_first = self.user.set(user);
    }

    /// Closes both ends after what was written. Harmless if it is over already; else `note` is called
    /// before either side can know.
    pub(super) fn close(&self, note: impl FnOnce()) {
        self.end(note, |stream| stream.shutdown(Shutdown::Both));
    }

    /// Closes both ends with RST, otherwise like [`close`](Self::close).
    pub(super) fn reset(&self, note: impl FnOnce()) {
        self.end(note, |stream| {
            set_socket_linger(stream, Some(Duration::ZERO))?;
            // Nobody hears of this but the threads that read; RST goes out when they drop the socket.
            stream.shutdown(Shutdown::Read)
        });
    }

    fn end(&self, note: impl FnOnce(), close: impl Fn(&TcpStream) -> io::Result<()>) {
        if self.is_over.swap(true, Ordering::SeqCst) {
            return;
        }
        note();
        // An error means that the other side was faster.
        let _is_open = close(&self.client);
        let _is_open = self.server.get().map(close);
    }

    pub(super) fn unless_over<T>(&self, value: T) -> io::Result<T> {
        if self.is_over.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(value)
    }
}

/// Bytes that arrived, or that none did for a while.
pub(super) enum Arrival {
    /// So many; 0 if no more will come.
    Bytes(usize),
    Nothing,
}

/// One end of a connection.
#[derive(Clone, Copy)]
pub(super) struct End<'a> {
    stream: &'a TcpStream,
    connection: &'a Connection,
}

impl End<'_> {
    /// Waits for bytes, for as long as `patience` says or without end.
    pub(super) fn read(self, into: &mut [u8], patience: Option<Duration>) -> io::Result<Arrival> {
        self.stream.set_read_timeout(patience)?;
        let mut stream = self.stream;
        let arrival = match stream.read(into) {
            Ok(bytes) => Arrival::Bytes(bytes),
            Err(error) if is_passing(&error) => Arrival::Nothing,
            Err(error) => return Err(error),
        };
        self.connection.unless_over(arrival)
    }

    /// An error also if the connection is over before all is written.
    pub(super) fn write(self, mut bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.stream;
        while !bytes.is_empty() {
            match stream.write(bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(error) if is_passing(&error) => self.connection.unless_over(())?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Tells the peer that no more will come.
    pub(super) fn finish(self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(WRITING))?;
    Ok(stream)
}

fn is_passing(error: &io::Error) -> bool {
    let passing = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut, io::ErrorKind::Interrupted];
    passing.contains(&error.kind())
}
