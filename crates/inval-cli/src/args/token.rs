//! What can be said to `inval token`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use inval_core::access::Name;
use inval_replay::quantity::parse_duration;

use super::Form;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it, this once; the file keeps only its hash
    Create(TokenCreateArgs),
    /// List the tokens of the file
    List {
        #[command(flatten)]
        file: TokenFileArgs,

        /// How to print them
        #[arg(long, value_name = "FORM", value_enum, default_value_t = Form::Table)]
        output: Form,
    },
    /// Take a token out of the file
    Revoke {
        /// The token's id, as `inval token list` shows it
        id: String,

        #[command(flatten)]
        file: TokenFileArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct TokenCreateArgs {
    /// Whose token it is; for the audit log
    #[arg(long, value_name = "NAME")]
    pub(crate) principal: Name,

    /// Role of the daemon's settings; may be said several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    pub(crate) roles: Vec<Name>,

    /// After what time it is worth nothing, such as 90d [default: never]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) expires: Option<Duration>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,

    #[command(flatten)]
    pub(crate) file: TokenFileArgs,
}

#[derive(Debug, Args)]
pub(crate) struct TokenFileArgs {
    /// File of tokens, the one that access.tokens names in the daemon's settings
    #[arg(long, value_name = "FILE", env = "INVAL_ACCESS_TOKENS")]
    pub(crate) file: PathBuf,
}
