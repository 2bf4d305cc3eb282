//! Which crate may depend on which: the arrows of the layers diagram, as data.

use crate::workspace::Package;

/// Each library and what it may depend on; a new crate gets its line here.
const LAYERS: &[(&str, &[&str])] = &[
    ("inval-core", &[]),
    ("inval-memory", &["inval-core"]),
    ("inval-redis", &["inval-core"]),
    ("inval-metrics", &["inval-core"]),
    ("inval-runtime", &["inval-core"]),
    ("inval-replay", &["inval-core", "inval-memory"]),
    ("inval-test-servers", &[]),
    ("inval-chaos", &["inval-core", "inval-redis", "inval-test-servers"]),
    (
        "inval-cli",
        &[
            "inval-core",
            "inval-memory",
            "inval-redis",
            "inval-metrics",
            "inval-runtime",
            "inval-replay",
        ],
    ),
];

/// Packages that may use any library and that nothing may depend on.
const TOOLS: &[&str] =
    &["inval-benches", "inval-metrics-bench", "inval-servers-bench", "inval-rivals", "xtask"];

/// One line for each arrow between first-party packages that the layers do not allow.
///
/// A development dependency may point anywhere but to a tool: tests may cross layers.
pub(super) fn violations(packages: &[Package]) -> Vec<String> {
    packages.iter().flat_map(|package| package_violations(package, packages)).collect()
}

fn package_violations(package: &Package, packages: &[Package]) -> Vec<String> {
    let name = package.name.as_str();
    let allowed = LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| *allowed);
    if allowed.is_none() && !TOOLS.contains(&name) {
        return vec![format!(
            "{name} has no place in the layers: add it to xtask/src/architecture/layers.rs"
        )];
    }
    let first_party = |name: &str| packages.iter().any(|package| package.name == name);
    let mut violations = Vec::new();
    for dependency in package.dependencies.iter().filter(|dependency| first_party(&dependency.name))
    {
        let to = dependency.name.as_str();
        if TOOLS.contains(&to) {
            violations.push(format!("{name} -> {to}: nothing may depend on a tool"));
        } else if !dependency.is_dev() && allowed.is_some_and(|allowed| !allowed.contains(&to)) {
            violations.push(format!("{name} -> {to}: not an arrow of the layers diagram"));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(package: Package, expected: &[&str]) {
        let others = ["inval-core", "inval-memory", "inval-redis", "xtask"]
            .map(|name| Package::example(name, &[], &[]));
        let mut packages = Vec::from(others);
        packages.retain(|other| other.name != package.name);
        packages.push(package);
        assert_eq!(violations(&packages), expected);
    }

    #[test]
    fn arrows_of_the_diagram_pass() {
        check(Package::example("inval-memory", &["inval-core", "smallvec"], &[]), &[]);
        check(Package::example("inval-replay", &["inval-core", "inval-memory"], &[]), &[]);
        check(Package::example("inval-rivals", &["inval-core", "inval-memory"], &[]), &[]);
    }

    #[test]
    fn the_core_depends_on_no_other_crate() {
        let core = Package::example("inval-core", &["inval-memory"], &[]);
        check(core, &["inval-core -> inval-memory: not an arrow of the layers diagram"]);
    }

    #[test]
    fn stores_do_not_know_each_other() {
        let memory = Package::example("inval-memory", &["inval-core", "inval-redis"], &[]);
        check(memory, &["inval-memory -> inval-redis: not an arrow of the layers diagram"]);
    }

    #[test]
    fn tests_may_cross_layers() {
        check(Package::example("inval-runtime", &["inval-core"], &["inval-memory"]), &[]);
    }

    #[test]
    fn nothing_depends_on_a_tool_not_even_in_tests() {
        let cli = Package::example("inval-cli", &[], &["xtask"]);
        check(cli, &["inval-cli -> xtask: nothing may depend on a tool"]);
    }

    #[test]
    fn a_crate_without_a_place_is_reported() {
        let stranger = Package::example("inval-extra", &["inval-core"], &[]);
        check(
            stranger,
            &["inval-extra has no place in the layers: add it to xtask/src/architecture/layers.rs"],
        );
    }
}
