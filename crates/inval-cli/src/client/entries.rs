//! The commands `inval get`, `put`, `rm` and `ttl`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read, Write};

use inval_core::{Key, Lifetime, Namespace, Put, PutCondition, PutOptions};
use serde_json::json;

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::keys::{json_bytes, read_key};
use super::print;
use super::values::{Run, Span};
use crate::args::{Form, GetArgs, PutArgs, RmArgs, TtlArgs};

/// Writes the value under a key to standard output, its bytes and nothing else unless JSON is asked for.
pub(crate) fn get(args: &GetArgs) -> anyhow::Result<()> {
    let key = read_key(&args.key, args.keys.key_encoding)?;
    let namespace = &args.keys.namespace;
    let value = Endpoint::open(&args.access.origin)?.get(namespace, &key)?;
    let value = value.ok_or_else(|| ClientError::NoEntry(namespace.clone()))?;
    let mut out = io::stdout().lock();
    match args.access.output {
        Form::Table => out.write_all(&value)?,
        Form::Json => {
            let (key, value) = (json_bytes(key.as_bytes()), json_bytes(&value));
            print::json(&mut out, &json!({ "key": key, "value": value }))?;
        }
    }
    Ok(out.flush()?)
}

/// Writes a value; says nothing about it unless JSON is asked for.
pub(crate) fn put(args: &PutArgs) -> anyhow::Result<()> {
    let key = read_key(&args.key, args.keys.key_encoding)?;
    let value = value(args)?.into();
    let condition = match (args.if_absent, args.if_present) {
        (true, _) => PutCondition::IfAbsent,
        (_, true) => PutCondition::IfPresent,
        _ => PutCondition::Always,
    };
    let options = PutOptions { ttl: args.ttl, condition };
    let endpoint = Endpoint::open(&args.access.origin)?;
    match (endpoint.put(&args.keys.namespace, &key, value, options)?, condition) {
        (Put::Stored, _) => {}
        (Put::Rejected(reason), _) => return Err(ClientError::Rejected(reason).into()),
        (Put::Unmet, PutCondition::IfAbsent) => return Err(ClientError::IsPresent.into()),
        (Put::Unmet, _) => return Err(ClientError::IsAbsent.into()),
    }
    match args.access.output {
        Form::Table => Ok(()),
        Form::Json => Ok(print::json(&mut io::stdout().lock(), &json!({ "outcome": "stored" }))?),
    }
}

fn value(args: &PutArgs) -> Result<Vec<u8>, ClientError> {
    match (&args.file, &args.value) {
        (Some(path), _) => {
            fs::read(path).map_err(|error| ClientError::File { path: path.clone(), error })
        }
        (None, Some(value)) if value == "-" => {
            let mut value = Vec::new();
            io::stdin().lock().read_to_end(&mut value).map_err(ClientError::Stdin)?;
            Ok(value)
        }
        (None, value) => Ok(value.as_deref().map_or(&b""[..], OsStr::as_encoded_bytes).to_vec()),
    }
}

/// Deletes the entries under keys and says how many there were. None is not a failure.
pub(crate) fn rm(args: &RmArgs) -> anyhow::Result<()> {
    // Each once, for the answer tells their number.
    let keys: Result<BTreeSet<Key>, _> =
        args.names.iter().map(|name| read_key(name, args.keys.key_encoding)).collect();
    let keys = Vec::from_iter(keys?);
    let run = if args.dry_run { Run::Dry } else { Run::Real };
    let done = Endpoint::open(&args.access.origin)?.invalidate(&args.keys.namespace, &keys, run)?;
    let mut out = io::stdout().lock();
    match (args.access.output, run) {
        (Form::Json, _) => print::json(&mut out, &done)?,
        (Form::Table, Run::Real) => writeln!(out, "{} of {} deleted", done.deleted, keys.len())?,
        (Form::Table, Run::Dry) => {
            writeln!(out, "{} of {} would be deleted", done.matched, keys.len())?;
        }
    }
    Ok(out.flush()?)
}

/// Prints how long an entry has still to live, or `never` if it does not expire.
pub(crate) fn ttl(args: &TtlArgs) -> anyhow::Result<()> {
    let key = read_key(&args.key, args.keys.key_encoding)?;
    let namespace: &Namespace = &args.keys.namespace;
    let remaining = match Endpoint::open(&args.access.origin)?.lifetime(namespace, &key)? {
        Lifetime::Absent => return Err(ClientError::NoEntry(namespace.clone()).into()),
        Lifetime::Unlimited => None,
        Lifetime::Remaining(remaining) => Some(remaining),
    };
    let mut out = io::stdout().lock();
    match (args.access.output, remaining) {
        (Form::Json, _) => {
            let expires_in_ms = remaining.map(|remaining| remaining.as_millis() as u64);
            print::json(&mut out, &json!({ "expires_in_ms": expires_in_ms }))?;
        }
        (Form::Table, Some(remaining)) => writeln!(out, "{}", Span(remaining))?,
        (Form::Table, None) => writeln!(out, "never")?,
    }
    Ok(out.flush()?)
}
