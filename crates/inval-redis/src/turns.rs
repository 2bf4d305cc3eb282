//! Turns: a few managers of a process make their books at a time.
//!
//! A rebuild scans all of a server. Thousands at once would keep it so busy that their leases ended before they were
//! renewed, and all began anew, for ever.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many take turns at a time.
const MOST: usize = 64;
/// As many as take turns go through the server together. A scan for all of them brings more names to the client than one
/// for each, and fewer of them are not worth it.
const MANY: usize = 8;
/// A turn that nobody goes on with, as where a namespace was paused, ends by itself.
const LIFETIME: Duration = Duration::from_secs(5);

/// Who makes books, by their unique names, and until when that counts if nothing more is heard of them.
#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<HashMap<String, Instant>>);

impl Turns {
    /// Takes or keeps a turn; whether there was one.
    pub(crate) fn take(&self, holder: &str) -> bool {
        let now = Instant::now();
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ends) = turns.get_mut(holder) {
            *ends = now + LIFETIME;
            return true;
        }
        if turns.len() >= MOST {
            turns.retain(|_, ends| *ends > now);
        }
        let is_free = turns.len() < MOST;
        if is_free {
            turns.insert(holder.to_owned(), now + LIFETIME);
        }
        is_free
    }

    /// Whether there are enough to scan the server together.
    pub(crate) fn are_many(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() >= MANY
    }

    pub(crate) fn give_back(&self, holder: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(holder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_may_take_turns_and_others_wait_for_them() {
        let turns = Turns::default();
        assert!((0..MOST).all(|number| turns.take(&number.to_string())));
        assert!(!turns.take("another"), "all turns are taken");
        assert!(turns.take("3"), "one's own is kept");
        turns.give_back("3");
        assert!(turns.take("another"));
        assert!(!turns.take("3"));
    }

    #[test]
    fn a_turn_that_nobody_goes_on_with_ends() {
        let turns = Turns::default();
        let ended = Instant::now();
        *turns.0.lock().unwrap() = (0..MOST).map(|number| (number.to_string(), ended)).collect();
        assert!(turns.take("another"));
        assert_eq!(turns.0.lock().unwrap().len(), 1);
    }
}
