//! A clock that a test sets, for processes that believe in it: libfaketime, told by a file.

use std::env::consts::ARCH;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tempfile::TempDir;
use thiserror::Error;

/// For processes with more than one thread, as servers are; it is installed beside the plain one.
const LIBRARY: &str = "libfaketimeMT.so.1";

/// Preloaded as well, so that its allocator is the one in use. libfaketime asks for memory on its first
/// call; jemalloc in a library of its own, as Debian's Redis has it, asks for the time on its first.
/// They would call each other, and the process hangs before it begins.
const ALLOCATOR: &str = "libc.so.6";

static FOUND: LazyLock<Option<PathBuf>> = LazyLock::new(find);

/// Time of day for the processes that are started with its variables: at first the real one.
///
/// Only time of day is shifted; what measures how long something takes, timers too, goes on as it was.
/// It needs Linux with glibc, and libfaketime.
#[derive(Debug)]
pub struct Clock {
    directory: TempDir,
    library: &'static Path,
}

/// Why there is no such clock, or it is not set.
#[derive(Debug, Error)]
pub enum ClockError {
    /// The library is not installed.
    #[error(
        "libfaketime is not installed; to install it: `cargo xtask servers` or `apt-get install -y faketime`"
    )]
    Missing,
    /// The clock's file cannot be written.
    #[error("cannot set the clock")]
    Files(#[from] io::Error),
    /// The server goes by the system's clock.
    #[error("the server has no clock of its own")]
    NotItsOwn,
}

impl ClockError {
    /// Never true: trying again does not help.
    pub fn is_retryable(&self) -> bool {
        false
    }
}

impl Clock {
    /// A clock that shows the real time until it is [shifted](Self::shift).
    pub fn new() -> Result<Self, ClockError> {
        let library = FOUND.as_deref().ok_or(ClockError::Missing)?;
        sweep();
        let directory = tempfile::Builder::new().prefix("inval-clock-").tempdir()?;
        let clock = Self { directory, library };
        clock.shift(0)?;
        Ok(clock)
    }

    /// Whether libfaketime is installed, so that there can be clocks.
    pub fn is_available() -> bool {
        FOUND.is_some()
    }

    /// What the environment of a process must say for it to go by this clock, which it may not outlive.
    pub fn variables(&self) -> Vec<(OsString, OsString)> {
        let mut preload = self.library.as_os_str().to_owned();
        preload.push(":");
        preload.push(ALLOCATOR);
        let mut variables = vec![
            ("LD_PRELOAD".into(), preload),
            ("FAKETIME_TIMESTAMP_FILE".into(), self.file().into()),
        ];
        let switches = [
            // Else the file is read every ten seconds.
            "FAKETIME_NO_CACHE",
            "FAKETIME_DONT_FAKE_MONOTONIC",
            // Its name in old versions.
            "DONT_FAKE_MONOTONIC",
            // The times of files stay real.
            "NO_FAKE_STAT",
        ];
        variables.extend(switches.map(|switch| (switch.into(), "1".into())));
        variables
    }

    /// Shows a time that is this many milliseconds after the real one, or before if negative; not after
    /// the time it showed so far. It holds from the next time a process looks.
    pub fn shift(&self, offset_ms: i64) -> Result<(), ClockError> {
        // No process may ever find half of it.
        let next = self.directory.path().join("next");
        fs::write(&next, rendered(offset_ms))?;
        Ok(fs::rename(next, self.file())?)
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("offset")
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        sweep();
    }
}

/// The offset in seconds, as libfaketime reads it.
fn rendered(offset_ms: i64) -> String {
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let (seconds, ms) = (offset_ms.unsigned_abs() / 1000, offset_ms.unsigned_abs() % 1000);
    format!("{sign}{seconds}.{ms:03}\n")
}

/// Deletes what libfaketime shares between processes and cannot take away if they are killed: a later
/// process with the id of such a one would not start.
fn sweep() {
    let files = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    for file in files {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let pid = ["faketime_shm_", "sem.faketime_sem_"]
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix)?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            // An error means that somebody else was faster, or owns it.
            let _is_gone = fs::remove_file(file.path());
        }
    }
}

/// The library for this machine: distributions have one directory for each architecture, or one at all.
fn find() -> Option<PathBuf> {
    let own = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let own = own.filter(|entry| entry.file_name().to_string_lossy().starts_with(ARCH));
    let common = ["/usr/lib", "/usr/lib64", "/usr/local/lib"].map(PathBuf::from);
    own.map(|entry| entry.path())
        .chain(common)
        .map(|directory| directory.join("faketime").join(LIBRARY))
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_rendered_in_seconds_with_its_sign() {
        let check = |offset_ms, expected| assert_eq!(rendered(offset_ms), expected);
        check(0, "+0.000\n");
        check(3_600_250, "+3600.250\n");
        check(-5, "-0.005\n");
        check(i64::MIN, "-9223372036854775.808\n");
    }
}
