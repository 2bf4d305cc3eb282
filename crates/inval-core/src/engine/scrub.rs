//! The scrub: a slow walk that compares the books with the server, both ways.

use std::time::Duration;

use super::{Engine, Group, Reason};
use crate::slab::Id;
use crate::units::Timestamp;

/// Entries of the books that are counted on the server at once.
const PAGE: u32 = 128;

/// How often the pause between two pages doubles at the most.
const MOST_DOUBLINGS: u32 = 6;

/// Where the walk stands. It takes turns: a page of the books, a page of the server.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    /// When the next page is due, on the local clock.
    due: Timestamp,
    /// When it may come at the earliest.
    soonest: Timestamp,
    /// How many pages of the server in a row held nothing of ours. Where all else is that of others, they are asked for
    /// ever more rarely.
    barren: u32,
    next_id: Id,
    cursor: u64,
    is_servers_turn: bool,
    /// Keys of the last page that are not on the books. Of those just written the journal tells with the next step.
    unknown: Vec<Box<[u8]>>,
    /// Whether something on the books is in doubt, so that all of it has to be gone through.
    is_wanted: bool,
    /// What is left of a walk without pauses.
    urgent: Option<Walk>,
}

/// Which ends an urgent walk has still to reach.
#[derive(Clone, Copy, Debug)]
struct Walk {
    books: bool,
    server: bool,
}

impl Scrub {
    pub(super) fn restart(&mut self, due: Timestamp) {
        *self = Self { due, soonest: due, ..Self::default() };
    }

    pub(super) fn due(&self) -> Timestamp {
        if self.is_wanted { self.soonest } else { self.due }
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.urgent.is_some()
    }

    /// Asks for one whole walk without a pause, which begins when the next page is due.
    pub(super) fn hurry(&mut self) {
        self.is_wanted = true;
    }

    fn begin_if_wanted(&mut self, now: Timestamp) {
        if self.is_wanted && self.urgent.is_none() && now >= self.soonest {
            self.is_wanted = false;
            self.urgent = Some(Walk { books: true, server: true });
            (self.next_id, self.cursor) = (0, 0);
        }
    }

    /// The page of the server that is due, if it is the server's turn.
    pub(super) fn next_page(&mut self, now: Timestamp) -> Option<u64> {
        self.begin_if_wanted(now);
        (self.is_servers_turn && (now >= self.due || self.is_urgent())).then_some(self.cursor)
    }

    fn turned(&mut self, to_server: bool, at_end: bool, now: Timestamp, interval: Duration) {
        self.is_servers_turn = to_server;
        self.soonest = now.saturating_add(interval);
        self.due = now.saturating_add(interval * (1 << self.barren.min(MOST_DOUBLINGS)));
        if let Some(walk) = &mut self.urgent {
            let place = if to_server { &mut walk.books } else { &mut walk.server };
            *place &= !at_end;
            if !walk.books && !walk.server {
                self.urgent = None;
            }
        }
    }
}

impl Engine {
    /// A page of the books to be counted on the server, if one is due.
    pub(super) fn scrub_page(&mut self) -> Option<Vec<Box<[u8]>>> {
        let is_due = self.now >= self.scrub.due() || self.scrub.is_urgent();
        if self.scrub.is_servers_turn || !is_due {
            return None;
        }
        let (ids, next) = self.ledger.ids_from(self.scrub.next_id, PAGE);
        self.scrub.next_id = next.unwrap_or(0);
        self.scrub.turned(true, next.is_none(), self.now, self.settings.scrub_interval);
        // What this very step may unlink is not to be missed.
        let kept = ids.into_iter().filter(|id| !self.ledger.is_held(*id));
        let keys: Vec<_> = kept.map(|id| self.ledger.key(id).clone()).collect();
        (!keys.is_empty()).then_some(keys)
    }

    pub(super) fn scrub_scanned(&mut self, cursor: u64, keys: Vec<Box<[u8]>>) {
        let is_urgent = self.scrub.is_urgent();
        self.scrub.cursor = cursor;
        self.scrub.barren = if keys.is_empty() { self.scrub.barren.saturating_add(1) } else { 0 };
        self.scrub.turned(false, cursor == 0, self.now, self.settings.scrub_interval);
        for key in keys {
            // A look counts as an access on the server, so what is known is looked at only in doubt.
            match self.ledger.locate(self.hash(&key), &key) {
                None => self.scrub.unknown.push(key),
                Some(_) if is_urgent => self.looks.push_back((key, Reason::Scrub)),
                Some(_) => {}
            }
        }
    }

    /// Has what the last page showed looked at, if the journal has not told of it meanwhile.
    pub(super) fn look_at_unknown(&mut self) {
        for key in std::mem::take(&mut self.scrub.unknown) {
            if self.ledger.locate(self.hash(&key), &key).is_none() {
                self.looks.push_back((key, Reason::Scrub));
            }
        }
    }

    /// What a count of a group says: all as it should be, or each to be looked at.
    pub(super) fn counted(&mut self, group: Group, keys: Vec<Box<[u8]>>, present: u64) {
        let reason = match group {
            Group::Due if present == 0 => return keys.iter().for_each(|key| self.expired(key)),
            Group::Scrub if present == keys.len() as u64 => return,
            Group::Due => Reason::Due,
            Group::Scrub => Reason::Scrub,
        };
        self.looks.extend(keys.into_iter().map(|key| (key, reason)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_that_begins_anew_waits_for_its_first_page_even_if_one_is_wanted_soon() {
        let mut scrub = Scrub::default();
        let due = Timestamp::from_millis(70);
        scrub.restart(due);
        assert_eq!(scrub.due(), due);
        scrub.hurry();
        assert_eq!(scrub.due(), due);
    }
}
