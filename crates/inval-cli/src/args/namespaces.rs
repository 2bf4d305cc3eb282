//! What can be said to `inval ns`.

use std::fmt::Display;
use std::str::FromStr;

use clap::{Args, Subcommand, ValueEnum};
use inval_core::{Namespace, Strategy};
use inval_redis::SecretSource;
use inval_replay::ByteSize;

use super::client::{Access, parse_key_secret};
use crate::client::{Change, Changes, Span};

#[derive(Debug, Subcommand)]
pub(crate) enum NamespaceCommand {
    /// List the namespaces
    List {
        #[command(flatten)]
        access: Access,
    },

    /// Show what a namespace keeps to
    Show {
        /// Name of the namespace
        #[arg(value_name = "NS")]
        namespace: Namespace,

        #[command(flatten)]
        access: Access,
    },

    /// Create a namespace
    Create {
        /// Name of the namespace
        #[arg(value_name = "NS")]
        namespace: Namespace,

        #[command(flatten)]
        settings: SettingArgs,

        #[command(flatten)]
        access: Access,
    },

    /// Change limits, TTL or jitter of a namespace while it is in use
    Set {
        /// Name of the namespace
        #[arg(value_name = "NS")]
        namespace: Namespace,

        #[command(flatten)]
        settings: SettingArgs,

        #[command(flatten)]
        access: Access,
    },

    /// Have the key secret take the place of the old one, in two steps
    Rotate {
        /// Name of the namespace
        #[arg(value_name = "NS")]
        namespace: Namespace,

        /// The step to go
        step: RotationStep,

        /// The secret that --key-secret takes the place of, written as that is
        #[arg(long, value_name = "FILE|env:NAME", requires = "key_secret", value_parser = parse_key_secret)]
        old_key_secret: SecretSource,

        #[command(flatten)]
        access: Access,
    },

    /// Delete a namespace with its entries
    Rm {
        /// Name of the namespace
        #[arg(value_name = "NS")]
        namespace: Namespace,

        /// Do not ask
        #[arg(short, long)]
        yes: bool,

        #[command(flatten)]
        access: Access,
    },
}

/// The steps of a rotation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum RotationStep {
    /// All clients have both secrets: from now on write by the new one
    Begin,
    /// Give up what the old one wrote: clients can do without it from now on
    End,
}

/// What a namespace is to keep to.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    /// Which entry goes first [default: s3-fifo]
    #[arg(long, value_name = "NAME")]
    strategy: Option<Strategy>,

    /// Limit in entries, or none
    #[arg(long, value_name = "N", value_parser = parse_number)]
    max_entries: Option<Change<u64>>,

    /// Limit in bytes, such as 4096, 1GB or 256MiB, or none
    #[arg(long, value_name = "SIZE", value_parser = parse_change::<ByteSize>)]
    max_bytes: Option<Change<ByteSize>>,

    /// Time to live of entries that name none of their own, such as 90s or 1h30m, or none
    #[arg(long, value_name = "DURATION", value_parser = parse_change::<Span>)]
    ttl: Option<Change<Span>>,

    /// Time to live since an entry was last read or written, or none
    #[arg(long, value_name = "DURATION", value_parser = parse_change::<Span>)]
    time_to_idle: Option<Change<Span>>,

    /// Share of each TTL, from 0 to below 1, of which a random part is cut off, or none
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    ttl_jitter: Option<Change<f64>>,

    /// Into how many parts the namespace is split; cannot change later
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    partitions: Option<u32>,
}

impl SettingArgs {
    pub(crate) fn changes(&self) -> Changes {
        let Self { strategy, max_entries, max_bytes, ttl, time_to_idle, ttl_jitter, partitions } =
            *self;
        let max_bytes = max_bytes.map(|change| change.map(|ByteSize(bytes)| bytes));
        Changes { strategy, max_entries, max_bytes, ttl, time_to_idle, ttl_jitter, partitions }
    }
}

fn parse_change<T: FromStr>(text: &str) -> Result<Change<T>, T::Err>
where
    T::Err: Display,
{
    match text {
        "none" => Ok(Change::Off),
        text => text.parse().map(Change::To),
    }
}

fn parse_number(text: &str) -> Result<Change<u64>, &'static str> {
    parse_change(text).map_err(|_| "give a number, or none")
}

fn parse_share(text: &str) -> Result<Change<f64>, &'static str> {
    parse_change(text).map_err(|_| "give a number from 0 to below 1, or none")
}
