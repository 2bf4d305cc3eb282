//! What should not have been, and its story.

use std::fmt;
use std::time::Duration;

use crate::history::{Act, Event, Outcome, Seen};

/// A read whose answer the store should not have given. Shown, it is a story of a few lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What is wrong with the read.
    pub breach: Breach,
    /// The read.
    pub read: Event,
    /// The write of the value that was read, or that should have been there; `None` if there is none.
    pub write: Option<Event>,
    /// The call, the write itself or a read, whose answer shows that the value was there before; `None` if none does.
    pub shown: Option<Event>,
    /// The change after which a stale value should not have been read; `None` for all else.
    pub change: Option<Event>,
}

/// What is wrong with a read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Breach {
    /// It found bytes that are no value of its key.
    Garbage,
    /// It found a value that nobody wrote to its key.
    NeverWritten,
    /// It found a value whose write was asked for later.
    BeforeItsWrite,
    /// It found a value whose write was refused.
    Refused,
    /// It found a value after a later change had been made.
    Stale,
    /// It found a value whose time was over.
    Expired,
    /// It found nothing although nothing can have removed a value.
    Lost,
    /// It found nothing although a value was in use too recently to be evicted.
    HotEvicted,
}

impl Violation {
    /// One of which only the read is known.
    pub(super) fn new(breach: Breach, read: &Event) -> Self {
        Self { breach, read: *read, write: None, shown: None, change: None }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.breach, Told(&self.read))?;
        for event in self
            .write
            .iter()
            .chain(self.shown.iter().filter(|shown| self.write.as_ref() != Some(*shown)))
        {
            write!(f, "\n  {}", Told(event))?;
        }
        if let Some(change) = &self.change {
            write!(f, "\n  but then {}", Told(change))?;
        }
        match (self.breach, self.shown, self.write.map(|write| write.act)) {
            (Breach::Expired, Some(shown), Some(Act::Write { ttl: Some(ttl), .. })) => {
                write!(f, "\n  so its time was over at {:.3} ms", ms(shown.answered + ttl))
            }
            (Breach::Lost, ..) => write!(f, "\n  and nothing since then can have removed it"),
            (Breach::HotEvicted, ..) => {
                write!(f, "\n  and what was in use so recently is not to be evicted")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Garbage => "garbage",
            Self::NeverWritten => "never written",
            Self::BeforeItsWrite => "before its write",
            Self::Refused => "refused",
            Self::Stale => "stale",
            Self::Expired => "expired",
            Self::Lost => "lost",
            Self::HotEvicted => "evicted while hot",
        })
    }
}

/// One call, as a story tells it.
struct Told<'a>(&'a Event);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event { client, key, asked, answered, act } = self.0;
        write!(f, "client {client} ")?;
        match act {
            Act::Read(Seen::Nothing) => write!(f, "read nothing of key {key}")?,
            Act::Read(Seen::Value(value)) => write!(f, "read value {} of key {key}", value.0)?,
            Act::Read(Seen::Garbage) => write!(f, "read garbage of key {key}")?,
            Act::Write { value, ttl, outcome } => {
                write!(f, "wrote value {} to key {key}", value.0)?;
                ttl.map_or(Ok(()), |ttl| write!(f, " for {:.3} ms", ms(ttl)))?;
                f.write_str(in_words(*outcome))?;
            }
            Act::Invalidate(outcome) => write!(f, "invalidated key {key}{}", in_words(*outcome))?,
            Act::Clear(outcome) => write!(f, "cleared all keys{}", in_words(*outcome))?,
        }
        write!(f, " at {:.3} to {:.3} ms", ms(*asked), ms(*answered))
    }
}

fn in_words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "",
        Outcome::Refused => " (refused)",
        Outcome::Unknown => " (of unknown outcome)",
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
