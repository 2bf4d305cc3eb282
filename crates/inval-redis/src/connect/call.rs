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

#[cfg(test)]
mod tests {
    use redis::{cmd, pipe};

    use super::*;

    fn command(words: &str) -> Cmd {
        let mut words = words.split_whitespace();
        let mut command = cmd(words.next().unwrap_or_default());
        words.for_each(|word| {
            command.arg(word);
        });
        command
    }

    #[test]
    fn keys_are_found_where_they_stand() {
        let check = |words: &str, want: Option<&str>| {
            assert_eq!(key_of(&command(words)), want.map(str::as_bytes), "{words}");
        };
        check("GET a", Some("a"));
        check("set a b", Some("a"));
        check("EVALSHA 7c 2 a b c", Some("a"));
        check("evalsha 7c 0 c", None);
        check("EVALSHA 7c", None);
        check("FCALL f 1 a", Some("a"));
        check("OBJECT IDLETIME a", Some("a"));
        check("MEMORY USAGE a", Some("a"));
        check("SCRIPT LOAD a", None);
        check("SCAN 0", None);
        check("PING", None);
        check("GET", None);
    }

    #[test]
    fn a_pipeline_goes_where_its_first_key_is() {
        let mut commands = pipe();
        commands.add_command(command("PING")).add_command(command("GET {a}b"));
        commands.add_command(command("GET {a}c"));
        assert_eq!(Request::Pipeline(&commands).slot(), Some(slot_of_key(b"a")));
        assert_eq!(Request::Pipeline(&pipe()).slot(), None);
    }

    #[test]
    fn only_passing_refusals_are_seen_and_with_what_went_before() {
        let error =
            |line: &str| redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        let check = |replies: &[Value], want: Option<(&str, Progress)>| {
            let got = passing_refusal(replies);
            assert_eq!(got.map(|(error, progress)| (error.code(), progress)), want);
        };
        let busy = || error("BUSY x");
        check(&[Value::Okay], None);
        check(&[error("WRONGTYPE x")], None);
        check(&[busy(), busy()], Some(("BUSY", Progress::Nothing)));
        check(&[busy(), Value::Nil], Some(("BUSY", Progress::Some)));
        check(&[Value::Okay, error("WRONGTYPE x"), busy()], Some(("BUSY", Progress::Some)));
        check(&[error("ERR x"), error("NOSCRIPT x")], Some(("NOSCRIPT", Progress::Nothing)));
    }
}
