//! The programs that tests start: whether they are installed, and how they get there.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;

/// Names another Redis server than the one in `PATH`; inval-test-servers reads it too.
const SERVER_VARIABLE: &str = "INVAL_REDIS_SERVER";

/// What the tests start, and the package of Debian that brings it. Redis is to know every setting the tests
/// give it.
const PROGRAMS: [Program; 7] = [
    Program { name: "redis-server", package: "redis-server", oldest: 7 },
    Program { name: "redis-cli", package: "redis-tools", oldest: 7 },
    Program { name: "prometheus", package: "prometheus", oldest: 2 },
    Program { name: "promtool", package: "prometheus", oldest: 2 },
    Program { name: "chromium", package: "chromium", oldest: 112 },
    Program { name: "chromedriver", package: "chromium-driver", oldest: 112 },
    // Its library is what is wanted.
    Program { name: "faketime", package: "faketime", oldest: 0 },
];

struct Program {
    name: &'static str,
    package: &'static str,
    /// The oldest major version that will do.
    oldest: u32,
}

/// Makes sure that all programs are there and recent enough, and installs them where it can; an error says
/// what to install.
pub(crate) fn run() -> Result<()> {
    let missing = || PROGRAMS.iter().filter(|program| program.version().is_none());
    if let Some(server) = env::var_os(SERVER_VARIABLE)
        && version_of(server.clone()).is_none()
    {
        bail!("{SERVER_VARIABLE} names {}, which does not run", server.display());
    }
    if missing().next().is_some() {
        install(&by_package(missing()))?;
    }
    for program in &PROGRAMS {
        let version = program.version().with_context(|| by_hand(&by_package(missing())))?;
        println!("   {} {version}", program.name);
        program.require_recent(&version)?;
    }
    Ok(())
}

/// The packages of programs, each once.
fn by_package<'a>(programs: impl Iterator<Item = &'a Program>) -> Vec<&'static str> {
    let mut packages: Vec<_> = programs.map(|program| program.package).collect();
    packages.dedup();
    packages
}

fn by_hand(packages: &[&str]) -> String {
    format!(
        "programs that tests start are missing; to install them, as root on Debian or Ubuntu:\n    \
         apt-get install -y --no-install-recommends {}\nelsewhere by the system's own means, Redis 7 or later",
        packages.join(" ")
    )
}

/// Installs them from Debian's packages if this is root on such a machine.
fn install(packages: &[&str]) -> Result<()> {
    let is_debian = Invocation::new("apt-get").arg("--version").succeeds();
    let is_root = || Invocation::new("id").arg("-u").read().is_ok_and(|id| id.trim() == "0");
    if !is_debian || !is_root() {
        bail!(by_hand(packages));
    }
    let install = apt_get("install -y --no-install-recommends").args(packages);
    println!("   {install}");
    install.run().or_else(|_| {
        println!("   the package lists may be missing or old");
        apt_get("update").run()?;
        install.run()
    })
}

/// A package brings a service along. In runlevel 1 none is started: the tests start their own.
fn apt_get(line: &str) -> Invocation {
    Invocation::new("apt-get")
        .args(line.split_whitespace())
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("RUNLEVEL", "1")
}

/// What the program says of itself; `None` if it does not run or says nothing of the kind.
fn version_of(program: OsString) -> Option<String> {
    let ask = Invocation::new(program).arg("--version");
    // Asked twice, since only `succeeds` is silent about a program that does not exist.
    let line = ask.succeeds().then(|| ask.read().ok())??;
    version_in(&line).map(str::to_owned)
}

/// `7.0.15` in `Redis server v=7.0.15 sha=00000000:0 …` and in `redis-cli 7.0.15`.
fn version_in(line: &str) -> Option<&str> {
    let words = line.split_whitespace().map(|word| word.trim_start_matches("v="));
    let is_version = |word: &&str| word.contains('.') && major(word).is_some();
    words.into_iter().find(is_version)
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

impl Program {
    /// Which is installed; `None` if none is.
    fn version(&self) -> Option<String> {
        let named = env::var_os(SERVER_VARIABLE).filter(|_| self.name == "redis-server");
        version_of(named.unwrap_or_else(|| self.name.into()))
    }

    fn require_recent(&self, version: &str) -> Result<()> {
        let Self { name, oldest, .. } = self;
        if major(version).is_none_or(|major| major < *oldest) {
            bail!("{name} {version} is too old: the tests need {oldest} or later");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        let check = |line, expected| assert_eq!(version_in(line), expected, "{line}");
        check("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", Some("7.0.15"));
        check("redis-cli 7.0.15\n", Some("7.0.15"));
        check("Valkey server v=9.1.2 sha=00000000:1 malloc=libc", Some("9.1.2"));
        check("promtool, version 2.42.0+ds (branch: debian/sid)", Some("2.42.0+ds"));
        check("Chromium 156.0.8078.79 built on Debian GNU/Linux 12", Some("156.0.8078.79"));
        check("\nfaketime: Version 0.9.10\nFor usage information please use", Some("0.9.10"));
        check("usage: redis-cli [options]", None);
        check("", None);
    }

    #[test]
    fn a_server_that_lacks_settings_is_refused() {
        let check = |version, recent| {
            assert_eq!(PROGRAMS[0].require_recent(version).is_ok(), recent, "{version}");
        };
        check("7.0.15", true);
        check("10.1", true);
        check("6.2.14", false);
        check("unstable", false);
    }

    #[test]
    fn a_program_that_does_not_exist_has_no_version() {
        assert_eq!(version_of("no-such-program-anywhere".into()), None);
    }

    #[test]
    fn a_package_that_brings_two_programs_is_named_once() {
        assert_eq!(by_package(PROGRAMS[2..4].iter()), ["prometheus"]);
    }

    #[test]
    fn a_package_is_installed_without_questions_and_without_its_service() {
        assert_eq!(
            apt_get("install -y redis-server").to_string(),
            "DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y redis-server"
        );
    }
}
