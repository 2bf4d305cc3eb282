//! Waiting for something at a daemon, and for Ctrl-C meanwhile.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::error::ClientError;

/// Notes Ctrl-C from its beginning on; the program does not end by it any more.
pub(super) struct Waiting {
    runtime: Runtime,
    signal: Pin<Box<dyn Future<Output = io::Result<()>>>>,
}

impl Waiting {
    pub(super) fn begin() -> Result<Self, ClientError> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(ClientError::Runtime)?;
        let mut waiting = Self { runtime, signal: Box::pin(tokio::signal::ctrl_c()) };
        // It listens only once it has been asked.
        waiting.is_interrupted(Duration::ZERO);
        Ok(waiting)
    }

    /// Waits for `pause`; whether Ctrl-C came before its end.
    pub(super) fn is_interrupted(&mut self, pause: Duration) -> bool {
        let signal = &mut self.signal;
        matches!(self.runtime.block_on(async { timeout(pause, signal).await }), Ok(Ok(())))
    }
}
