//! The command line: what can be said, its defaults and its help.

use std::convert::Infallible;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use inval_core::Strategy;
use inval_redis::{Credentials, Target, TargetError};
use inval_replay::quantity::parse_duration;
use inval_replay::{ByteSize, Capacity, Format, Workload};

const EXAMPLES: &str = "\
Examples:
  inval replay                                    a demonstration: all strategies, built-in workload
  inval replay --trace requests.csv.zst           your own requests, capacity 10% of the keys
  inval replay --trace requests.csv --strategy lru,s3-fifo --sizes 1%,5%,10% --plot curves.svg
  zcat log.gz | cut -f3 | inval replay --trace - --format keys --max-entries 50000
  inval replay --trace requests.csv --store redis://127.0.0.1:6379

Exit codes: 0 done; 2 bad usage or malformed input; 1 any other failure.";

const REPLAY_NOTES: &str = "\
Formats (each may be compressed with zstd or gzip):
  csv            a header, then a line a request; columns key (needed), time_s, size_bytes
  oracleGeneral  the binary records of libCacheSim
  lis            the ARC traces: start, number of blocks, ignored, request number
  keys           one key a line

Workloads (what is left out has the default shown):
  zipf:keys=100000,skew=1,requests=1000000,seed=1
  scan:keys=100000,skew=1,every=50000,length=10000,requests=1000000,seed=1
  hotspot:keys=100000,hot=1000,share=0.9,every=50000,requests=1000000,seed=1
  loop:keys=100000,requests=1000000

";

/// Keeps caches in order: limits, TTLs and eviction policies.
#[derive(Debug, Parser)]
#[command(name = "inval", version, after_help = EXAMPLES)]
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
        after_help = EXAMPLES,
        after_long_help = [REPLAY_NOTES, EXAMPLES].concat(),
    )]
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// File to replay, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with = "workload")]
    pub(crate) trace: Option<PathBuf>,

    /// Synthetic workload to replay, such as zipf:keys=100000,skew=0.9
    #[arg(long, value_name = "SPEC")]
    pub(crate) workload: Option<Workload>,

    /// Format of the trace: csv, oracleGeneral, lis or keys [default: by extension, stdin: csv]
    #[arg(long, value_name = "FORMAT", requires = "trace")]
    pub(crate) format: Option<Format>,

    /// Malformed lines to pass over before giving up
    #[arg(long, value_name = "N", default_value_t = 0, requires = "trace")]
    pub(crate) skip_bad: u64,

    /// Strategies to compare, with commas, or all
    #[arg(long, value_name = "NAMES", default_value = "all", value_delimiter = ',',
          value_parser = parse_strategies)]
    pub(crate) strategy: Vec<Strategies>,

    /// Limit in entries: a number, or a percentage of the trace's keys such as 10% or 0.1%
    /// [default: 10%, unless --max-bytes or --plot is given]
    #[arg(long, value_name = "N|P%")]
    pub(crate) max_entries: Option<Capacity>,

    /// Several limits in entries, with commas, such as 1%,5%,10%
    /// [default with --plot: 0.1% to 50%]
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "max_entries")]
    pub(crate) sizes: Vec<Capacity>,

    /// Limit in bytes, such as 4096, 1GB or 256MiB; an unknown size counts as 1 byte
    #[arg(long, value_name = "SIZE")]
    pub(crate) max_bytes: Option<ByteSize>,

    /// Time to live of every entry, such as 250ms, 90s or 1h30m, on the time of the trace; with
    /// --store on that of the server
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) ttl: Option<Duration>,

    /// Shards of each cache, or partitions with --store; with 1 the order of eviction is exact
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub(crate) shards: u32,

    /// Where the caches are: memory:, or a server, such as redis://127.0.0.1:6379, unix:///path,
    /// redis+cluster://host or redis+sentinel://host/master [default: memory:]
    #[arg(long, value_name = "URL", value_parser = parse_place)]
    pub(crate) store: Option<Place>,

    /// User and password for the server: env for INVAL_REDIS_USER and INVAL_REDIS_PASSWORD, or a
    /// file that holds them in two lines [default: those in the URL]
    #[arg(long, value_name = "env|FILE", requires = "store", value_parser = parse_credentials)]
    pub(crate) store_credentials: Option<Credentials>,

    /// Requests to the server at a time; those for one key are made in their order
    #[arg(long, value_name = "N", requires = "store", default_value_t = 32,
          value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) concurrency: u32,

    /// How to print the results
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,

    /// Also draw the miss ratios over the capacities into this SVG file
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
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

/// One item of `--strategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategies {
    All,
    One(Strategy),
}

/// Where the caches are. A text that is no target is kept as its error, which shows nothing of it:
/// an argument that is refused is printed, and this one may hold a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    Memory,
    Server(Target),
    Unknown(TargetError),
}

fn parse_place(text: &str) -> Result<Place, Infallible> {
    Ok(match (text, text.parse()) {
        ("memory:", _) => Place::Memory,
        (_, Ok(target)) => Place::Server(target),
        (_, Err(error)) => Place::Unknown(error),
    })
}

fn parse_credentials(text: &str) -> Result<Credentials, Infallible> {
    Ok(match text {
        "env" => Credentials::Environment,
        path => Credentials::File(path.into()),
    })
}

fn parse_strategies(name: &str) -> Result<Strategies, inval_core::UnknownStrategy> {
    match name.trim() {
        "all" => Ok(Strategies::All),
        name => name.parse().map(Strategies::One),
    }
}

impl ReplayArgs {
    /// The strategies asked for, each once, in the order given.
    pub(crate) fn strategies(&self) -> Vec<Strategy> {
        let mut strategies = Vec::new();
        let named = self.strategy.iter().flat_map(|item| match item {
            Strategies::All => &Strategy::ALL[..],
            Strategies::One(strategy) => std::slice::from_ref(strategy),
        });
        for strategy in named {
            if !strategies.contains(strategy) {
                strategies.push(*strategy);
            }
        }
        strategies
    }
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
    fn strategies_come_once_and_in_order() {
        let check = |list: &str, want: &[Strategy]| {
            let cli = Cli::parse_from(["inval", "replay", "--strategy", list]);
            let Some(Command::Replay(args)) = cli.command else { panic!("not a replay") };
            assert_eq!(args.strategies(), want, "{list:?}");
        };
        check("lru", &[Strategy::Lru]);
        check("sieve,lru,sieve", &[Strategy::Sieve, Strategy::Lru]);
        check("all", &Strategy::ALL);
        check("all,lru", &Strategy::ALL);
    }

    #[test]
    fn a_place_is_memory_or_a_server_and_shows_no_password() {
        let check = |text: &str, want: &str| {
            assert_eq!(format!("{:?}", parse_place(text).unwrap()), want);
        };
        check("memory:", "Memory");
        check("redis://bob:hush@[::1]/3", "Server(Target(redis://[::1]:6379/3))");
        check("http://bob:hush@host", "Unknown(Scheme)");
        check("redis://bob:hu/sh@host", "Unknown(Unencoded)");
    }
}
