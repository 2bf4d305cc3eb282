//! What can go wrong between a call and its reply, and what to do then. Never a key, a value or a
//! password: what a server says is reduced to its code word.

mod kind;

use std::fmt;
use std::io;

use thiserror::Error;

/// Why a call to the server failed. Each text says the next step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Error {
    /// No connection could be made, so nothing was sent.
    #[error("the server cannot be reached ({0}); check its address and that it runs")]
    Unreachable(io::ErrorKind),
    /// The name of the server's host means nothing here.
    #[error("the host's name cannot be resolved; check the address and the name service")]
    Unresolved,
    /// The connection broke before the reply to a call that may be repeated.
    #[error("the connection was lost before the reply came; the call may be repeated")]
    ConnectionLost,
    /// A call that may be repeated got no reply in time.
    #[error("no reply came in time; repeat the call, or raise response_timeout")]
    Timeout,
    /// A call that must not be repeated was sent, and its reply was not seen.
    #[error("{0}, so the call may or may not have taken effect; look before repeating it")]
    OutcomeUnknown(Interruption),

    /// The server does not let us in.
    #[error(transparent)]
    Authentication(#[from] AuthenticationError),
    /// User and password could not be had.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No encrypted connection could be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The user may not run the command or touch the key (`NOPERM`).
    #[error("the server forbids the user this command or key (NOPERM); extend the user's ACL")]
    Permission,
    /// The server takes no more clients.
    #[error("the server has all the clients it takes; raise its maxclients, or close some")]
    TooManyClients,
    /// The database that the target names is not there, or the server has only one.
    #[error("the server has no such database; check the number at the end of the target")]
    Database,

    /// The server has no memory left for a write (`OOM`).
    #[error("the server is out of memory (OOM); raise its maxmemory, or lower the caches' limits")]
    OutOfMemory,
    /// The server cannot save and therefore refuses writes (`MISCONF`).
    #[error("the server refuses writes as it cannot save (MISCONF); look at its disk and log")]
    Persistence,
    /// Fewer replicas than the server was told to have (`NOREPLICAS`).
    #[error("the server refuses writes as it lacks replicas (NOREPLICAS); bring them back")]
    NoReplicas,
    /// The server is reading its data from disk (`LOADING`).
    #[error("the server is loading its data (LOADING); try again later")]
    Loading,
    /// A script holds the server (`BUSY`).
    #[error("a script holds the server (BUSY); try again later, or stop it by SCRIPT KILL")]
    Busy,
    /// A write met a replica (`READONLY`).
    #[error("the server is a replica (READONLY); connect to its primary, or by redis+sentinel://")]
    ReadOnly,
    /// A replica has lost its primary (`MASTERDOWN`).
    #[error("the server is a replica without its primary (MASTERDOWN); connect to the primary")]
    MasterDown,

    /// The Cluster, or the part of it that has the key, is down (`CLUSTERDOWN`).
    #[error("the Cluster does not serve this key (CLUSTERDOWN); look at CLUSTER INFO")]
    ClusterDown,
    /// The keys are on their way from one node to another (`TRYAGAIN`).
    #[error("the keys are moving to another node (TRYAGAIN); try again when they have moved")]
    TryAgain,
    /// The server sent us elsewhere, and following did not help (`MOVED`, `ASK`).
    #[error("another node of a Cluster has the key; use redis+cluster:// to be led there")]
    Redirected,
    /// One call touches keys of several slots (`CROSSSLOT`).
    #[error("the call's keys are in several slots (CROSSSLOT); give them one hash tag")]
    CrossSlot,
    /// A target of the kind `redis+cluster` leads to a server that is in no Cluster.
    #[error("the server is not in a Cluster; use redis:// instead of redis+cluster://")]
    NotACluster,
    /// No sentinel knows a master of the target's name.
    #[error("no sentinel knows the master; check the name at the end of the target")]
    UnknownMaster,

    /// The value is larger than a server takes.
    #[error("the value has {0} bytes; a server takes at most 512 MiB, so split it")]
    ValueTooLarge(usize),
    /// A TTL of an entry's own in a namespace with a time to idle, where each read would undo it.
    #[error("entries of a namespace with time_to_idle have no TTL of their own; leave it out")]
    OwnTtlWithIdle,
    /// The journal stayed so long that a write might have exceeded the limit, for which there is a headroom.
    #[error("no room was made for the write in time; check that a manager runs, or lower headroom")]
    NoRoom,

    /// The key holds another type than the command is for (`WRONGTYPE`).
    #[error("the key holds another type (WRONGTYPE); something else writes under this name")]
    WrongType,
    /// The server does not know the script (`NOSCRIPT`), and loading it did not help.
    #[error("the server does not keep our scripts (NOSCRIPT); look who runs SCRIPT FLUSH")]
    NoScript,
    /// The scan went on at another server than it began at, so its cursor means nothing.
    #[error("the keys changed servers during the scan; begin the scan again")]
    ScanInterrupted,
    /// Something other than a Redis or Valkey server answered.
    #[error("the answer is not the Redis protocol; check address and port")]
    Protocol,
    /// The reply has another form than the command promises.
    #[error("the server replied in an unknown form; check that its version is supported")]
    UnexpectedReply,
    /// The namespace has come to keep to what this client cannot keep to while it works.
    #[error(transparent)]
    Estranged(#[from] Estrangement),
    /// The namespace's keys are digests by a secret that this client does not have.
    #[error("keys of the namespace are digests by another secret than here; give its key secret")]
    KeySecret,
    /// Somebody else changed the configuration since it was last looked at, and theirs is kept to.
    #[error("somebody else has changed the configuration; look at it, then change it again")]
    ChangedMeanwhile,

    /// The server refused the call for another reason, of which this is the first word.
    #[error("the server refused the call ({0}); look into its log for the reason")]
    Rejected(Code),
}

impl Error {
    /// True if the same call may succeed later without anything being changed here, and repeating
    /// it does no harm.
    pub fn is_retryable(&self) -> bool {
        use Error::*;
        match self {
            Unreachable(_) | Unresolved | ConnectionLost | Timeout => true,
            TooManyClients | OutOfMemory | Persistence | NoReplicas => true,
            UnknownMaster | ScanInterrupted | NoRoom => true,
            _ => self.is_transient(),
        }
    }

    /// True if the call may have taken effect although it failed.
    pub fn is_outcome_unknown(&self) -> bool {
        use Error::*;
        matches!(self, ConnectionLost | Timeout | OutcomeUnknown(_) | Protocol | UnexpectedReply)
    }

    /// True if the server refused the call for a state that passes by itself, soon.
    pub(crate) fn is_transient(&self) -> bool {
        use Error::*;
        matches!(
            self,
            Loading | Busy | ReadOnly | MasterDown | ClusterDown | TryAgain | Redirected | NoScript
        )
    }
}

/// How a call lost its reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interruption {
    /// The connection broke.
    ConnectionLost,
    /// The time for the reply ran out.
    Timeout,
}

impl fmt::Display for Interruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionLost => "the connection was lost before the reply came",
            Self::Timeout => "no reply came in time",
        })
    }
}

/// Why the server does not let us in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum AuthenticationError {
    /// Wrong user or password (`WRONGPASS`).
    #[error("the server rejects user or password (WRONGPASS); check the credentials")]
    Rejected,
    /// The server asks for a password and got none (`NOAUTH`).
    #[error("the server asks for a password (NOAUTH); give credentials")]
    Missing,
    /// The server has no password and is open to its own host alone (`DENIED`).
    #[error("the server is in protected mode (DENIED); set a password there, or bind it")]
    ProtectedMode,
}

/// Why user and password could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CredentialsError {
    /// The environment names no password, or one that is not UTF-8.
    #[error("INVAL_REDIS_PASSWORD is not set to a password; set it")]
    Environment,
    /// The file cannot be read.
    #[error("the file of credentials cannot be read ({0}); check its path and permissions")]
    File(io::ErrorKind),
    /// The file is not one or two lines of UTF-8.
    #[error("the file of credentials must hold the password, or user and password, a line each")]
    Form,
}

/// Why no encrypted connection could be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum TlsError {
    /// No authority that we trust has signed the server's certificate.
    #[error("the server's certificate is not trusted; name its authority in ca_certificate")]
    Untrusted,
    /// The certificate is for another host.
    #[error("the server's certificate is for another name; use a name that stands in it")]
    WrongName,
    /// The certificate is not valid at this time.
    #[error("the server's certificate is not valid now; renew it, or set the clock")]
    OutOfDate,
    /// The certificate cannot be used for another reason.
    #[error("the server's certificate cannot be used; look at it with openssl x509")]
    BadCertificate,
    /// The server wants a certificate of ours, or another one.
    #[error("the server refuses our certificate or lack of one; set client_certificate")]
    ClientCertificate,
    /// The handshake failed: the port may not speak TLS, or no version of it that we do.
    #[error("the TLS handshake failed; check that the port speaks TLS 1.2 or 1.3")]
    Handshake,
    /// A certificate or key of ours cannot be read.
    #[error("a certificate or key cannot be read ({0}); check paths and permissions")]
    File(io::ErrorKind),
    /// A file of ours holds no certificate or key in PEM form.
    #[error("a file holds no usable PEM certificate or key; check what it holds")]
    Pem,
}

/// Why a client cannot go on with a namespace whose configuration has changed on the server. It evicts nothing
/// while that is so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Estrangement {
    /// A field has changed that cannot change while clients work.
    #[error("{field} of the namespace has changed on the server; open the namespace anew")]
    Fixed {
        /// The field.
        field: &'static str,
    },
    /// A program that writes another version of the configuration has changed it.
    #[error("the namespace's configuration now has version {0}; upgrade this program")]
    UnknownVersion(u32),
    /// What is on the server is no configuration any more.
    #[error("the namespace's configuration cannot be read any more; put it right, or delete it")]
    Unreadable,
}

/// The first word of a server's error: up to 15 capital letters, `ERR` for anything else.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    letters: [u8; Self::MAX_LEN],
    len: u8,
}

impl Code {
    const MAX_LEN: usize = 15;

    pub(crate) fn new(word: &str) -> Self {
        let valid = word.len() <= Self::MAX_LEN
            && !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let word = if valid { word } else { "ERR" };
        let mut letters = [0; Self::MAX_LEN];
        letters.iter_mut().zip(word.bytes()).for_each(|(letter, byte)| *letter = byte);
        Self { letters, len: word.len() as u8 }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        let letters = self.letters.get(..usize::from(self.len)).unwrap_or_default();
        std::str::from_utf8(letters).unwrap_or_default()
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_word_of_capitals_or_err() {
        let check = |word: &str, want: &str| assert_eq!(Code::new(word).to_string(), want);
        check("NOGROUP", "NOGROUP");
        check("ABCDEFGHIJKLMNO", "ABCDEFGHIJKLMNO");
        check("ABCDEFGHIJKLMNOP", "ERR");
        check("inval:{users:0}:k:secret", "ERR");
        check("HUNTER2", "ERR");
        check("", "ERR");
        check("É", "ERR");
    }

    #[test]
    fn what_may_be_repeated_and_what_may_have_happened() {
        let check = |error: Error, retryable: bool, unknown: bool| {
            assert_eq!(error.is_retryable(), retryable, "{error}");
            assert_eq!(error.is_outcome_unknown(), unknown, "{error}");
        };
        check(Error::Unreachable(io::ErrorKind::ConnectionRefused), true, false);
        check(Error::ConnectionLost, true, true);
        check(Error::Timeout, true, true);
        check(Error::OutcomeUnknown(Interruption::Timeout), false, true);
        check(Error::OutcomeUnknown(Interruption::ConnectionLost), false, true);
        check(AuthenticationError::Rejected.into(), false, false);
        check(Error::Permission, false, false);
        check(Error::OutOfMemory, true, false);
        check(Error::ReadOnly, true, false);
        check(Error::Busy, true, false);
        check(Error::CrossSlot, false, false);
        check(Error::WrongType, false, false);
        check(Error::ScanInterrupted, true, false);
        check(Error::Rejected(Code::new("ERR")), false, false);
    }
}
