//! The Redis programs that tests start: whether they are installed, and how they get there.

use std::env;
use std::ffi::OsString;

use anyhow::{Context, Result, bail};

use crate::invocation::Invocation;

/// The oldest Redis that knows every setting the tests give it.
const OLDEST_MAJOR: u32 = 7;

/// Names another server than the one in `PATH`; inval-test-servers reads it too.
const SERVER_VARIABLE: &str = "INVAL_REDIS_SERVER";

const BY_HAND: &str = "redis-server and redis-cli are missing; to install them, as root on Debian or \
                       Ubuntu:\n    apt-get install -y redis-server redis-tools\n\
                       elsewhere by the system's own means, Redis 7 or later";

/// Makes sure that server and command-line client are there and recent enough, and installs them
/// where it can; an error says what to install.
pub(crate) fn run() -> Result<()> {
    let server = env::var_os(SERVER_VARIABLE);
    if let Some(server) = &server
        && version_of(server.clone()).is_none()
    {
        bail!("{SERVER_VARIABLE} names {}, which does not run", server.display());
    }
    let server = server.unwrap_or_else(|| "redis-server".into());
    let client = OsString::from("redis-cli");
    if version_of(server.clone()).is_none() || version_of(client.clone()).is_none() {
        install()?;
    }
    for program in [server, client] {
        let name = program.display().to_string();
        let version = version_of(program).context(BY_HAND)?;
        println!("   {name} {version}");
        require_recent(&name, &version)?;
    }
    Ok(())
}

/// Installs both from Debian's packages if this is root on such a machine.
fn install() -> Result<()> {
    let is_debian = Invocation::new("apt-get").arg("--version").succeeds();
    let is_root = || Invocation::new("id").arg("-u").read().is_ok_and(|id| id.trim() == "0");
    if !is_debian || !is_root() {
        bail!(BY_HAND);
    }
    let install = apt_get("install -y --no-install-recommends redis-server redis-tools");
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

fn require_recent(name: &str, version: &str) -> Result<()> {
    if major(version).is_none_or(|major| major < OLDEST_MAJOR) {
        bail!(
            "{name} {version} is too old: the tests need Redis {OLDEST_MAJOR} or later; \
             {SERVER_VARIABLE} can name another server"
        );
    }
    Ok(())
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
        check("usage: redis-cli [options]", None);
        check("", None);
    }

    #[test]
    fn a_server_that_lacks_settings_is_refused() {
        let check = |version, recent| {
            assert_eq!(require_recent("redis-server", version).is_ok(), recent, "{version}");
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
    fn a_package_is_installed_without_questions_and_without_its_service() {
        assert_eq!(
            apt_get("install -y redis-server").to_string(),
            "DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y redis-server"
        );
    }
}
