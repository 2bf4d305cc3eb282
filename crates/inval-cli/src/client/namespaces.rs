//! The commands `inval ns …`.

use std::io::{self, BufRead, IsTerminal, Write};

use inval_core::Namespace;
use inval_redis::Rotation;
use serde_json::json;

use super::endpoint::Endpoint;
use super::error::ClientError;
use super::print::{self, number, text};
use super::values::{Changes, Created, NamespaceInfo};
use crate::args::{Access, Form, NamespaceCommand, RotationStep};
use crate::output::{aligned, grouped};

/// Carries out one of them and prints what is there afterwards.
pub(crate) fn ns(command: &NamespaceCommand) -> anyhow::Result<()> {
    match command {
        NamespaceCommand::List { access } => list(access),
        NamespaceCommand::Show { namespace, access } => {
            show(&Endpoint::open(&access.origin)?, namespace, access.output)
        }
        NamespaceCommand::Create { namespace, settings, access } => {
            create(namespace, &settings.changes(), access)
        }
        NamespaceCommand::Set { namespace, settings, access } => {
            let changes = settings.changes();
            if changes == Changes::default() {
                return Err(ClientError::NothingToSet.into());
            }
            let endpoint = Endpoint::open(&access.origin)?;
            endpoint.change(namespace, &changes)?;
            show(&endpoint, namespace, access.output)
        }
        NamespaceCommand::Rotate { namespace, step, old_key_secret, access } => {
            let step = match step {
                RotationStep::Begin => Rotation::Begin,
                RotationStep::End => Rotation::End,
            };
            let old = old_key_secret.read().map_err(ClientError::from)?;
            Ok(Endpoint::open(&access.origin)?.rotate(namespace, step, old)?)
        }
        NamespaceCommand::Rm { namespace, yes, access } => {
            remove(namespace, if *yes { Consent::Given } else { Consent::Wanted }, access)
        }
    }
}

fn list(access: &Access) -> anyhow::Result<()> {
    let namespaces = Endpoint::open(&access.origin)?.namespaces()?;
    let mut out = io::stdout().lock();
    match access.output {
        Form::Json => print::json(&mut out, &json!({ "namespaces": namespaces }))?,
        Form::Table => table(&mut out, &namespaces)?,
    }
    Ok(out.flush()?)
}

/// Writes a heading, and a row for each namespace.
fn table(out: &mut impl Write, namespaces: &[NamespaceInfo]) -> io::Result<()> {
    const HEADING: [&str; 9] = [
        "namespace",
        "strategy",
        "max entries",
        "max bytes",
        "ttl",
        "idle",
        "jitter",
        "partitions",
        "paused",
    ];
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    for NamespaceInfo { name, config, partitions, paused } in namespaces {
        rows.push(vec![
            name.to_string(),
            config.strategy.to_string(),
            number(config.max_entries),
            number(config.max_bytes),
            text(config.ttl),
            text(config.time_to_idle),
            config.ttl_jitter.to_string(),
            partitions.to_string(),
            text(paused.map(yes_or_no)),
        ]);
    }
    aligned(out, &rows)
}

fn show(endpoint: &Endpoint, namespace: &Namespace, form: Form) -> anyhow::Result<()> {
    let info = endpoint.namespace(namespace)?;
    let mut out = io::stdout().lock();
    match form {
        Form::Json => print::json(&mut out, &info)?,
        Form::Table => fields(&mut out, &info)?,
    }
    Ok(out.flush()?)
}

fn fields(out: &mut impl Write, info: &NamespaceInfo) -> io::Result<()> {
    let NamespaceInfo { name, config, partitions, paused } = info;
    let mut fields = vec![
        ("namespace", name.to_string()),
        ("strategy", config.strategy.to_string()),
        ("max entries", number(config.max_entries)),
        ("max bytes", number(config.max_bytes)),
        ("ttl", text(config.ttl)),
        ("time to idle", text(config.time_to_idle)),
        ("ttl jitter", config.ttl_jitter.to_string()),
        ("partitions", partitions.to_string()),
    ];
    if let Some(paused) = paused {
        fields.push(("paused", yes_or_no(*paused).to_owned()));
    }
    print::fields(out, &fields)
}

fn yes_or_no(is_so: bool) -> &'static str {
    if is_so { "yes" } else { "no" }
}

fn create(namespace: &Namespace, changes: &Changes, access: &Access) -> anyhow::Result<()> {
    let endpoint = Endpoint::open(&access.origin)?;
    if endpoint.create(namespace, changes)? == Created::Unchanged {
        let _ =
            writeln!(io::stderr(), "inval: the namespace {namespace} was there already, just so");
    }
    show(&endpoint, namespace, access.output)
}

/// Whether somebody has agreed to a deletion.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Consent {
    Given,
    /// It is to be asked for.
    Wanted,
}

fn remove(namespace: &Namespace, consent: Consent, access: &Access) -> anyhow::Result<()> {
    if consent == Consent::Wanted && !io::stdin().is_terminal() {
        return Err(ClientError::Unasked.into());
    }
    let endpoint = Endpoint::open(&access.origin)?;
    if consent == Consent::Wanted {
        let statistics = endpoint.statistics(Some(namespace))?;
        let entries = statistics.values().map(|statistics| statistics.usage.entries).sum();
        let question = format!("Delete {namespace} with its {} entries? [y/N] ", grouped(entries));
        if !agrees(&mut io::stdin().lock(), &mut io::stderr(), &question)? {
            return Err(ClientError::Declined.into());
        }
    }
    endpoint.delete(namespace)?;
    let mut out = io::stdout().lock();
    match access.output {
        Form::Json => print::json(&mut out, &json!({ "deleted": namespace.to_string() }))?,
        Form::Table => writeln!(out, "{namespace} deleted")?,
    }
    Ok(out.flush()?)
}

/// Asks, and is true only after a clear yes.
fn agrees(input: &mut impl BufRead, out: &mut impl Write, question: &str) -> io::Result<bool> {
    write!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    input.read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        let check = |answer: &str, want: bool| {
            let mut asked = Vec::new();
            let agreed = agrees(&mut answer.as_bytes(), &mut asked, "Delete? ").unwrap();
            assert_eq!((agreed, &asked[..]), (want, &b"Delete? "[..]), "{answer:?}");
        };
        check("y\n", true);
        check("Yes\r\n", true);
        check("\n", false);
        check("", false);
        check("no\n", false);
        check("yesterday\n", false);
    }
}
