//! A client on a plain port: what it sends and what it hears.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any answer takes, unless none comes.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client listens to say that it hears nothing.
const A_WHILE: Duration = Duration::from_millis(100);

pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).expect("listens"))
    }

    /// One whose first command is the login, with what follows right behind it.
    pub(crate) fn of(user: &str, address: SocketAddr) -> Self {
        let mut client = Self::new(address);
        client.send(&format!("{}PING\r\n", login(user)));
        assert_eq!(client.hear(12).expect("logged in"), "+OK\r\n+PONG\r\n");
        client
    }

    pub(crate) fn send(&mut self, bytes: &str) {
        self.try_send(bytes).expect("open");
    }

    pub(crate) fn try_send(&mut self, bytes: &str) -> io::Result<()> {
        self.0.write_all(bytes.as_bytes())
    }

    /// So many bytes, or fewer if the connection ends before.
    pub(crate) fn hear(&mut self, bytes: u64) -> io::Result<String> {
        self.0.set_read_timeout(Some(PATIENCE))?;
        let mut heard = String::new();
        (&self.0).take(bytes).read_to_string(&mut heard)?;
        Ok(heard)
    }

    pub(crate) fn ping(&mut self) -> io::Result<String> {
        self.send("PING\r\n");
        self.hear(7)
    }

    pub(crate) fn hears_nothing(&mut self) -> bool {
        self.0.set_read_timeout(Some(A_WHILE)).expect("open");
        let silence = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
        self.0.read(&mut [0]).is_err_and(|error| silence.contains(&error.kind()))
    }

    /// Whether no byte is left and the connection is closed, by RST or without.
    pub(crate) fn is_cut(&mut self) -> bool {
        match self.hear(1) {
            Ok(heard) => heard.is_empty(),
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        }
    }

    pub(crate) fn is_reset(&mut self) -> bool {
        self.hear(1).is_err_and(|error| error.kind() == ErrorKind::ConnectionReset)
    }
}

/// The login of a user whose password is `pw`, as clients send it.
pub(crate) fn login(user: &str) -> String {
    format!("*3\r\n$4\r\nAUTH\r\n${}\r\n{user}\r\n$2\r\npw\r\n", user.len())
}
