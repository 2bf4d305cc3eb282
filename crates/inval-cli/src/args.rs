//! The command line: what can be said, its defaults and its help.

mod replay;
mod serve;
mod config;
mod client;
mod analyze;
mod namespaces;
mod acl;
mod doctor;
mod token;

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use inval_redis::{Credentials, Target, TargetError};

pub(crate) use acl::{AclArgs, RulesForm};
pub(crate) use analyze::AnalyzeArgs;
pub(crate) use client::{
    Access, DaemonTls, ExplainArgs, Form, GetArgs, KeyEncoding, Origin, PutArgs, RmArgs,
    RunNowArgs, StatsArgs, TopArgs, TtlArgs,
};
pub(crate) use config::ConfigCommand;
pub(crate) use doctor::DoctorArgs;
pub(crate) use namespaces::{NamespaceCommand, RotationStep};
pub(crate) use replay::ReplayArgs;
pub(crate) use serve::{LogForm, ServeArgs};
pub(crate) use token::{TokenCommand, TokenCreateArgs};

const EXAMPLES: &str = "\
Examples:
  inval replay                                    a demonstration: all strategies, built-in workload
  inval replay --trace requests.csv.zst           your own requests, capacity 10% of the keys
  inval replay --trace requests.csv --strategy lru,s3-fifo --sizes 1%,5%,10% --plot curves.svg
  zcat log.gz | cut -f3 | inval replay --trace - --format keys --max-entries 50000
  inval replay --trace requests.csv --store redis://127.0.0.1:6379

";
const OVERVIEW: &str = "\
Examples:
  inval replay --trace requests.csv               which strategy, which size?
  inval serve --demo                              a daemon with sample namespaces and traffic
  inval ns create users --strategy lru --max-bytes 256MiB --ttl 1h
  inval get alice -n users
  inval top

";
const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 failed; 2 bad usage or invalid input; 3 not there, or a condition is unmet;
4 the daemon or the store cannot be reached; 5 not allowed; 6, 7 `inval doctor` warns, or has found what is
wrong.";

/// Keeps caches in order: limits, TTLs and eviction policies.
#[derive(Debug, Parser)]
#[command(name = "inval", version, after_help = [OVERVIEW, EXIT_CODES].concat())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Replay requests through caches of several strategies and compare their miss ratios
    #[command(
        long_about = "Replay requests through caches of several strategies and compare their miss \
                      ratios.\n\nEvery request reads its key; a miss inserts it. Without --trace \
                      and --workload a built-in workload is replayed.",
        after_help = [EXAMPLES, EXIT_CODES].concat(),
        after_long_help = [replay::NOTES, EXAMPLES, EXIT_CODES].concat(),
    )]
    Replay(Box<ReplayArgs>),

    /// Maintain namespaces and serve them over HTTP, until a signal asks to end
    #[command(
        long_about = "Maintain namespaces, in memory or on a server, and serve them over HTTP, until a signal \
                      asks to end.\n\nSIGTERM and SIGINT end it after the requests under way, a second one \
                      at once; SIGHUP has it read its file again."
    )]
    Serve(ServeArgs),

    /// Write the value under a key to standard output
    #[command(after_help = EXIT_CODES)]
    Get(GetArgs),

    /// Write a value under a key
    #[command(after_help = EXIT_CODES)]
    Put(PutArgs),

    /// Delete the entries under keys
    #[command(after_help = EXIT_CODES)]
    Rm(RmArgs),

    /// Print how long an entry has still to live
    #[command(after_help = EXIT_CODES)]
    Ttl(TtlArgs),

    /// Say what is known of a key: when its entry was used and expires, or why it went
    #[command(after_help = EXIT_CODES)]
    Explain(ExplainArgs),

    /// List, create, change and delete namespaces
    #[command(subcommand, after_help = EXIT_CODES)]
    Ns(NamespaceCommand),

    /// Print the statistics of namespaces, once or again and again
    #[command(after_help = EXIT_CODES)]
    Stats(StatsArgs),

    /// Tell what is in a namespace: sizes, TTLs, idle times, ages, the largest entries, prefixes by weight
    #[command(
        alias = "analyse",
        long_about = "Tell what is in a namespace: sizes, remaining TTLs, idle times, ages, the largest entries \
                      and prefixes by weight.\n\nAll entries are gone through in pages with pauses between them, \
                      so that the server is held for its share of the time and no more. It counts as no access. \
                      Ctrl-C cancels it. With --store nobody's books are at hand: sizes are then the server's \
                      estimates.",
        after_help = EXIT_CODES
    )]
    Analyze(AnalyzeArgs),
    /// Watch all namespaces on a terminal
    #[command(
        long_about = "Watch all namespaces on a terminal: how they are getting on, what happens in a second, \
                      and what led there.\n\nq ends it, and ? shows the keys. Where there is no terminal, \
                      `inval stats --watch` does.",
        after_help = EXIT_CODES,
    )]
    Top(TopArgs),

    /// Do the upkeep of namespaces at once, until nothing is left to do
    #[command(after_help = EXIT_CODES)]
    RunNow(RunNowArgs),

    /// Check the configuration file of the daemon, or print an example
    #[command(subcommand)]
    Config(ConfigCommand),

    /// Make, list and revoke the tokens that a daemon asks for
    #[command(subcommand, after_help = EXIT_CODES)]
    Token(TokenCommand),
    /// Print what a user of a server has to be allowed, and no more, as rules for its ACL
    #[command(after_help = EXIT_CODES)]
    Acl(AclArgs),

    /// Check servers and configuration, and say what to change; changes nothing itself
    #[command(after_help = EXIT_CODES)]
    Doctor(DoctorArgs),

    /// Print what makes a shell complete the arguments of inval
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// The forms in which results are printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Output {
    /// Columns for people
    Table,
    /// One array of objects
    Json,
    /// A header, then a line a cache
    Csv,
}

/// Where the caches are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Memory,
    Server(Target),
}

impl FromStr for Place {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        match text {
            "memory:" => Ok(Self::Memory),
            _ => text.parse().map(Self::Server),
        }
    }
}

/// Without user and password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory:"),
            Self::Server(target) => target.fmt(f),
        }
    }
}

/// A text that is no place is kept as its error, which shows nothing of it: an argument that is refused
/// is printed, and this one may hold a password.
fn parse_place(text: &str) -> Result<Result<Place, TargetError>, Infallible> {
    Ok(text.parse())
}

fn parse_credentials(text: &str) -> Result<Credentials, Infallible> {
    Ok(match text {
        "env" => Credentials::Environment,
        path => Credentials::File(path.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_does_not_contradict_itself() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_place_is_memory_or_a_server_and_shows_no_password() {
        let check = |text: &str, want: &str| {
            assert_eq!(format!("{:?}", text.parse::<Place>()), want);
        };
        check("memory:", "Ok(Memory)");
        check("redis://bob:hush@[::1]/3", "Ok(Server(Target(redis://[::1]:6379/3)))");
        check("http://bob:hush@host", "Err(Scheme)");
        check("redis://bob:hu/sh@host", "Err(Unencoded)");
    }
}
