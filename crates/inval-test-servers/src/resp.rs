//! A small blocking client: one command, one reply, in RESP2 over a server's Unix socket.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use thiserror::Error;

/// Longer than any command of a test takes, so that only a server that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server answers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A status such as `OK`.
    Status(String),
    /// The server refused the command.
    Error(String),
    /// A number.
    Int(i64),
    /// Bytes.
    Bulk(Vec<u8>),
    /// Nothing is there.
    Nil,
    /// Several replies.
    Array(Vec<Reply>),
}

impl Reply {
    /// A status or bytes as text; `None` for anything else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Status(text) => Some(text),
            Self::Bulk(bytes) => str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// A number; `None` for anything else.
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The replies of an array; none for anything else.
    pub fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }

    /// Whether it is the status `OK`.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Status(text) if text == "OK")
    }
}

/// Why a command got no reply. A refusal is a reply: [`Reply::Error`].
#[derive(Debug, Error)]
pub enum CommandError {
    /// Nobody listens.
    #[error("cannot connect to the server")]
    Connect(#[source] io::Error),
    /// The connection broke, or no answer came in time: the command may have run or not.
    #[error("no answer from the server")]
    NoAnswer(#[source] io::Error),
    /// The answer is not what the protocol or the command prescribes.
    #[error("the server's answer cannot be understood")]
    Malformed,
}

impl CommandError {
    /// True if trying again may succeed, once the server runs and answers.
    pub fn is_retryable(&self) -> bool {
        !matches!(self, Self::Malformed)
    }
}

/// A connection to one server, as its administrator.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<UnixStream>,
}

impl Connection {
    pub(crate) fn open(socket: &Path) -> Result<Self, CommandError> {
        let open = || {
            let stream = UnixStream::connect(socket)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            Ok(stream)
        };
        open().map(Self::over).map_err(CommandError::Connect)
    }

    fn over(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// Sends one command and waits for its reply.
    pub fn command<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Reply, CommandError> {
        self.send(args).map_err(CommandError::NoAnswer)?;
        self.receive()
    }

    fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<()> {
        let mut request = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args.iter().map(AsRef::as_ref) {
            request.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            request.extend_from_slice(arg);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)
    }

    /// Waits for one more reply, as a subscription or `MONITOR` sends them.
    pub fn receive(&mut self) -> Result<Reply, CommandError> {
        let line = self.line()?;
        let (kind, rest) = line.split_at_checked(1).ok_or(CommandError::Malformed)?;
        match kind {
            "+" => Ok(Reply::Status(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => Ok(Reply::Int(number(rest)?)),
            "$" => length(rest)?.map_or(Ok(Reply::Nil), |length| self.bulk(length)),
            "*" => length(rest)?.map_or(Ok(Reply::Nil), |length| self.array(length)),
            _ => Err(CommandError::Malformed),
        }
    }

    fn line(&mut self) -> Result<String, CommandError> {
        let mut line = String::new();
        self.stream.read_line(&mut line).map_err(CommandError::NoAnswer)?;
        match line.strip_suffix("\r\n") {
            Some(line) => Ok(line.to_owned()),
            None => Err(CommandError::NoAnswer(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    fn bulk(&mut self, length: usize) -> Result<Reply, CommandError> {
        let mut bytes = vec![0; length + 2];
        self.stream.read_exact(&mut bytes).map_err(CommandError::NoAnswer)?;
        bytes.truncate(length);
        Ok(Reply::Bulk(bytes))
    }

    fn array(&mut self, length: usize) -> Result<Reply, CommandError> {
        (0..length).map(|_| self.receive()).collect::<Result<_, _>>().map(Reply::Array)
    }
}

fn number(text: &str) -> Result<i64, CommandError> {
    text.parse().map_err(|_| CommandError::Malformed)
}

/// `None` stands for the length -1 of a reply that is not there.
fn length(text: &str) -> Result<Option<usize>, CommandError> {
    match number(text)? {
        -1 => Ok(None),
        length => Ok(Some(usize::try_from(length).map_err(|_| CommandError::Malformed)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a command to which a server answers this.
    fn outcome(answer: &[u8]) -> (Vec<u8>, Result<Reply, CommandError>) {
        let (ours, mut theirs) = UnixStream::pair().expect("a pair");
        theirs.write_all(answer).expect("buffered");
        theirs.shutdown(std::net::Shutdown::Write).expect("open");
        let mut connection = Connection::over(ours);
        let reply = connection.command(&["GET", "k\r\n"]);
        drop(connection);
        let mut request = Vec::new();
        theirs.read_to_end(&mut request).expect("sent");
        (request, reply)
    }

    fn check(answer: &str, expected: Reply) {
        let (request, reply) = outcome(answer.as_bytes());
        assert_eq!(request, b"*2\r\n$3\r\nGET\r\n$3\r\nk\r\n\r\n");
        assert_eq!(reply.expect(answer), expected);
    }

    #[test]
    fn every_kind_of_reply_is_read() {
        check("+OK\r\n", Reply::Status("OK".to_owned()));
        check("-ERR no\r\n", Reply::Error("ERR no".to_owned()));
        check(":-7\r\n", Reply::Int(-7));
        check("$2\r\n\r\n\r\n", Reply::Bulk(b"\r\n".to_vec()));
        check("$-1\r\n", Reply::Nil);
        check("*-1\r\n", Reply::Nil);
        check("*2\r\n:1\r\n*0\r\n", Reply::Array(vec![Reply::Int(1), Reply::Array(Vec::new())]));
    }

    #[test]
    fn what_is_no_reply_is_an_error() {
        let check = |answer: &str, retryable: bool| {
            let (_, reply) = outcome(answer.as_bytes());
            assert_eq!(reply.expect_err(answer).is_retryable(), retryable, "{answer:?}");
        };
        for answer in ["\r\n", "?\r\n", ":x\r\n", "$-2\r\n", "*x\r\n"] {
            check(answer, false);
        }
        for cut_off in ["", "+OK", "$5\r\nabc", "*2\r\n:1\r\n"] {
            check(cut_off, true);
        }
    }
}
