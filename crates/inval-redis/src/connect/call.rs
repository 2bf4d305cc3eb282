//! What is sent, whether it may be sent twice, and which keys say where to.

use redis::{Arg, Cmd, Pipeline, Value};

use super::cluster::slot::{Slot, slot_of_key};
use super::reply::error_of;

/// Whether a call may be carried out more than once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Repeat {
    /// Twice does no harm, so a call whose reply was lost is sent again.
    Safe,
    /// A call whose reply was lost fails with [`Error::OutcomeUnknown`](crate::Error).
    Never,
}

/// A command or a pipeline.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    Command(&'a Cmd),
    Pipeline(&'a Pipeline),
}

impl Request<'_> {
    /// The slot of the first key; `None` if there is no key, so that any server will do.
    pub(super) fn slot(self) -> Option<Slot> {
        match self {
            Self::Command(command) => key_of(command).map(slot_of_key),
            Self::Pipeline(commands) => commands.cmd_iter().find_map(key_of).map(slot_of_key),
        }
    }
}

/// The first key of a command, by the places where keys stand in the commands that a cache needs.
fn key_of(command: &Cmd) -> Option<&[u8]> {
    let mut args = command.args_iter().map(|arg| match arg {
        Arg::Simple(bytes) => bytes,
        _ => b"0".as_slice(),
    });
    let name = args.next()?;
    let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
    if is(&["EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO"]) {
        // The script, the number of keys, the keys.
        return if args.nth(1)? == b"0" { None } else { args.next() };
    }
    if is(&["OBJECT", "MEMORY", "XINFO", "XGROUP"]) {
        return args.nth(1);
    }
    let has_none = is(&[
        "PING",
        "ECHO",
        "INFO",
        "SCRIPT",
        "FUNCTION",
        "CONFIG",
        "CLIENT",
        "CLUSTER",
        "COMMAND",
        "ACL",
        "TIME",
        "ROLE",
        "WAIT",
        "DBSIZE",
        "FLUSHALL",
        "FLUSHDB",
        "SCAN",
        "KEYS",
        "DEBUG",
        "LATENCY",
        "SLOWLOG",
        "MULTI",
        "EXEC",
        "ASKING",
        "AUTH",
        "HELLO",
        "PUBLISH",
        "SAVE",
        "BGSAVE",
        "LASTSAVE",
        "REPLICAOF",
        "FAILOVER",
        "SHUTDOWN",
        "READONLY",
        "READWRITE",
    ]);
    if has_none { None } else { args.next() }
}

/// How far a pipeline with at least one error got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// Every command was refused.
    Nothing,
    /// Some commands were carried out.
    Some,
}

/// The first reply that refuses for a passing reason, and whether anything else was carried out.
pub(super) fn passing_refusal(replies: &[Value]) -> Option<(&redis::ServerError, Progress)> {
    let mut refusal = None;
    let mut progress = Progress::Nothing;
    for reply in replies {
        match reply {
            Value::ServerError(error) => {
                if refusal.is_none() && error_of(error).is_transient() {
                    refusal = Some(error);
                }
            }
            _ => progress = Progress::Some,
        }
    }
    refusal.map(|refusal| (refusal, progress))
}
