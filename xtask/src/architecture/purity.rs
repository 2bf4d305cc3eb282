//! The core stays pure: what its dependencies may not be, and what its source may not mention.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::rust_source::{Production, is_identifier};
use super::{read, rust_files};
use crate::invocation::Invocation;
use crate::workspace::Workspace;

const CORE: &str = "inval-core";

/// Packages that bring I/O, a runtime, randomness or the operating system; a trailing `*` stands for
/// any ending.
const IMPURE_PACKAGES: &[&str] = &[
    "tokio*",
    "async-std",
    "smol",
    "mio",
    "polling",
    "futures*",
    "redis*",
    "bb8*",
    "socket2",
    "getrandom",
    "rand",
    "rand_core",
    "fastrand",
    "libc",
    "rustix",
    "nix",
    "windows-sys",
    "parking_lot*",
    "chrono",
    "time",
    "metrics*",
    "tracing*",
    "log",
];

/// Paths of the standard library that reach outside; everything below them counts too.
const IMPURE_PATHS: &[&str] =
    &["std::env", "std::fs", "std::net", "std::thread", "std::process", "std::os"];

/// Identifiers that are a clock, a random seed or output, by whatever path they came.
const IMPURE_WORDS: &[&str] =
    &["Instant", "SystemTime", "RandomState", "print!", "println!", "eprint!", "eprintln!"];

/// One line for each package in the core's default dependency closure that is not pure.
pub(super) fn dependency_violations() -> Result<Vec<String>> {
    let tree = Invocation::cargo("tree --edges normal,build --target all --prefix none --package")
        .arg(CORE)
        .read()?;
    Ok(impure_packages(&tree))
}

/// One line for each place in the core's production code that reaches outside.
pub(super) fn source_violations(workspace: &Workspace) -> Result<Vec<String>> {
    let core = workspace.package(CORE).context("there is no package inval-core")?;
    let mut violations = Vec::new();
    for (file, code) in production_files(&core.directory().join("src"))? {
        let file = file.strip_prefix(&workspace.root).unwrap_or(&file).display();
        violations.extend(impurities(&code).iter().map(|impurity| format!("{file}: {impurity}")));
    }
    Ok(violations)
}

/// The files below `directory` less those that only a test module brings in.
fn production_files(directory: &Path) -> Result<Vec<(PathBuf, Production)>> {
    let mut tests = BTreeSet::new();
    let mut files = Vec::new();
    for file in rust_files(directory)? {
        let code = Production::of(&read(&file)?);
        tests.extend(code.test_modules.iter().map(|name| module_directory(&file).join(name)));
        files.push((file, code));
    }
    let is_test =
        |file: &Path| file.ancestors().any(|part| tests.contains(&part.with_extension("")));
    files.retain(|(file, _)| !is_test(file));
    Ok(files)
}

fn impure_packages(tree: &str) -> Vec<String> {
    let names: BTreeSet<&str> =
        tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let impure = |name: &str| {
        IMPURE_PACKAGES.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *pattern,
        })
    };
    names.into_iter().filter(|name| impure(name)).map(|name| format!("depends on {name}")).collect()
}

/// Where the files of the modules that `file` declares lie.
fn module_directory(file: &Path) -> PathBuf {
    let names_its_directory =
        ["lib.rs", "main.rs", "mod.rs"].iter().any(|name| file.ends_with(name));
    match file.parent() {
        Some(parent) if names_its_directory => parent.to_owned(),
        _ => file.with_extension(""),
    }
}

fn impurities(code: &Production) -> Vec<String> {
    let mut found = Vec::new();
    for import in code.imports() {
        if IMPURE_PATHS.iter().any(|path| is_at_or_below(&import, path)) {
            found.push(format!("imports {import}"));
        }
    }
    for (line, text) in code.text.lines().enumerate() {
        let mentioned = IMPURE_PATHS.iter().chain(IMPURE_WORDS).filter(|word| mentions(text, word));
        found.extend(mentioned.map(|word| format!("line {}: mentions {word}", line + 1)));
    }
    found
}

fn is_at_or_below(import: &str, path: &str) -> bool {
    import.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Whether `word` stands in `text` with no identifier character on either side.
fn mentions(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_identifier) && !text[at + word.len()..].starts_with(is_identifier)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        assert_eq!(impurities(&Production::of(source)), expected, "{source}");
    }

    #[test]
    fn pure_code_passes() {
        check("use std::time::Duration;\nfn instant_of() -> Timestamp { now }", &[]);
        check("use std::environment;\n// SystemTime\nlet s = \"println!\";", &[]);
    }

    #[test]
    fn clocks_are_found_however_they_are_reached() {
        check(
            "use std::time::{self, Duration};\nlet t = time::Instant::now();",
            &["line 2: mentions Instant"],
        );
        check("fn f(t: std::time::SystemTime) {}", &["line 1: mentions SystemTime"]);
    }

    #[test]
    fn the_environment_is_found_in_groups_and_in_paths() {
        check("use std::{env, fmt};", &["imports std::env"]);
        check("\nlet x = std::fs::read(p);", &["line 2: mentions std::fs"]);
    }

    #[test]
    fn output_is_found() {
        check("println!();", &["line 1: mentions println!"]);
    }

    #[test]
    fn tests_may_do_as_they_like() {
        check("#[cfg(test)]\nmod tests { use std::thread; fn f() { Instant::now(); } }", &[]);
    }

    #[test]
    fn impure_packages_are_named_once() {
        let tree = "inval-core v0.1.0 (/w)\nhashbrown v0.17.0\ntokio-util v0.7.0\nlibc v0.2.0\nlibc v0.2.0";
        assert_eq!(impure_packages(tree), ["depends on libc", "depends on tokio-util"]);
        assert_eq!(
            impure_packages("inval-core v0.1.0\nlibcrux v1.0.0\nthiserror v2.0.0"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn modules_lie_beside_or_below_their_parent() {
        assert_eq!(module_directory(Path::new("src/lib.rs")), Path::new("src"));
        assert_eq!(module_directory(Path::new("src/ledger.rs")), Path::new("src/ledger"));
        assert_eq!(module_directory(Path::new("src/ledger/mod.rs")), Path::new("src/ledger"));
    }
}
