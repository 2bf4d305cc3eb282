//! What is said first on a connection: who we are, which database, and a look at who answers.

use std::hash::{DefaultHasher, Hash, Hasher};

use redis::{Cmd, Pipeline, ServerError, Value, cmd};

use super::call::Request;
use super::credentials::Login;
use super::link::{Answer, Link};
use super::reply::{Silence, error_of};
use crate::error::{AuthenticationError, Error, Interruption, TlsError};

/// What the server must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Role {
    Any,
    /// What a sentinel named: it may have been degraded since.
    Primary,
    /// A sentinel, which has no databases and not the commands of other servers.
    Sentinel,
}

/// Logs in, chooses the database and makes sure that the server takes commands from us.
pub(super) async fn log_in(
    link: &mut Link,
    login: Option<&Login>,
    db: u32,
    role: Role,
) -> Result<(), Error> {
    let mut first = Pipeline::new();
    if let Some(login) = login {
        first.add_command(auth(login));
    }
    if db != 0 {
        first.cmd("SELECT").arg(db);
    }
    first.cmd(if role == Role::Primary { "ROLE" } else { "PING" });
    if role != Role::Sentinel {
        first.cmd("INFO").arg("server");
    }
    let mut replies = match link.send(Request::Pipeline(&first)).await {
        Ok(Answer::Replies(replies)) => replies.into_iter(),
        Ok(_) => return Err(Error::UnexpectedReply),
        Err(silence) => return Err(error_of_silence(silence)),
    };
    let mut next = || replies.next().ok_or(Error::UnexpectedReply);
    if login.is_some() {
        refusal(&next()?).map_or(Ok(()), |error| Err(error_of_auth(error)))?;
    }
    if db != 0 {
        refusal(&next()?).map_or(Ok(()), |error| Err(error_of_select(error)))?;
    }
    check_role(&next()?, role)?;
    if role != Role::Sentinel
        && let Some(instance) = instance_of(&next()?)
    {
        link.set_instance(instance);
    }
    Ok(())
}

fn auth(login: &Login) -> Cmd {
    let mut auth = cmd("AUTH");
    if let Some(user) = &login.user {
        auth.arg(user.reveal());
    }
    auth.arg(login.password.reveal());
    auth
}

fn refusal(reply: &Value) -> Option<&ServerError> {
    super::reply::first_error(std::slice::from_ref(reply))
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

fn error_of_silence(silence: Silence) -> Error {
    use std::io::ErrorKind::{ConnectionAborted, TimedOut};
    match silence {
        Silence::Interrupted(Interruption::ConnectionLost) => Error::Unreachable(ConnectionAborted),
        Silence::Interrupted(Interruption::Timeout) => Error::Unreachable(TimedOut),
        Silence::Garbage => Error::Protocol,
        Silence::ClientCertificate => TlsError::ClientCertificate.into(),
    }
}
