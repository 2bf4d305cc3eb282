//! Starts servers so that none outlives this program, however the program ends.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

struct Job {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

/// The parent-death signal comes when the *thread* that started a process ends. Tests run on threads
/// that end early, so one thread that never does starts all servers.
static SPAWNER: LazyLock<Option<Sender<Job>>> = LazyLock::new(|| {
    let (sender, jobs) = channel::<Job>();
    let work = move || {
        for mut job in jobs {
            // If nobody waits for the answer any more, the child's handle drops with it.
            drop(job.answer.send(job.command.spawn()));
        }
    };
    thread::Builder::new().name("test-servers".to_owned()).spawn(work).ok().map(|_| sender)
});

/// `setpriv` of util-linux sets the parent-death signal, which std cannot without `unsafe`. Where it
/// is missing a server still goes with its handle, but outlives a program that is killed.
static HAS_SETPRIV: LazyLock<bool> = LazyLock::new(|| {
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
});

/// Starts `program`, whose output goes to `log`; the kernel kills it when this program ends.
pub(crate) fn spawn(program: &Path, args: &[OsString], log: File) -> io::Result<Child> {
    let mut command = if *HAS_SETPRIV {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(args).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let (answer, child) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts servers is gone");
    let spawner = SPAWNER.as_ref().ok_or_else(gone)?;
    spawner.send(Job { command, answer }).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}
