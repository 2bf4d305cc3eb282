//! What each client asked for, when, and what it was told.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// One call of one client on one key, with the times at which it asked and was answered, from the start of the
/// history. A call on many keys is an event for each of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which client.
    pub client: u32,
    /// Which key; what is done to all keys names none that counts.
    pub key: u32,
    /// When it asked.
    pub asked: Duration,
    /// When it was answered, or gave up.
    pub answered: Duration,
    /// What it asked for, and what came of it.
    pub act: Act,
}

/// What a client asked for, and what came of it. A read that failed tells nothing and is no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// It read.
    Read(Seen),
    /// It wrote a value that nobody writes a second time.
    Write {
        /// The value.
        value: Value,
        /// After which time it expires, if ever.
        ttl: Option<Duration>,
        /// What came of it.
        outcome: Outcome,
    },
    /// It invalidated the key.
    Invalidate(Outcome),
    /// It cleared the namespace, this key and all others.
    Clear(Outcome),
}

/// What a read found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// Nothing.
    Nothing,
    /// A value.
    Value(Value),
    /// Bytes that are no value of ours for this key.
    Garbage,
}

/// What came of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was made.
    Done,
    /// It was not made, and will not be: the store refused it, or its condition did not hold.
    Refused,
    /// It was made, or not, or may still be made later.
    Unknown,
}

/// A value: a number that no other write of the history has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Value(pub u64);

/// The time and the values of one history, shared by its clients.
#[derive(Debug)]
pub struct Chronicle {
    began: Instant,
    next: AtomicU64,
}

impl Chronicle {
    /// One that begins now.
    pub fn begin() -> Self {
        Self { began: Instant::now(), next: AtomicU64::new(1) }
    }

    /// The time since it began.
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// A value that was not given out before.
    pub fn new_value(&self) -> Value {
        Value(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Value {
    /// The bytes that stand for it under a key: they name both, and are `length` bytes long at the least.
    pub fn encode(self, key: u32, length: usize) -> Vec<u8> {
        let mut bytes = format!("v{}k{key}.", self.0).into_bytes();
        bytes.resize(bytes.len().max(length), b'.');
        bytes
    }

    /// What a read found under a key.
    pub fn decode(bytes: Option<&[u8]>, key: u32) -> Seen {
        let Some(bytes) = bytes else { return Seen::Nothing };
        let number = str::from_utf8(bytes).ok().and_then(|text| {
            let (value, rest) = text.strip_prefix('v')?.split_once('k')?;
            let (owner, _) = rest.split_once('.')?;
            (owner.parse() == Ok(key)).then(|| value.parse().ok())?
        });
        number.map_or(Seen::Garbage, |number| Seen::Value(Self(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_back_under_its_own_key_alone() {
        let bytes = Value(7).encode(3, 40);
        assert_eq!(bytes.len(), 40);
        let check = |bytes: Option<&[u8]>, key, seen| assert_eq!(Value::decode(bytes, key), seen);
        check(Some(&bytes), 3, Seen::Value(Value(7)));
        check(Some(&bytes), 4, Seen::Garbage);
        check(Some(b"and more"), 3, Seen::Garbage);
        check(Some(b""), 3, Seen::Garbage);
        check(None, 3, Seen::Nothing);
    }
}
