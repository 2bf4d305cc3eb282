//! What can be said to `inval config`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::config::DEFAULT_FILE;

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what a file asks for, or what is wrong with it and where
    Check {
        /// The file, or - for standard input
        #[arg(default_value = DEFAULT_FILE)]
        file: PathBuf,
    },
    /// Print a file with every field, what it is for and its default
    Example,
}
