//! The command `inval token`: makes, lists and revokes tokens.

use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use thiserror::Error;

use super::file::{self, Record, Text, TokenFileError};
use super::moment::Moment;
use super::token::Token;
use crate::args::{Form, TokenCommand, TokenCreateArgs};
use crate::failure::Exit;
use crate::output;

/// Why a token was neither made nor revoked.
#[derive(Debug, Error)]
pub(crate) enum TokenCommandError {
    #[error(transparent)]
    File(#[from] TokenFileError),
    #[error("there is no token {0}; `inval token list` shows those there are")]
    Unknown(Box<str>),
    #[error("the system gives no random numbers: {0}")]
    Random(getrandom::Error),
}

impl TokenCommandError {
    /// The exit code it ends with.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::File(error) if error.is_invalid() => Exit::Invalid,
            Self::Unknown(_) => Exit::Absent,
            Self::File(_) | Self::Random(_) => Exit::Failure,
        }
    }
}

pub(crate) fn run(command: &TokenCommand) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match command {
        TokenCommand::Create(args) => create(&mut out, args)?,
        TokenCommand::List { file, output } => {
            list(&mut out, &file::read(&file.file).map_err(TokenCommandError::from)?, *output)?;
        }
        TokenCommand::Revoke { id, file } => revoke(id, &file.file)?,
    }
    Ok(out.flush()?)
}

/// Prints the token, which is kept nowhere.
fn create(out: &mut impl Write, args: &TokenCreateArgs) -> anyhow::Result<()> {
    let token = Token::generate().map_err(TokenCommandError::Random)?;
    let created = Moment::now();
    let record = Record {
        principal: Text(args.principal.clone()),
        roles: args.roles.iter().cloned().map(Text).collect(),
        sha256: Text(token.fingerprint()),
        created: Text(created),
        expires: args.expires.map(|after| Text(created.after(after))),
        note: args.note.clone(),
    };
    let told = told(&record, created);
    file::edit(&args.file.file, |tokens| {
        tokens.push(record);
        Ok::<(), TokenCommandError>(())
    })?;
    let [id, .., expires, _state, _note] = told;
    let _ = writeln!(
        io::stderr(),
        "inval: token {id} of {}, expires {expires}; it is shown this once, and a daemon knows it after a reload",
        args.principal
    );
    Ok(writeln!(out, "{}", token.reveal())?)
}

fn revoke(id: &str, path: &Path) -> Result<(), TokenCommandError> {
    file::edit(path, |tokens| {
        let count = tokens.len();
        tokens.retain(|record| record.sha256.0.id() != id);
        match tokens.len() < count {
            true => Ok(()),
            false => Err(TokenCommandError::Unknown(id.into())),
        }
    })?;
    let _ = writeln!(io::stderr(), "inval: token {id} revoked; a daemon refuses it after a reload");
    Ok(())
}

const HEADING: [&str; 7] = ["id", "principal", "roles", "created", "expires", "state", "note"];

fn list(out: &mut impl Write, records: &[Record], form: Form) -> anyhow::Result<()> {
    let now = Moment::now();
    let rows = records.iter().map(|record| told(record, now));
    if form == Form::Json {
        let objects = rows.map(|row| {
            let [id, principal, roles, created, expires, state, note] = row;
            let roles: Vec<&str> = roles.split(',').collect();
            let expires = (expires != "never").then_some(expires);
            json!({
                "id": id, "principal": principal, "roles": roles, "created": created,
                "expires": expires, "state": state, "note": note,
            })
        });
        serde_json::to_writer_pretty(&mut *out, &objects.collect::<Vec<_>>())?;
        return Ok(writeln!(out)?);
    }
    let mut table = vec![HEADING.map(str::to_owned).to_vec()];
    table.extend(rows.map(Vec::from));
    Ok(output::aligned(out, &table)?)
}

/// What is told of a token, in the order of the heading.
fn told(record: &Record, now: Moment) -> [String; 7] {
    let roles: Vec<&str> = record.roles.iter().map(|role| role.0.as_str()).collect();
    let expires = record.expires.as_ref().map(|expires| expires.0);
    let note = record.note.as_deref().unwrap_or_default();
    [
        record.sha256.0.id(),
        record.principal.0.to_string(),
        roles.join(","),
        record.created.0.to_string(),
        expires.map_or_else(|| "never".to_owned(), |expires| expires.to_string()),
        if expires.is_some_and(|expires| expires <= now) { "expired" } else { "valid" }.to_owned(),
        note.replace(char::is_control, " "),
    ]
}
