//! What can be said to `inval doctor`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use inval_redis::acl::Role;
use inval_redis::{Credentials, TargetError};
use inval_replay::quantity::parse_duration;

use super::{Form, Place, parse_credentials, parse_place};

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// The daemon's file: its store is checked, and the namespaces on the server against it
    #[arg(long, value_name = "FILE", required_unless_present = "store")]
    pub(crate) config: Option<PathBuf>,

    /// Server to check, such as redis://127.0.0.1:6379; may be given several times
    #[arg(long, value_name = "URL", value_parser = parse_place, conflicts_with = "config")]
    pub(crate) store: Vec<Result<Place, TargetError>>,

    /// User and password for the servers: env for INVAL_REDIS_USER and INVAL_REDIS_PASSWORD, or a file
    /// that holds them in two lines [default: those in the URL]
    #[arg(long, value_name = "env|FILE", requires = "store", value_parser = parse_credentials)]
    pub(crate) store_credentials: Option<Credentials>,

    /// A PEM file of certificates to trust besides the public authorities
    #[arg(long, value_name = "FILE", requires = "store")]
    pub(crate) ca_certificate: Option<PathBuf>,

    /// What the user is there for: app, reader, manager or admin; a daemon is all of it
    #[arg(long, default_value_t = Role::Admin)]
    pub(crate) role: Role,

    /// For how long is watched what the server evicts and how fast it answers
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, default_value = "1s")]
    pub(crate) watch: Duration,

    /// How to print the findings
    #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
    pub(crate) output: Form,
}
