//! What an error reply means. Of its text only the words of the protocol are looked at.

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
}

/// Why redis-rs has no reply for us. Says nothing of what stands in its text.
pub(super) fn silence_of(error: &RedisError) -> Silence {
    match error.kind() {
        _ if error.is_timeout() => Silence::Interrupted(Interruption::Timeout),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Silence::Garbage,
        _ => Silence::Interrupted(Interruption::ConnectionLost),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn reply(line: &str) -> ServerError {
        match redis::parse_redis_value(format!("-{line}\r\n").as_bytes()) {
            Ok(Value::ServerError(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// As servers from Redis 6 to Valkey 9 say it.
    #[test]
    fn errors_are_told_by_their_code() {
        let check = |line: &str, want: Error| assert_eq!(error_of(&reply(line)), want, "{line}");
        let rejected = |code| Error::Rejected(Code::new(code));
        check("NOAUTH Authentication required.", AuthenticationError::Missing.into());
        check(
            "WRONGPASS invalid username-password pair or user is disabled.",
            AuthenticationError::Rejected.into(),
        );
        check(
            "DENIED Redis is running in protected mode",
            AuthenticationError::ProtectedMode.into(),
        );
        check("NOPERM User app has no permissions to run the 'get' command", Error::Permission);
        check("OOM command not allowed when used memory > 'maxmemory'.", Error::OutOfMemory);
        check("MISCONF Redis is configured to save RDB snapshots, but", Error::Persistence);
        check("NOREPLICAS Not enough good replicas to write.", Error::NoReplicas);
        check("LOADING Redis is loading the dataset in memory", Error::Loading);
        check("BUSY Redis is busy running a script.", Error::Busy);
        check("UNKILLABLE Sorry the script already executed write commands", Error::Busy);
        check("READONLY You can't write against a read only replica.", Error::ReadOnly);
        check("MASTERDOWN Link with MASTER is down", Error::MasterDown);
        check("CLUSTERDOWN Hash slot not served", Error::ClusterDown);
        check("TRYAGAIN Multiple keys request during rehashing of slot", Error::TryAgain);
        check("MOVED 3999 127.0.0.1:6381", Error::Redirected);
        check("ASK 3999 127.0.0.1:6381", Error::Redirected);
        check("CROSSSLOT Keys in request don't hash to the same slot", Error::CrossSlot);
        check("WRONGTYPE Operation against a key", Error::WrongType);
        check("NOSCRIPT No matching script.", Error::NoScript);
        check("ERR max number of clients reached", Error::TooManyClients);
        check("ERR This instance has cluster support disabled", Error::NotACluster);
        check("ERR unknown command 'FOO', with args beginning with: 'secret'", rejected("ERR"));
        check("EXECABORT Transaction discarded because of previous errors.", rejected("EXECABORT"));
        check("EXECABORT Transaction discarded because of: READONLY You can't", Error::ReadOnly);
        check(
            "OOM command not allowed when used memory > 'maxmemory'. script: 7c, on @user_script:1.",
            Error::OutOfMemory,
        );
        check(
            "ERR Error running script (call to f_7c): @user_script:1: OOM command not allowed",
            Error::OutOfMemory,
        );
        check("ERR Error running script (call to f_7c): @user_script:1: x", rejected("ERR"));
        check("NOGROUP No such key 'secret'", rejected("NOGROUP"));
        check("hunter2 is what a script says", rejected("ERR"));
    }

    #[test]
    fn no_error_repeats_what_the_server_said() {
        for code in ["ERR", "WRONGTYPE", "NOPERM", "MOVED", "EXECABORT", "secret", "SECRET-KEY"] {
            let error = error_of(&reply(&format!("{code} hunter2 inval:{{users:0}}:k:hunter2")));
            let shown = format!("{error} {error:?}").to_lowercase();
            assert!(!shown.contains("hunter2") && !shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn redirects_are_read() {
        let check = |line: &str, want: Option<(u16, &str, u16, bool)>| {
            let want = want.map(|(slot, host, port, is_once)| Redirect {
                slot,
                address: HostPort::new(host, port),
                is_once,
            });
            assert_eq!(redirect_of(&reply(line)), want, "{line}");
        };
        check("MOVED 3999 127.0.0.1:6381", Some((3999, "127.0.0.1", 6381, false)));
        check("ASK 1 node.example:7000", Some((1, "node.example", 7000, true)));
        check("MOVED 3999 ::1:6381", Some((3999, "::1", 6381, false)));
        check("MOVED 3999 :6381", Some((3999, "", 6381, false)));
        check("MOVED 3999", None);
        check("MOVED x 127.0.0.1:6381", None);
        check("MOVED 3999 127.0.0.1:x", None);
        check("ERR 3999 127.0.0.1:6381", None);
    }

    #[test]
    fn silence_is_told_by_its_cause() {
        use io::ErrorKind as Io;
        let check = |error: RedisError, want: Silence| assert_eq!(silence_of(&error), want);
        let lost = Silence::Interrupted(Interruption::ConnectionLost);
        check(io::Error::from(Io::TimedOut).into(), Silence::Interrupted(Interruption::Timeout));
        check(io::Error::from(Io::BrokenPipe).into(), lost);
        check(io::Error::from(Io::ConnectionReset).into(), lost);
        check(io::Error::from(Io::UnexpectedEof).into(), lost);
        check((ErrorKind::Parse, "?").into(), Silence::Garbage);
    }
}
