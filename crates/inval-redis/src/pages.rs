//! Pages of a partition: from the books where this client manages it, else from a scan of the server.
//!
//! Neither moves an idle clock: `OBJECT IDLETIME`, `PTTL` and `MEMORY USAGE` are no accesses.

use std::time::Duration;

use inval_core::engine::BookedEntry;
use inval_core::{Cursor, EntryInfo, Key, Lifetime, Page, Weighing, Weight};
use redis::{Pipeline, Value};

use crate::cache::{Cache, Partition};
use crate::connect::{Cursor as ScanCursor, Repeat};
use crate::error::Error;
use crate::wire;

/// How many entries the server is asked about at once. Of more it would take the first ones up while the last are
/// still on their way, and the time for that would seem to be held.
const AT_ONCE: usize = 128;
/// What tells a place on the books from a place of a scan.
const ON_BOOKS: u64 = 1 << 63;

/// Where a walk goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Start,
    /// In the books of this number.
    Books {
        number: u64,
        from: u32,
    },
    Scan(ScanCursor),
}

impl Place {
    fn of(cursor: Cursor) -> Self {
        let (place, origin) = (cursor.place(), cursor.origin());
        if cursor == Cursor::START {
            Self::Start
        } else if place & ON_BOOKS == 0 {
            Self::Scan(ScanCursor::of_parts((place, origin)))
        } else {
            // What is beyond all books leads to their end.
            let from = u32::try_from(place & !ON_BOOKS).unwrap_or(u32::MAX);
            Self::Books { number: origin, from }
        }
    }

    fn cursor(self) -> Cursor {
        match self {
            Self::Start => Cursor::START,
            Self::Books { number, from } => Cursor::new(ON_BOOKS | u64::from(from), number),
            Self::Scan(cursor) => {
                let (position, instance) = cursor.parts();
                Cursor::new(position, instance)
            }
        }
    }
}

/// Entries that may be there, before the server was asked about them.
struct Candidates {
    entries: Vec<Candidate>,
    weighing: Weighing,
    next: Option<Place>,
    begins_anew: bool,
    held: Duration,
}

struct Candidate {
    key: Key,
    weight: Option<Weight>,
    age: Option<Duration>,
}

impl Cache {
    /// A page of a partition; the last partition's if there are fewer.
    pub(crate) async fn page(&self, number: u32, cursor: Cursor, size: u32) -> Result<Page, Error> {
        let (partition, place) = (self.partition(number), Place::of(cursor));
        let candidates = match books_page(partition, place, size).await {
            Some(candidates) => candidates,
            None => self.scan_page(partition, place, size).await?,
        };
        let (entries, held) = self.look_at(partition, &candidates).await?;
        let Candidates { weighing, next, begins_anew, .. } = candidates;
        let (next, held) = (next.map(Place::cursor), candidates.held + held);
        Ok(Page { entries, weighing, next, begins_anew, held })
    }

    async fn scan_page(
        &self,
        partition: &Partition,
        place: Place,
        size: u32,
    ) -> Result<Candidates, Error> {
        let names = &partition.names;
        let pattern = [names.entries().as_bytes(), b"*"].concat();
        let (routing, size) = (names.accounts().as_bytes(), size.max(1));
        let scan = |cursor| self.client().timed_scan(routing, cursor, &pattern, size);
        let mut begins_anew = matches!(place, Place::Books { .. });
        let (page, held) = match place {
            Place::Scan(cursor) => match scan(cursor).await {
                Err(Error::ScanInterrupted) => {
                    begins_anew = true;
                    scan(ScanCursor::START).await?
                }
                page => page?,
            },
            Place::Start | Place::Books { .. } => scan(ScanCursor::START).await?,
        };
        let keys = page.names.iter().filter_map(|name| Key::new(names.key_of(name)?).ok());
        Ok(Candidates {
            entries: keys.map(|key| Candidate { key, weight: None, age: None }).collect(),
            weighing: Weighing::Estimated,
            next: page.next.map(Place::Scan),
            begins_anew,
            held,
        })
    }

    /// Those of the candidates that are there, and how long asking for them held the server.
    async fn look_at(
        &self,
        partition: &Partition,
        candidates: &Candidates,
    ) -> Result<(Vec<(Key, EntryInfo)>, Duration), Error> {
        let question = Question { is_weight_asked: candidates.weighing == Weighing::Estimated };
        let mut entries = Vec::with_capacity(candidates.entries.len());
        let mut held = Duration::ZERO;
        for some in candidates.entries.chunks(AT_ONCE) {
            let pipe = question.put(partition, some);
            let mut replies = self.client().pipeline_each(&pipe, Repeat::Safe).await?.into_iter();
            let begun = replies.next().ok_or(Error::UnexpectedReply)??;
            for candidate in some {
                if let Some(info) = question.answer(candidate, &mut replies)? {
                    entries.push((candidate.key.clone(), info));
                }
            }
            let ended = replies.next().ok_or(Error::UnexpectedReply)??;
            held += wire::between(begun, ended)?;
        }
        Ok((entries, held))
    }
}

/// A page of the books; `None` while this client does not have them, or they are not true.
async fn books_page(partition: &Partition, place: Place, size: u32) -> Option<Candidates> {
    let keeper = partition.keeper.lock().await;
    let number = keeper.books();
    let (from, begins_anew) = match place {
        Place::Start => (0, false),
        Place::Books { number: theirs, from } if theirs == number => (from, false),
        Place::Books { .. } | Place::Scan(_) => (0, true),
    };
    let (entries, next) = keeper.inventory(from, size)?;
    let candidate = |BookedEntry { key, weight, age }: BookedEntry| {
        Some(Candidate { key: Key::new(&key).ok()?, weight: Some(weight), age })
    };
    Some(Candidates {
        entries: entries.into_iter().filter_map(candidate).collect(),
        weighing: Weighing::Charged,
        next: next.map(|from| Place::Books { number, from }),
        begins_anew,
        held: Duration::ZERO,
    })
}

/// What the server is asked about an entry.
#[derive(Clone, Copy)]
struct Question {
    is_weight_asked: bool,
}

impl Question {
    /// Asks about all of them, with a look at the server's clock before and after.
    fn put(self, partition: &Partition, entries: &[Candidate]) -> Pipeline {
        let mut pipe = Pipeline::with_capacity(2 + 3 * entries.len());
        pipe.cmd("TIME");
        for Candidate { key, .. } in entries {
            let name = partition.names.entry(key.as_bytes());
            pipe.cmd("OBJECT").arg("IDLETIME").arg(&name);
            pipe.cmd("PTTL").arg(&name);
            if self.is_weight_asked {
                // Without samples, for a string has none.
                pipe.cmd("MEMORY").arg("USAGE").arg(&name).arg("SAMPLES").arg(0);
            }
        }
        pipe.cmd("TIME");
        pipe
    }

    /// What is known of an entry with the next replies; `None` if it is gone.
    fn answer(
        self,
        candidate: &Candidate,
        replies: &mut impl Iterator<Item = Result<Value, Error>>,
    ) -> Result<Option<EntryInfo>, Error> {
        let mut next = || replies.next().ok_or(Error::UnexpectedReply);
        let idle = told(next()?)?.map(Duration::from_secs);
        let lifetime = match next()?? {
            Value::Int(-2) => None,
            Value::Int(-1) => Some(Lifetime::Unlimited),
            other => Some(Lifetime::Remaining(Duration::from_millis(wire::number(&other)?))),
        };
        let weight = match self.is_weight_asked {
            true => told(next()?)?.map(|bytes| Weight::of_len(bytes as usize)),
            false => candidate.weight,
        };
        Ok(lifetime.map(|lifetime| EntryInfo { weight, lifetime, idle, age: candidate.age }))
    }
}

/// A number that the server may not tell: there are no idle times under an LFU policy, a user may not be allowed
/// to ask, and what is gone has no number.
fn told(reply: Result<Value, Error>) -> Result<Option<u64>, Error> {
    match reply {
        Ok(Value::Nil) | Err(Error::Rejected(_) | Error::Permission) => Ok(None),
        Ok(value) => wire::number(&value).map(Some),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_again_from_its_cursor() {
        let check = |place: Place| assert_eq!(Place::of(place.cursor()), place);
        check(Place::Start);
        check(Place::Books { number: 0, from: 0 });
        check(Place::Books { number: u64::MAX, from: u32::MAX });
        check(Place::Scan(ScanCursor::of_parts((1 << 62, u64::MAX))));
        let beyond = Place::of(Cursor::new(u64::MAX, 3));
        assert_eq!(beyond, Place::Books { number: 3, from: u32::MAX });
    }
}
