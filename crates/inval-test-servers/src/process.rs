//! A child process: started, paused, killed, and gone with its handle or with this program.

use std::fs::File;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::deadline::Deadline;
use crate::spawn;

/// How long a signal may take.
const STOPPING: Duration = Duration::from_secs(10);

/// A running process. Dropping it kills the process; on Linux it goes even when this program is killed.
#[derive(Debug)]
pub struct Process {
    pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Starts the command's program with its arguments, variables and directory.
    ///
    /// The program reads nothing and writes to these files; what the command says of input, output and
    /// clearing the environment is not looked at. It has started when this returns, and may end at once.
    pub fn start(command: &Command, stdout: File, stderr: File) -> io::Result<Self> {
        let child = spawn::spawn(command, stdout, stderr)?;
        Ok(Self { pid: child.id(), child: Mutex::new(child) })
    }

    /// The id of the process, also once it has ended.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended; `None` while it runs or is paused.
    pub fn ended(&self) -> io::Result<Option<ExitStatus>> {
        self.child().try_wait()
    }

    /// Whether it has not ended; true of a process that is paused.
    pub fn is_running(&self) -> bool {
        matches!(self.ended(), Ok(None))
    }

    /// Kills it with SIGKILL; when this returns, it has ended. Harmless if it had before.
    pub fn kill(&self) -> io::Result<()> {
        let mut child = self.child();
        child.kill()?;
        child.wait().map(|_| ())
    }

    /// Stops it with SIGSTOP; when this returns, it stands still. Harmless if it did before.
    pub fn pause(&self) -> io::Result<()> {
        let (_child, pid) = self.unreaped()?;
        kill_process(pid, Signal::STOP)?;
        // The signal takes its time; NOWAIT leaves the news for whoever pauses a second time.
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Deadline::after(STOPPING)
            .poll(|| waitid(WaitId::Pid(pid), stopped).transpose())
            .ok_or(io::ErrorKind::TimedOut)??;
        Ok(())
    }

    /// Lets a paused process go on.
    pub fn resume(&self) -> io::Result<()> {
        let (_child, pid) = self.unreaped()?;
        Ok(kill_process(pid, Signal::CONT)?)
    }

    /// While the guard lives, no other process gets the id; an error if another could have it already.
    fn unreaped(&self) -> io::Result<(MutexGuard<'_, Child>, Pid)> {
        let mut child = self.child();
        if child.try_wait()?.is_some() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended"));
        }
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        Ok((child, pid.ok_or(io::ErrorKind::InvalidInput)?))
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that there is no process any more.
        let _gone = self.kill();
    }
}
