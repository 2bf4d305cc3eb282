//! A terminal of its own for a test: a program runs in it, keys are pressed, and its screen is looked at.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex};
use std::thread;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use vt100::{Parser, Screen};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

pub(crate) struct Terminal {
    child: Child,
    /// The side of it where people are.
    ours: File,
    shown: Arc<Mutex<Shown>>,
}

/// What the program has written.
struct Shown {
    bytes: Vec<u8>,
    parser: Parser,
}

impl Terminal {
    /// Runs `inval args` with variables of the environment in a terminal of so many columns and rows.
    pub(crate) fn running(args: &[&str], variables: &[(&str, &str)], size: (u16, u16)) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        resize(&ours, size);
        let theirs = ioctl_tiocgptpeer(&ours, flags).unwrap();
        let other = || theirs.try_clone().unwrap();
        // In a session of its own, for which the terminal is the one to have signals from.
        let child = Command::new("setsid")
            .args(["--ctty", env!("CARGO_BIN_EXE_inval")])
            .args(args)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .envs(variables.iter().copied())
            .stdin(other())
            .stdout(other())
            .stderr(other())
            .spawn()
            .unwrap();
        let (columns, rows) = sized(size);
        let shown = Shown { bytes: Vec::new(), parser: Parser::new(rows, columns, 0) };
        let shown = Arc::new(Mutex::new(shown));
        let ours = File::from(ours);
        let (mut source, sink) = (ours.try_clone().unwrap(), Arc::clone(&shown));
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // It ends in an error when nobody has the other side any more.
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                let mut shown = sink.lock().unwrap();
                shown.bytes.extend_from_slice(&buffer[..count]);
                shown.parser.process(&buffer[..count]);
            }
        });
        Self { child, ours, shown }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resize(&self, size: (u16, u16)) {
        let (columns, rows) = sized(size);
        self.shown.lock().unwrap().parser.set_size(rows, columns);
        resize(&self.ours, size);
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Waits until the screen is as `is_so` wants it, and returns its text.
    pub(crate) fn until(&self, what: &str, mut is_so: impl FnMut(&Screen) -> bool) -> String {
        let began = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap();
            let screen = shown.parser.screen();
            let text = screen.contents();
            if is_so(screen) {
                return text;
            }
            drop(shown);
            assert!(began.elapsed() < PATIENCE, "waited in vain: {what}\n{text}");
            sleep(POLL);
        }
    }

    /// Waits until this stands on the screen, and returns the screen's text.
    pub(crate) fn until_shown(&self, text: &str) -> String {
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Whether keys are echoed and lines can be edited, as a shell wants it.
    pub(crate) fn is_for_lines(&self) -> bool {
        let modes = tcgetattr(&self.ours).unwrap().local_modes;
        modes.contains(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG)
    }

    /// Waits until the program has stopped, as a shell sees it.
    pub(crate) fn until_stopped(&self) {
        let path = format!("/proc/{}/stat", self.child.id());
        let is_stopped = || std::fs::read_to_string(&path).unwrap().contains(") T ");
        self.until("it stops", |_| is_stopped());
    }

    /// Waits for the program's end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < PATIENCE, "it does not end");
            sleep(POLL);
        }
    }

    /// All that the program has written so far.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.shown.lock().unwrap().bytes.clone()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: impl std::os::fd::AsFd, (columns, rows): (u16, u16)) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}

fn sized((columns, rows): (u16, u16)) -> (NonZeroU16, NonZeroU16) {
    (columns.try_into().unwrap(), rows.try_into().unwrap())
}
