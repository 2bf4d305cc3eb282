//! The binary `inval`: reads the command line, runs the command, turns its end into an exit code.

mod args;
mod client;
mod config;
mod access;
mod acl;
mod doctor;
mod failure;

mod output;
mod progress;
mod remote;
mod replay;
mod source;
mod top;

mod http;
mod serve;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use clap_complete::Shell;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let result = match cli.command {
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Get(args)) => client::get(&args),
        Some(Command::Put(args)) => client::put(&args),
        Some(Command::Rm(args)) => client::rm(&args),
        Some(Command::Ttl(args)) => client::ttl(&args),
        Some(Command::Explain(args)) => client::explain(&args),
        Some(Command::Ns(command)) => client::ns(&command),
        Some(Command::Stats(args)) => client::stats(&args),
        Some(Command::Analyze(args)) => client::analyze(&args),
        Some(Command::Top(args)) => top::run(&args),
        Some(Command::RunNow(args)) => client::run_now(&args),
        Some(Command::Config(command)) => config::run(&command),
        Some(Command::Token(command)) => access::run(&command),
        Some(Command::Acl(args)) => acl::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Completions { shell }) => print_completions(shell),
        Some(Command::Serve(args)) => serve::run(&args),
        None => Cli::command().print_help().map_err(anyhow::Error::from),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if failure::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if error.is::<failure::Said>() => failure::exit_code(&error),
        Err(error) => {
            // If standard error is closed as well, the exit code has to do.
            let _ = writeln!(io::stderr(), "inval: {error:#}");
            failure::exit_code(&error)
        }
    }
}

fn print_completions(shell: Shell) -> anyhow::Result<()> {
    // Into memory first, for the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "inval", &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Says what is wrong with the command line, or helps. What is wrong may be a URL out of place, which may
/// hold a password, or one word too many, which may be a value.
fn refuse(error: &clap::Error) -> ExitCode {
    let text = error.render().to_string();
    let args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let value = |arg: String| match arg.strip_prefix("--").and_then(|arg| arg.split_once('=')) {
        Some((_, value)) => value.to_owned(),
        None => arg,
    };
    let urls = args.map(value).filter(|value| value.contains("://"));
    let mut shown = urls.fold(text.clone(), |text, url| text.replace(&url, "<URL>"));
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
        && !word.starts_with('-')
    {
        shown = shown.replace(&format!("'{word}'"), "'<WORD>'");
    }
    if shown == text {
        error.exit();
    }
    let _ = write!(io::stderr(), "{shown}");
    ExitCode::from(2)
}
