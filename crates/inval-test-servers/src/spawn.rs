//! Starts processes so that none outlives this program, however the program ends.

use std::fs::File;
use std::io;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread;

struct Job {
    command: Command,
    answer: SyncSender<io::Result<Child>>,
}

/// The parent-death signal comes when the *thread* that started a process ends. Tests run on threads
/// that end early, so one thread that never does starts all processes.
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
/// is missing a process still goes with its handle, but outlives a program that is killed.
static HAS_SETPRIV: LazyLock<bool> = LazyLock::new(|| {
    Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "true"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
});

/// Starts a program whose output goes to these files; the kernel kills it when this program ends.
pub(crate) fn spawn(command: &Command, stdout: File, stderr: File) -> io::Result<Child> {
    let mut command = tied(command);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    let (answer, child) = sync_channel(1);
    let gone = || io::Error::other("the thread that starts processes is gone");
    let spawner = SPAWNER.as_ref().ok_or_else(gone)?;
    spawner.send(Job { command, answer }).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// The same command, such that its process ends with the thread that starts it.
fn tied(command: &Command) -> Command {
    let mut tied = if *HAS_SETPRIV {
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--pdeathsig", "KILL"]).arg(command.get_program());
        setpriv
    } else {
        Command::new(command.get_program())
    };
    tied.args(command.get_args());
    for (variable, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(variable, value),
            None => tied.env_remove(variable),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        tied.current_dir(directory);
    }
    tied
}
