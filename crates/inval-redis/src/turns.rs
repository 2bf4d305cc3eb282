//! Turns: a few managers of a process make their books at a time.
//!
//! A rebuild scans all of a server. Thousands at once would keep it so busy that their leases ended before they were
//! renewed, and all began anew, for ever.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many take turns at a time.
const MOST: usize = 64;
/// A turn that nobody goes on with, as where a namespace was paused, ends by itself.
const LIFETIME: Duration = Duration::from_secs(5);

/// Who makes books, and until when that counts if nothing more is heard of it.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<u64, Instant>>);

impl Turns {
    /// A number that no other manager of this process has.
    pub(crate) fn number() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes or keeps a turn; whether there was one.
    pub(crate) fn take(&self, number: u64) -> bool {
        let now = Instant::now();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= MOST && !turns.contains_key(&number) {
            turns.retain(|_, ends| *ends > now);
        }
        let is_free = turns.len() < MOST || turns.contains_key(&number);
        if is_free {
            turns.insert(number, now + LIFETIME);
        }
        is_free
    }

    pub(crate) fn give_back(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_take_turns_and_others_wait_for_them() {
        let turns = Turns::default();
        let most = MOST as u64;
        assert!((0..most).all(|number| turns.take(number)));
        assert!(!turns.take(most), "all turns are taken");
        assert!(turns.take(3), "one's own is kept");
        turns.give_back(3);
        assert!(turns.take(most));
        assert!(!turns.take(3));
    }

    #[test]
    fn a_turn_that_nobody_goes_on_with_ends() {
        let turns = Turns::default();
        let ended = Instant::now();
        *turns.0.lock().unwrap() = (0..MOST as u64).map(|number| (number, ended)).collect();
        assert!(turns.take(1_000));
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
