//! The binary `inval`: reads the command line, runs the command, turns its end into an exit code.

mod args;
mod failure;

mod output;
mod progress;
mod remote;
mod replay;
mod source;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Some(Command::Replay(args)) => replay::run(&args),
        None => Cli::command().print_help().map_err(anyhow::Error::from),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // If standard error is closed as well, the exit code has to do.
            let _ = writeln!(io::stderr(), "inval: {error:#}");
            failure::exit_code(&error)
        }
    }
}
