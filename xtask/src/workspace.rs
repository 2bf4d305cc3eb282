//! The workspace as cargo describes it: where it lies, its packages, what each depends on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::invocation::Invocation;

/// The package that compares inval with other caches. It pulls all of them in, so only its own
/// benchmark builds it.
const RIVALS: &str = "inval-rivals";

/// What `cargo metadata --no-deps` tells about this workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A first-party package.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    #[serde(rename = "manifest_path")]
    pub(crate) manifest: PathBuf,
    pub(crate) rust_version: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as its manifest declares it, optional and platform-specific ones included.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo; the current directory must lie inside the workspace.
    pub(crate) fn load() -> Result<Self> {
        let json = Invocation::cargo("metadata --no-deps --format-version 1").read()?;
        serde_json::from_str(&json).context("cannot read the output of cargo metadata")
    }

    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.iter().find(|package| package.name == name)
    }

    /// `--workspace`, less the rivals if they are there.
    pub(crate) fn selection(&self) -> Vec<&'static str> {
        match self.package(RIVALS) {
            Some(_) => vec!["--workspace", "--exclude", RIVALS],
            None => vec!["--workspace"],
        }
    }
}

impl Package {
    /// The directory its manifest lies in.
    pub(crate) fn directory(&self) -> &Path {
        self.manifest.parent().unwrap_or(&self.manifest)
    }
}

impl Dependency {
    /// Whether only the package's own tests and benches need it.
    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

#[cfg(test)]
impl Package {
    /// A package that exists in a test alone: `normal` and `dev` name its dependencies.
    pub(crate) fn example(name: &str, normal: &[&str], dev: &[&str]) -> Self {
        let dependency = |kind: Option<&str>| {
            let kind = kind.map(str::to_owned);
            move |name: &&str| Dependency { name: (*name).to_owned(), kind: kind.clone() }
        };
        let normal = normal.iter().map(dependency(None));
        Self {
            name: name.to_owned(),
            manifest: PathBuf::from(name).join("Cargo.toml"),
            rust_version: None,
            dependencies: normal.chain(dev.iter().map(dependency(Some("dev")))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cargo_prints() {
        let workspace: Workspace = serde_json::from_str(
            r#"{"workspace_root": "/w", "target_directory": "/w/target", "version": 1, "packages": [
                {"name": "inval-rivals", "manifest_path": "/w/benches/rivals/Cargo.toml",
                 "rust_version": "1.95", "dependencies": [{"name": "a", "kind": null}, {"name": "b", "kind": "dev"}]}]}"#,
        )
        .expect("valid");
        assert_eq!(workspace.selection(), ["--workspace", "--exclude", "inval-rivals"]);
        let rivals = workspace.package("inval-rivals").expect("listed");
        assert_eq!(rivals.directory(), Path::new("/w/benches/rivals"));
        let dev: Vec<bool> = rivals.dependencies.iter().map(Dependency::is_dev).collect();
        assert_eq!(dev, [false, true]);
    }
}
