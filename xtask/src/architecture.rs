//! The rules of the design that the compiler does not know: layers, the core's purity, conventions.

mod layers;
mod purity;
mod conventions;
mod rust_source;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::workspace::Workspace;

/// Loads the workspace and checks every rule.
pub(crate) fn run() -> Result<()> {
    check(&Workspace::load()?)
}

/// Checks every rule and lists each violation; an error if there is any.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let rules = [
        (
            "crates depend on each other only as the layers allow",
            layers::violations(&workspace.packages),
        ),
        ("inval-core's dependencies do no I/O", purity::dependency_violations()?),
        (
            "inval-core reads no clock, environment, file or socket",
            purity::source_violations(workspace)?,
        ),
        (
            "every crate inherits the workspace's lints and has a README",
            conventions::crate_violations(workspace)?,
        ),
        ("every source file opens with a `//!` sentence", conventions::file_violations(workspace)?),
    ];
    for (rule, violations) in &rules {
        let mark = if violations.is_empty() { "ok  " } else { "FAIL" };
        println!("{mark} {rule}");
        for violation in violations {
            println!("       {violation}");
        }
    }
    let broken = rules.iter().filter(|(_, violations)| !violations.is_empty()).count();
    if broken > 0 {
        bail!("{broken} of {} architecture rules broken", rules.len());
    }
    Ok(())
}

/// Every `.rs` file under `directory`, sorted; a directory that does not exist has none.
fn rust_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        if !directory.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&directory)
            .with_context(|| format!("cannot list {}", directory.display()))?
        {
            let path = entry?.path();
            if path.is_dir() && !path.ends_with("target") {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
