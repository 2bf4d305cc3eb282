//! The daemon's settings: what its file and the environment may say, checked before anything runs.

mod settings;
mod fields;
mod reader;
mod field;
mod value;
mod rules;
mod namespaces;
mod roles;
mod variables;

mod error;
mod excerpt;
mod nearest;

mod changes;
mod example;
mod command;
#[cfg(test)]
mod page;

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context;

pub(crate) use command::run;
pub(crate) use error::ConfigFileError;
pub(crate) use settings::{
    AccessSettings, HttpSettings, KeySecretSources, NamespaceSettings, Settings, TlsSettings,
};
pub(crate) use variables::Variables;

/// The file that is read unless another is named.
pub(crate) const DEFAULT_FILE: &str = "inval.toml";

/// The settings of a file, `-` for standard input, with what the environment of this process sets.
pub(crate) fn load(path: &Path) -> anyhow::Result<Settings> {
    let text = if is_stdin(path) {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        fs::read(path)
    };
    let name = name(path);
    let text = text.with_context(|| format!("{name}: cannot be read"))?;
    let text = str::from_utf8(&text).map_err(|error| {
        ConfigFileError::not_utf8(&name, &String::from_utf8_lossy(&text), error.valid_up_to())
    })?;
    Ok(Settings::parse(&name, text, &Variables::of_process())?)
}

/// What a file is called in messages.
fn name(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { path.display().to_string() }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
