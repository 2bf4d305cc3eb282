//! Why a daemon could not be asked, and what it says when it refuses.

use std::io::ErrorKind;

use serde::Deserialize;
use thiserror::Error;
use ureq::{Error as UreqError, Timeout};

use super::url::DaemonUrl;
use crate::failure::Exit;

/// Why a call to a daemon failed.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum HttpError {
    #[error(
        "no daemon answers at {0}; start one with `inval serve`, or name another with --daemon"
    )]
    Unreachable(DaemonUrl),
    #[error(
        "no encrypted connection to the daemon at {0}: it may speak plain HTTP, its certificate may not be \
         trusted (--daemon-ca names its authority), or it may want ours (--daemon-certificate)"
    )]
    Encryption(DaemonUrl),
    #[error(
        "the daemon at {0} did not answer in time, so the call may or may not have taken effect; \
         look before repeating it"
    )]
    Timeout(DaemonUrl),
    #[error(
        "the connection to the daemon at {0} was lost, so the call may or may not have taken effect; \
         look before repeating it"
    )]
    Lost(DaemonUrl),
    #[error("what answers at {url} is no daemon (status {status}); name another with --daemon")]
    Stranger { url: DaemonUrl, status: u16 },
    #[error(
        "the answer of the daemon at {0} cannot be read; see that it and this program are of one version"
    )]
    Unreadable(DaemonUrl),
    #[error("the daemon at {0} wants a token; give one by INVAL_TOKEN or --token-file")]
    TokenNeeded(DaemonUrl),
    #[error(
        "the token is worth nothing to the daemon at {0}: it may have expired or been revoked, or be for another daemon"
    )]
    TokenWrong(DaemonUrl),
    #[error("the token may not do this at the daemon at {0}; whoever runs it can allow it")]
    Forbidden(DaemonUrl),
    #[error("{}", .0.text())]
    Refused(Problem),
    #[error("the key is too long for a URL; talk to the store straight, with --store")]
    LongKey,
}

/// What a daemon says when it refuses (RFC 9457).
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub(crate) struct Problem {
    #[serde(rename = "type", default)]
    kind: Box<str>,
    #[serde(default)]
    title: Box<str>,
    #[serde(default)]
    detail: Box<str>,
    /// That of the answer itself.
    #[serde(skip)]
    status: u16,
}

impl Problem {
    /// The problem in the body of an answer; `None` if there is none.
    pub(super) fn read(status: u16, body: &[u8]) -> Option<Self> {
        let problem: Self = serde_json::from_slice(body).ok()?;
        Some(Self { status, ..problem })
    }

    /// Whether it is the one called `name`.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.kind.strip_prefix("urn:inval:problem:") == Some(name)
    }

    /// What to show of it, on one line.
    fn text(&self) -> String {
        let said = [&self.detail, &self.title].into_iter().find(|text| !text.is_empty());
        match said {
            Some(text) => text.replace(char::is_control, " "),
            None => format!("the daemon refused (status {})", self.status),
        }
    }
}

impl HttpError {
    pub(super) fn of_call(error: &UreqError, url: &DaemonUrl) -> Self {
        let url = url.clone();
        match error {
            UreqError::HostNotFound | UreqError::ConnectionFailed => Self::Unreachable(url),
            UreqError::Timeout(Timeout::Connect | Timeout::Resolve) => Self::Unreachable(url),
            UreqError::Timeout(_) => Self::Timeout(url),
            UreqError::Io(error) => match error.kind() {
                ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof => Self::Lost(url),
                ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::Timeout(url),
                // What TLS cannot read or does not believe.
                ErrorKind::InvalidData => Self::Encryption(url),
                // All else happens before anything is sent.
                _ => Self::Unreachable(url),
            },
            UreqError::Tls(_) | UreqError::Pem(_) | UreqError::Rustls(_) => Self::Encryption(url),
            _ => Self::Unreadable(url),
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::TokenNeeded(_) | Self::TokenWrong(_) | Self::Forbidden(_) => Exit::Refused,
            Self::Refused(problem) => match problem.status {
                401 | 403 => Exit::Refused,
                404 | 412 => Exit::Absent,
                400..=499 => Exit::Invalid,
                503 | 504 => Exit::Unreachable,
                _ => Exit::Failure,
            },
            Self::Unreachable(_) | Self::Encryption(_) | Self::Timeout(_) => Exit::Unreachable,
            Self::Lost(_) | Self::Stranger { .. } => Exit::Unreachable,
            Self::Unreadable(_) => Exit::Failure,
            Self::LongKey => Exit::Invalid,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_by_its_detail_on_one_line() {
        let check = |status, body: &str, want: Option<(&str, Exit)>| {
            let error = Problem::read(status, body.as_bytes()).map(HttpError::Refused);
            let got = error.map(|error| (error.to_string(), error.exit()));
            assert_eq!(got, want.map(|(text, exit)| (text.to_owned(), exit)), "{body}");
        };
        check(
            422,
            r#"{"title":"Invalid","detail":"bad\u001b[2J\nttl"}"#,
            Some(("bad [2J ttl", Exit::Invalid)),
        );
        check(404, r#"{"title":"Not found"}"#, Some(("Not found", Exit::Absent)));
        check(503, "{}", Some(("the daemon refused (status 503)", Exit::Unreachable)));
        check(502, "{}", Some(("the daemon refused (status 502)", Exit::Failure)));
        check(404, "<html>", None);
    }
}
