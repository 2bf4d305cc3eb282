//! What an error reply means. Of its text only the words of the protocol are looked at.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerError, Value};

use super::target::HostPort;
use crate::error::{AuthenticationError, Code, Error, Interruption};

/// The error that a server's error reply stands for.
pub(super) fn error_of(reply: &ServerError) -> Error {
    let details = reply.details().unwrap_or_default();
    match reply.code() {
        "EXECABORT" => details
            .split_once("because of: ")
            .map(|(_, reason)| reason.split_whitespace().next().unwrap_or_default())
            .and_then(error_of_code)
            .unwrap_or(Error::Rejected(Code::new("EXECABORT"))),
        "ERR" if details.starts_with("max number of clients") => Error::TooManyClients,
        "ERR" if details.starts_with("This instance has cluster support disabled") => {
            Error::NotACluster
        }
        // Before Redis 7 an error inside a script came wrapped into a text.
        "ERR" if details.starts_with("Error running script") => details
            .split_whitespace()
            .find_map(error_of_code)
            .unwrap_or(Error::Rejected(Code::new("ERR"))),
        code => error_of_code(code).unwrap_or(Error::Rejected(Code::new(code))),
    }
}

fn error_of_code(code: &str) -> Option<Error> {
    Some(match code {
        "NOAUTH" => AuthenticationError::Missing.into(),
        "WRONGPASS" => AuthenticationError::Rejected.into(),
        "DENIED" => AuthenticationError::ProtectedMode.into(),
        "NOPERM" => Error::Permission,
        "OOM" => Error::OutOfMemory,
        "MISCONF" => Error::Persistence,
        "NOREPLICAS" => Error::NoReplicas,
        "LOADING" => Error::Loading,
        "BUSY" | "UNKILLABLE" => Error::Busy,
        "READONLY" => Error::ReadOnly,
        "MASTERDOWN" => Error::MasterDown,
        "CLUSTERDOWN" => Error::ClusterDown,
        "TRYAGAIN" => Error::TryAgain,
        "MOVED" | "ASK" => Error::Redirected,
        "CROSSSLOT" => Error::CrossSlot,
        "WRONGTYPE" => Error::WrongType,
        "NOSCRIPT" => Error::NoScript,
        _ => return None,
    })
}

/// Where a node of a Cluster sends us.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Redirect {
    pub(super) slot: u16,
    /// An empty host stands for that of the node that sent us away.
    pub(super) address: HostPort,
    /// For this call alone, because the slot is on its way there.
    pub(super) is_once: bool,
}

/// Reads `MOVED` and `ASK`; `None` for all other replies.
pub(super) fn redirect_of(reply: &ServerError) -> Option<Redirect> {
    let is_once = match reply.code() {
        "MOVED" => false,
        "ASK" => true,
        _ => return None,
    };
    let mut words = reply.details()?.split_whitespace();
    let slot = words.next()?.parse().ok()?;
    let (host, port) = words.next()?.rsplit_once(':')?;
    Some(Redirect { slot, address: HostPort::new(host, port.parse().ok()?), is_once })
}

/// The first error among a call's replies.
pub(super) fn first_error(replies: &[Value]) -> Option<&ServerError> {
    replies.iter().find_map(|reply| match reply {
        Value::ServerError(error) => Some(error),
        _ => None,
    })
}

/// Why a call that was sent has no reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Silence {
    /// It may or may not have been carried out.
    Interrupted(Interruption),
    /// What came was no reply.
    Garbage,
    /// The server asks for a certificate, or another one.
    ClientCertificate,
}

/// Why redis-rs has no reply for us. Says nothing of what stands in its text.
pub(super) fn silence_of(error: &RedisError) -> Silence {
    if error.is_timeout() {
        return Silence::Interrupted(Interruption::Timeout);
    }
    if io_error(error).is_some_and(super::tls::refuses_our_certificate) {
        return Silence::ClientCertificate;
    }
    match error.kind() {
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Silence::Garbage,
        _ => Silence::Interrupted(Interruption::ConnectionLost),
    }
}

fn io_error(error: &RedisError) -> Option<&io::Error> {
    type Cause = Arc<dyn std::error::Error + Send + Sync>;
    error.source()?.downcast_ref::<Cause>()?.downcast_ref()
}
