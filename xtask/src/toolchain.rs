//! What is installed: components, toolchains, cargo subcommands, and how to get what is missing.

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;

/// Fails with the command to type if rustfmt or clippy is missing from the current toolchain.
pub(crate) fn require_components() -> Result<()> {
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(subcommand, _)| !has_subcommand(subcommand))
        .map(|(_, component)| component)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "missing from the toolchain; install with:\n    rustup component add {}",
        missing.join(" ")
    )
}

/// Whether `cargo <subcommand>` can be run.
pub(crate) fn has_subcommand(subcommand: &str) -> bool {
    Invocation::cargo(subcommand).arg("--version").succeeds()
}

/// Whether `cargo +<toolchain> <line>` exits with zero; never installs a toolchain by the way.
pub(crate) fn toolchain_runs(toolchain: &str, line: &str) -> bool {
    Invocation::cargo(&format!("+{toolchain} {line}")).env("RUSTUP_AUTO_INSTALL", "0").succeeds()
}

/// A compiler release as far as compatibility goes: `1.95`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MinorVersion {
    major: u32,
    minor: u32,
}

impl MinorVersion {
    /// From `1.95`, `1.95.0` or `1.97.0-nightly`; `None` if it is none of these.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('.');
        Some(Self { major: parts.next()?.parse().ok()?, minor: parts.next()?.parse().ok()? })
    }

    /// Of the compiler that cargo would use now.
    pub(crate) fn of_current_rustc() -> Result<Self> {
        let line = Invocation::new("rustc").arg("--version").read()?;
        line.split_whitespace()
            .nth(1)
            .and_then(Self::parse)
            .with_context(|| format!("cannot find a version in {line:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_minor_release() {
        let parse = |text| MinorVersion::parse(text).expect("valid");
        assert_eq!(parse("1.95"), parse("1.95.3\n"));
        assert_eq!(parse("1.97.0-nightly"), parse("1.97"));
        assert_ne!(parse("1.95"), parse("1.96"));
        assert_eq!(MinorVersion::parse("stable"), None);
    }
}
