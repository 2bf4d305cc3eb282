//! The command `inval config`: shows an example, or says what is wrong with a file.

use std::io::{self, Write};
use std::path::Path;

use super::example::Example;
use super::settings::{NamespaceSettings, Settings};
use super::value::Value;
use crate::args::ConfigCommand;
use crate::output;

/// Prints what was asked for to standard output, warnings to standard error.
pub(crate) fn run(command: &ConfigCommand) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match command {
        ConfigCommand::Example => write!(out, "{Example}")?,
        ConfigCommand::Check { file } => check(&mut out, file, &super::load(file)?)?,
    }
    Ok(out.flush()?)
}

fn check(out: &mut impl Write, file: &Path, settings: &Settings) -> anyhow::Result<()> {
    let file = super::name(file);
    for warning in &settings.warnings {
        let _ = writeln!(io::stderr(), "inval: {file}: {warning}");
    }
    let noun = if settings.namespaces.len() == 1 { "namespace" } else { "namespaces" };
    let (count, store) = (settings.namespaces.len(), &settings.store);
    writeln!(out, "{file}: {count} {noun}, store {store}")?;
    if count > 0 {
        output::aligned(out, &rows(settings))?;
    }
    Ok(())
}

/// A heading, and a row for each namespace.
fn rows(settings: &Settings) -> Vec<Vec<String>> {
    const HEADING: [&str; 8] = [
        "namespace",
        "strategy",
        "max entries",
        "max bytes",
        "ttl",
        "idle",
        "partitions",
        "max lag",
    ];
    let mut rows = vec![HEADING.map(str::to_owned).to_vec()];
    for (name, namespace) in &settings.namespaces {
        let NamespaceSettings { config, partitions, pacing } = namespace;
        rows.push(vec![
            name.to_string(),
            config.strategy().to_string(),
            config.max_entries().map_or("-".to_owned(), output::grouped),
            or_dash(config.max_bytes().map(inval_replay::ByteSize)),
            or_dash(config.ttl()),
            or_dash(config.time_to_idle()),
            or_dash(*partitions),
            pacing.max_lag.plain(),
        ]);
    }
    rows
}

fn or_dash(value: Option<impl Value>) -> String {
    value.map_or("-".to_owned(), |value| value.plain())
}
