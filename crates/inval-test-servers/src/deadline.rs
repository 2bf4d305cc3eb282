//! Waits for a condition, not for a time: polls until it holds or the deadline has passed.

use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(5);

/// The instant at which waiting becomes an error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// The first `Some` that `probe` gives, which is asked at least once; `None` if the deadline passes.
    pub(crate) fn poll<T>(self, mut probe: impl FnMut() -> Option<T>) -> Option<T> {
        loop {
            match probe() {
                None if Instant::now() < self.0 => thread::sleep(PAUSE),
                outcome => return outcome,
            }
        }
    }
}
