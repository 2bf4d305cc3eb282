//! The daemon's settings: what its file and the environment may say, checked before anything runs.

mod settings;
mod fields;
mod reader;
mod field;
mod value;
mod rules;
mod namespaces;
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
pub(crate) use settings::Settings;
pub(crate) use variables::Variables;

/// The file that is read unless another is named.
pub(crate) const DEFAULT_FILE: &str = "inval.toml";

/// The settings of a file, `-` for standard input, with what the environment of this process sets.
pub(crate) fn load(path: &Path) -> anyhow::Result<Settings> {
    let (name, text) = if path.as_os_str() == "-" {
        let mut text = Vec::new();
        let read = io::stdin().read_to_end(&mut text).map(|_| text);
        ("stdin".to_owned(), read)
    } else {
        (path.display().to_string(), fs::read(path))
    };
    let text = text.with_context(|| format!("{name}: cannot be read"))?;
    // What is not UTF-8 is marked, and refused where it stands if it is more than a comment.
    let text = String::from_utf8_lossy(&text);
    Ok(Settings::parse(&name, &text, &Variables::of_process())?)
}
