//! The wish to end early, so that what was written can still be deleted.

use std::io;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::ctrl_c;

use crate::failure::KILLED;

/// Whether somebody wants it to end. All clones are one.
#[derive(Clone, Default, Debug)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// One that is wanted as soon as a signal to end comes. The second signal ends the program.
    pub(super) fn on_signals() -> Self {
        let stop = Self::default();
        let wanted = stop.clone();
        tokio::spawn(async move {
            if signal().await.is_ok() {
                wanted.want();
                if signal().await.is_ok() {
                    process::exit(KILLED);
                }
            }
        });
        stop
    }

    pub(super) fn want(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for Ctrl-C or, where there is such a thing, SIGTERM.
async fn signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    ctrl_c().await
}
