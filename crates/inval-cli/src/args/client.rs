//! What can be said to the commands that read and write entries, show statistics and do upkeep.

use std::convert::Infallible;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use inval_core::Namespace;
use inval_redis::{Credentials, SecretSource, TargetError};
use inval_replay::quantity::parse_duration;

use super::{Place, parse_credentials, parse_place};
use crate::client::{DaemonUrl, DaemonUrlError};

/// Where the caches are.
#[derive(Debug, Args)]
pub(crate) struct Origin {
    /// Daemon to talk to [env: INVAL_DAEMON=] [default: http://127.0.0.1:7171]
    #[arg(long, value_name = "URL", value_parser = parse_daemon, conflicts_with = "store")]
    pub(crate) daemon: Option<Result<DaemonUrl, DaemonUrlError>>,

    #[command(flatten)]
    pub(crate) tls: DaemonTls,

    /// File that holds the token for the daemon, in one line; goes before the variable INVAL_TOKEN
    #[arg(long, value_name = "FILE", conflicts_with = "store")]
    pub(crate) token_file: Option<PathBuf>,

    /// Talk to this server without a daemon, such as redis://127.0.0.1:6379, unix:///path,
    /// redis+cluster://host or redis+sentinel://host/master
    #[arg(long, value_name = "URL", value_parser = parse_place)]
    pub(crate) store: Option<Result<Place, TargetError>>,

    /// User and password for the server: env for INVAL_REDIS_USER and INVAL_REDIS_PASSWORD, or a
    /// file that holds them in two lines [default: those in the URL]
    #[arg(long, value_name = "env|FILE", requires = "store", value_parser = parse_credentials)]
    pub(crate) store_credentials: Option<Credentials>,

    /// Secret of a namespace that keeps digests of keys: a file that holds it, or env: and the name of a variable
    #[arg(long, value_name = "FILE|env:NAME", requires = "store", value_parser = parse_key_secret)]
    pub(crate) key_secret: Option<SecretSource>,
}

/// Where the caches are, and how to print what comes of it.
#[derive(Debug, Args)]
pub(crate) struct Access {
    #[command(flatten)]
    pub(crate) origin: Origin,

    /// How to print the results
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    pub(crate) output: Form,
}

/// Whom to trust, and what to show, where the daemon is reached by https.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct DaemonTls {
    /// PEM file of the authorities that vouch for the daemon [default: the public ones]
    #[arg(long, value_name = "FILE", env = "INVAL_DAEMON_CA")]
    pub(crate) daemon_ca: Option<PathBuf>,

    /// PEM file with the certificate to show to the daemon
    #[arg(long, value_name = "FILE", env = "INVAL_DAEMON_CERTIFICATE", requires = "daemon_key")]
    pub(crate) daemon_certificate: Option<PathBuf>,

    /// PEM file with the key of that certificate
    #[arg(long, value_name = "FILE", env = "INVAL_DAEMON_KEY", requires = "daemon_certificate")]
    pub(crate) daemon_key: Option<PathBuf>,
}

/// The forms in which results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Form {
    /// Columns for people, and values as they are
    Table,
    /// Objects for programs
    Json,
}

/// In which namespace keys are, and how they are written.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Namespace the keys are in
    #[arg(short, long, value_name = "NS", env = "INVAL_NAMESPACE")]
    pub(crate) namespace: Namespace,

    /// How keys are written
    #[arg(long, value_name = "ENCODING", value_enum, default_value_t = KeyEncoding::Raw)]
    pub(crate) key_encoding: KeyEncoding,
}

/// The ways to write a key on the command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum KeyEncoding {
    /// The bytes as they are
    Raw,
    /// Two hexadecimal digits a byte
    Hex,
    /// Base64 with padding (RFC 4648)
    Base64,
}

#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Key to read
    pub(crate) key: OsString,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
#[command(override_usage = "inval put [OPTIONS] --namespace <NS> <KEY> <VALUE|-|--file <FILE>>")]
#[command(group = ArgGroup::new("content").args(["value", "file"]).required(true))]
pub(crate) struct PutArgs {
    /// Key to write
    pub(crate) key: OsString,

    /// Value, or - for standard input
    pub(crate) value: Option<OsString>,

    /// File that holds the value
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,

    /// Time to live, such as 250ms, 90s or 1h30m, instead of the namespace's
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) ttl: Option<Duration>,

    /// Write only if there is no entry under the key
    #[arg(long, conflicts_with = "if_present")]
    pub(crate) if_absent: bool,

    /// Write only if there is an entry under the key
    #[arg(long)]
    pub(crate) if_present: bool,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct RmArgs {
    /// Keys to delete the entries of
    #[arg(required = true, value_name = "KEY")]
    pub(crate) names: Vec<OsString>,

    /// Only say how many there are
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct TtlArgs {
    /// Key of the entry
    pub(crate) key: OsString,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// Key to explain
    pub(crate) key: OsString,

    #[command(flatten)]
    pub(crate) keys: Keys,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    /// Namespace to show everything of [default: the most important of all namespaces]
    #[arg(value_name = "NS")]
    pub(crate) namespace: Option<Namespace>,

    /// Show rates as well, again after every INTERVAL
    #[arg(long, value_name = "INTERVAL", value_parser = parse_watch, num_args = 0..=1,
          default_missing_value = "2s")]
    pub(crate) watch: Option<Duration>,

    /// End after N readings
    #[arg(long, value_name = "N", requires = "watch", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct TopArgs {
    /// How often to read, from 100ms to 1d
    #[arg(long, value_name = "INTERVAL", value_parser = parse_interval, default_value = "2s")]
    pub(crate) interval: Duration,

    #[command(flatten)]
    pub(crate) origin: Origin,
}

#[derive(Debug, Args)]
pub(crate) struct RunNowArgs {
    /// Namespaces to maintain [default: all]
    #[arg(value_name = "NS")]
    pub(crate) namespaces: Vec<Namespace>,

    /// How long to work on one namespace
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "1m")]
    pub(crate) timeout: Duration,

    #[command(flatten)]
    pub(crate) access: Access,
}

/// A text that is no URL of a daemon is kept as its error: it may hold a password.
fn parse_daemon(text: &str) -> Result<Result<DaemonUrl, DaemonUrlError>, Infallible> {
    Ok(text.parse())
}

pub(super) fn parse_key_secret(text: &str) -> Result<SecretSource, Infallible> {
    text.parse()
}

fn parse_interval(text: &str) -> Result<Duration, &'static str> {
    const RANGE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
    let interval = parse_duration(text).ok().filter(|interval| RANGE.contains(interval));
    interval.ok_or("give a duration from 100ms to 1d, such as 2s")
}

/// An interval, which may be a name out of place.
fn parse_watch(text: &str) -> Result<Duration, String> {
    parse_interval(text).map_err(|error| format!("{error}; a namespace goes before --watch"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Cli;

    #[test]
    fn what_excludes_each_other_is_refused() {
        let check = |args: &str, want: Result<(), &str>| {
            let line = format!("inval {args}");
            match (Cli::try_parse_from(line.split_whitespace()), want) {
                (Ok(_), Ok(())) => {}
                (Err(error), Err(want)) => {
                    assert!(error.to_string().contains(want), "{args}: {error}");
                }
                (parsed, want) => panic!("{args}: {parsed:?} but {want:?}"),
            }
        };
        check("get k -n users", Ok(()));
        check("get k -n users --key-encoding hex", Ok(()));
        check("get k -n us/ers", Err("letters, digits"));
        check("get -n users", Err("<KEY>"));
        check("get k -n users --daemon http://a --store redis://b", Err("cannot be used with"));
        check("get k -n users --store-credentials env", Err("--store <URL>"));
        check("put k v -n users --ttl 10m --if-absent", Ok(()));
        check("put k - -n users", Ok(()));
        check("put k --file f -n users", Ok(()));
        check("put k -n users", Err("<VALUE|--file <FILE>>"));
        check("put k v --file f -n users", Err("cannot be used with"));
        check("put k v -n users --if-absent --if-present", Err("cannot be used with"));
        check("put k v -n users --ttl 10", Err("lacks its unit"));
        check("rm a b -n users --dry-run", Ok(()));
        check("rm -n users", Err("<KEY>..."));
        check("explain k -n users --key-encoding hex --output json", Ok(()));
        check("explain -n users", Err("<KEY>"));
        check("stats --watch", Ok(()));
        check("stats users --watch 5s --count 3 --output json", Ok(()));
        check("stats --watch users", Err("a namespace goes before --watch"));
        check("stats --watch 1ms", Err("from 100ms to 1d"));
        check("stats --watch 300d", Err("from 100ms to 1d"));
        check("stats --count 3", Err("--watch"));
        check("stats --output csv", Err("[possible values: table, json]"));
        check("top", Ok(()));
        check("top --interval 500ms --store redis://a --store-credentials env", Ok(()));
        check("top --interval 50ms", Err("from 100ms to 1d, such as 2s\n"));
        check("top --daemon http://a --store redis://b", Err("cannot be used with"));
        check("top users", Err("unexpected argument"));
        check("top --output json", Err("unexpected argument"));
        check("run-now a b", Ok(()));
        check("ns set users --ttl none --max-bytes 1GB", Ok(()));
        check("ns create users --strategy mru", Err("unknown strategy"));
        check("ns create users --max-entries many", Err("a number, or none"));
        check("ns rm users --yes", Ok(()));
        check("ns rm", Err("<NS>"));
    }
}
