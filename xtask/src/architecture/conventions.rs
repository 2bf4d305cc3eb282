//! What every crate and every file has: inherited lints, a README, an opening sentence.

use anyhow::Result;

use super::{read, rust_files};
use crate::workspace::Workspace;

/// Where first-party sources lie.
const SOURCES: &[&str] = &["crates", "benches", "fuzz", "xtask"];

/// One line for each package that does not inherit the workspace's lints, and for each of `crates/`
/// that has no README.
pub(super) fn crate_violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for package in &workspace.packages {
        if !inherits_lints(&read(&package.manifest)?) {
            violations.push(format!("{} lacks `[lints] workspace = true`", package.name));
        }
        let published = package.directory().starts_with(workspace.root.join("crates"));
        if published && !package.directory().join("README.md").is_file() {
            violations.push(format!("{} has no README.md", package.name));
        }
    }
    Ok(violations)
}

/// One line for each source file that does not say at once what it owns.
pub(super) fn file_violations(workspace: &Workspace) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    for directory in SOURCES {
        for file in rust_files(&workspace.root.join(directory))? {
            if !opens_with_a_sentence(&read(&file)?) {
                violations.push(
                    file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string(),
                );
            }
        }
    }
    Ok(violations)
}

fn inherits_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(|line| line.split('#').next().unwrap_or("").trim());
    let dense = |line: &str| line.split_whitespace().collect::<String>();
    while let Some(line) = lines.next() {
        if dense(line) == "lints.workspace=true" {
            return true;
        }
        if line == "[lints]" {
            return lines
                .find(|line| !line.is_empty())
                .is_some_and(|line| dense(line) == "workspace=true");
        }
    }
    false
}

fn opens_with_a_sentence(source: &str) -> bool {
    let first = source.lines().next().unwrap_or("");
    first.strip_prefix("//!").is_some_and(|sentence| !sentence.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_inherited_only_by_saying_so() {
        assert!(inherits_lints("[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"));
        assert!(inherits_lints("lints.workspace=true # all of them\n[package]"));
        assert!(!inherits_lints("[package]\nversion.workspace = true\n"));
        assert!(!inherits_lints("[lints.rust]\nunsafe_code = \"allow\"\n[x]\nworkspace = true"));
        assert!(!inherits_lints("[lints]\n# workspace = true\n[dependencies]\nworkspace = true"));
    }

    #[test]
    fn a_file_opens_with_a_sentence() {
        assert!(opens_with_a_sentence("//! Owns this.\nuse a;"));
        assert!(!opens_with_a_sentence("//!\nuse a;"));
        assert!(!opens_with_a_sentence("\n//! Owns this."));
        assert!(!opens_with_a_sentence("/// Owns this."));
        assert!(!opens_with_a_sentence(""));
    }
}
