//! What can be said to `inval serve`, its defaults and its help.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use inval_redis::{Credentials, TargetError};
use inval_replay::quantity::parse_duration;

use super::{Place, parse_credentials, parse_place};

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// File with the settings; without it the defaults hold, and namespaces are made by the API
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where the namespaces are kept: memory:, or a server, such as redis://127.0.0.1:6379, unix:///path,
    /// redis+cluster://host or redis+sentinel://host/master [default: as the file says, or memory:]
    #[arg(long, value_name = "URL", value_parser = parse_place)]
    pub(crate) store: Option<Result<Place, TargetError>>,

    /// User and password for the server: env for INVAL_REDIS_USER and INVAL_REDIS_PASSWORD, or a file that holds
    /// them in two lines [default: as the file says, or those in the URL]
    #[arg(long, value_name = "env|FILE", value_parser = parse_credentials)]
    pub(crate) store_credentials: Option<Credentials>,

    /// Address and port of the HTTP interface; port 0 is any that is free [default: as the file says, or
    /// 127.0.0.1:7171]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,

    /// Sample namespaces in memory with made-up traffic, to look around
    #[arg(long, conflicts_with_all = ["config", "store", "store_credentials"])]
    pub(crate) demo: bool,

    /// What to log to standard error: error, warn, info, debug or trace, for all or for parts, such as
    /// info,inval=debug
    #[arg(long, value_name = "FILTER", env = "INVAL_LOG", default_value = "info")]
    pub(crate) log: String,

    /// How the log is written
    #[arg(long, value_name = "FORM", env = "INVAL_LOG_FORMAT", value_enum, default_value_t = LogForm::Text)]
    pub(crate) log_format: LogForm,

    /// How often is logged what has left the namespaces and why; 0s is never
    #[arg(long, value_name = "DURATION", env = "INVAL_LOG_INTERVAL", default_value = "1m",
          value_parser = parse_duration)]
    pub(crate) log_interval: Duration,
}

/// The forms in which the log is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum LogForm {
    /// Lines for people
    Text,
    /// An object a line for programs
    Json,
}
