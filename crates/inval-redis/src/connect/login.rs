//! What is said first on a connection: who we are, which database, and a look at who answers.
//!
//! This is done before redis-rs has the connection, for it passes over what a server says unasked, and
//! why one closes it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};

use bytes::BytesMut;
use redis::{Pipeline, ServerError, Value, ValueCodec};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::Decoder;
use zeroize::Zeroizing;

use super::credentials::Login;
use super::reply::error_of;
use super::secret::Secret;
use super::tls::refuses_our_certificate;
use crate::error::{AuthenticationError, Error, TlsError};

/// The most bytes that stand around a word of a command, and what the other commands of a login take.
const LONGEST_HEAD: usize = 32;
const MOST_OTHERS: usize = 256;

/// What the server must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Any,
    /// What a sentinel named: it may have been degraded since.
    Primary,
    /// A sentinel, which has no databases and not the commands of other servers.
    Sentinel,
}

/// How to get in.
pub(super) struct Entry {
    pub(super) login: Option<Login>,
    pub(super) db: u32,
    pub(super) role: Role,
}

/// Logs in, chooses the database and makes sure that the server takes commands from us. Returns
/// what tells the server's process from others, if it says.
pub(super) async fn log_in<S>(stream: &mut S, entry: &Entry) -> Result<Option<u64>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Entry { login, db, role } = entry;
    let mut first = Pipeline::new();
    if *db != 0 {
        first.cmd("SELECT").arg(db);
    }
    first.cmd(if *role == Role::Primary { "ROLE" } else { "PING" });
    if *role != Role::Sentinel {
        first.cmd("INFO").arg("server");
    }
    let mut request = login.as_ref().map(auth).unwrap_or_default();
    request.extend_from_slice(&first.get_packed_pipeline());
    let mut replies = Replies::to(&request, stream).await;
    drop(request);
    if login.is_some() {
        accept(&replies.next().await?, error_of_auth)?;
    }
    if *db != 0 {
        accept(&replies.next().await?, error_of_select)?;
    }
    check_role(&replies.next().await?, *role)?;
    match role {
        Role::Sentinel => Ok(None),
        Role::Any | Role::Primary => Ok(instance_of(&replies.next().await?)),
    }
}

/// The command that logs in, as it is sent. What redis-rs makes of it would stay in memory.
fn auth(login: &Login) -> Zeroizing<Vec<u8>> {
    let words = ["AUTH"].into_iter().chain(login.user.as_ref().map(Secret::reveal));
    let words: Vec<&str> = words.chain([login.password.reveal()]).collect();
    let len = words.iter().map(|word| word.len() + LONGEST_HEAD).sum::<usize>();
    let mut request = Zeroizing::new(Vec::with_capacity(len + LONGEST_HEAD + MOST_OTHERS));
    // Writing into a vector cannot fail.
    let _ = write!(request, "*{}\r\n", words.len());
    for word in words {
        let _ = write!(request, "${}\r\n{word}\r\n", word.len());
    }
    request
}

/// The replies that are still to come.
struct Replies<'a, S> {
    stream: &'a mut S,
    codec: ValueCodec,
    received: BytesMut,
    sent: io::Result<()>,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Replies<'a, S> {
    async fn to(request: &[u8], stream: &'a mut S) -> Self {
        let mut sent = stream.write_all(request).await;
        if sent.is_ok() {
            sent = stream.flush().await;
        }
        // A server that hangs up may have said why, so a failure to send waits.
        Self { stream, codec: ValueCodec::default(), received: BytesMut::new(), sent }
    }

    async fn next(&mut self) -> Result<Value, Error> {
        loop {
            if let Some(reply) =
                self.codec.decode(&mut self.received).map_err(|_| Error::Protocol)?
            {
                return Ok(reply);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) => return Err(self.why_it_ended(io::ErrorKind::UnexpectedEof.into())),
                Ok(_) => {}
                Err(error) => return Err(self.why_it_ended(error)),
            }
        }
    }

    fn why_it_ended(&mut self, received: io::Error) -> Error {
        if refuses_our_certificate(&received) {
            return TlsError::ClientCertificate.into();
        }
        let error = std::mem::replace(&mut self.sent, Ok(())).err().unwrap_or(received);
        Error::Unreachable(error.kind())
    }
}

fn accept(reply: &Value, error_of: impl Fn(&ServerError) -> Error) -> Result<(), Error> {
    match reply {
        Value::ServerError(error) => Err(error_of(error)),
        _ => Ok(()),
    }
}

fn error_of_auth(reply: &ServerError) -> Error {
    match error_of(reply) {
        // Such as a password for a server that has none.
        Error::Rejected(code) if code.as_str() == "ERR" => AuthenticationError::Rejected.into(),
        error => error,
    }
}

fn error_of_select(reply: &ServerError) -> Error {
    match error_of(reply) {
        Error::Rejected(_) => Error::Database,
        error => error,
    }
}

/// Lets everything pass that the first call will be told again and in more detail.
fn check_role(reply: &Value, role: Role) -> Result<(), Error> {
    match reply {
        Value::ServerError(error) => match error_of(error) {
            error @ (Error::Authentication(_) | Error::TooManyClients) => Err(error),
            _ => Ok(()),
        },
        Value::Array(reply) if role == Role::Primary => match reply.first() {
            Some(Value::BulkString(name)) if name == b"master" => Ok(()),
            _ => Err(Error::ReadOnly),
        },
        _ => Ok(()),
    }
}

/// A hash of the identity that a server's process gives itself at its start.
fn instance_of(info: &Value) -> Option<u64> {
    let Value::BulkString(text) = info else { return None };
    let mut lines = text.split(|&byte| byte == b'\n');
    let run_id = lines.find_map(|line| line.strip_prefix(b"run_id:"))?;
    let mut hasher = DefaultHasher::new();
    run_id.trim_ascii().hash(&mut hasher);
    Some(hasher.finish())
}
