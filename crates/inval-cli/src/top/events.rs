//! What happens while the display is shown, one after the other: keys, readings, signals.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, KeyEvent};

use crate::client::{Endpoint, Statistics, Ticks};

/// Something that happened.
pub(super) enum Event {
    Key(KeyEvent),
    Resized,
    /// What a reading at that time told, or why it told nothing.
    Reading {
        told: Result<BTreeMap<String, Statistics>, String>,
        at: Instant,
    },
    /// Somebody wants it to end.
    Stop,
    /// Somebody wants it to let go of the terminal.
    Suspend,
    /// It goes on, perhaps with a terminal that others have used.
    Continue,
    /// No more events come from somewhere.
    Broken(io::Error),
}

/// Where events come in. Each source has a thread of its own, so none waits for another.
pub(super) struct Events {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
}

impl Events {
    /// From now on signals are events and end nothing themselves.
    pub(super) fn with_signals() -> io::Result<Self> {
        let (sender, receiver) = channel();
        let events = Self { sender, receiver };
        #[cfg(unix)]
        events.add_signals()?;
        Ok(events)
    }

    /// From now on keys are events. The terminal has to tell each key at once.
    pub(super) fn add_keys(&self) {
        self.source(|sender| {
            loop {
                let event = match event::read()? {
                    event::Event::Key(key) => Event::Key(key),
                    event::Event::Resize(..) => Event::Resized,
                    _ => continue,
                };
                if sender.send(event).is_err() {
                    return Ok(());
                }
            }
        });
    }

    /// From now on there is a reading at each of `ticks`, or as soon as the one before has come.
    pub(super) fn add_readings(&self, endpoint: Endpoint, mut ticks: Ticks) {
        self.source(move |sender| {
            loop {
                ticks.wait();
                let told = endpoint.statistics(None).map_err(|error| error.to_string());
                if sender.send(Event::Reading { told, at: Instant::now() }).is_err() {
                    return Ok(());
                }
            }
        });
    }

    /// The next event, if there is one within `timeout`.
    pub(super) fn next(&self, timeout: Duration) -> Option<Event> {
        self.receiver.recv_timeout(timeout).ok()
    }

    #[cfg(unix)]
    fn add_signals(&self) -> io::Result<()> {
        use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP};
        use signal_hook::iterator::Signals;

        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGCONT])?;
        self.source(move |sender| {
            for signal in &mut signals {
                let event = match signal {
                    SIGTSTP => Event::Suspend,
                    SIGCONT => Event::Continue,
                    _ => Event::Stop,
                };
                if sender.send(event).is_err() {
                    break;
                }
            }
            Ok(())
        });
        Ok(())
    }

    /// Runs `source` in a thread until it ends, which is an event if it should not have.
    fn source(&self, source: impl FnOnce(&Sender<Event>) -> io::Result<()> + Send + 'static) {
        let sender = self.sender.clone();
        thread::spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| source(&sender)));
            let ended = ended.unwrap_or_else(|_| Err(io::Error::other("a thread panicked")));
            if let Err(error) = ended {
                // Nobody listens any more if the program ends.
                let _ = sender.send(Event::Broken(error));
            }
        });
    }
}
