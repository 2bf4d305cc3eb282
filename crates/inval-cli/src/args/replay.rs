//! What can be said to `inval replay`, its defaults and its help.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use inval_core::Strategy;
use inval_redis::{Credentials, TargetError};
use inval_replay::quantity::parse_duration;
use inval_replay::{ByteSize, Capacity, Format, Workload};

use super::{Output, Place, parse_credentials, parse_place};

pub(super) const NOTES: &str = "\
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
    pub(crate) store: Option<Result<Place, TargetError>>,

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

/// One item of `--strategy`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Strategies {
    All,
    One(Strategy),
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

fn parse_strategies(name: &str) -> Result<Strategies, inval_core::UnknownStrategy> {
    match name.trim() {
        "all" => Ok(Strategies::All),
        name => name.parse().map(Strategies::One),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

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
}
