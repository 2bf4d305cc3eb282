//! Where the journal stands, and how old its records may be.

use std::collections::VecDeque;

use crate::units::Timestamp;

/// How many ends of the journal are remembered.
const MOST_ENDS: usize = 64;

/// Where the journal stands.
#[derive(Debug, Default)]
pub(super) struct Journal {
    pub(super) generation: u64,
    /// Records taken off.
    pub(super) position: u64,
    /// Records worked off but not taken off yet, and the last of them.
    pub(super) worked_off: u32,
    pub(super) last_record: Vec<u8>,
    /// Records known to be waiting.
    pub(super) backlog: u64,
    /// Where it ended, and a time of the server's clock at which it did not reach further.
    ends: VecDeque<(u64, Timestamp)>,
}

impl Journal {
    /// A journal of which nothing is known but where it stands.
    pub(super) fn at(generation: u64, position: u64) -> Self {
        Self { generation, position, ..Self::default() }
    }

    /// Whether the server's journal goes on where we stand, with or without what we worked off last.
    pub(super) fn accepts(&mut self, generation: u64, position: u64) -> bool {
        let worked_off = self.position.saturating_add(u64::from(self.worked_off));
        if generation == self.generation && position == worked_off {
            self.taken_off();
        }
        generation == self.generation && position == self.position
    }

    pub(super) fn taken_off(&mut self) {
        self.position = self.position.saturating_add(u64::from(self.worked_off));
        self.worked_off = 0;
        self.last_record.clear();
    }

    /// Notes that at `time` it reached to `end`, and not further.
    pub(super) fn reached(&mut self, end: u64, time: Timestamp) {
        if let Some((_, at)) = self.ends.back_mut().filter(|(last, _)| *last >= end) {
            *at = time;
        } else if self.ends.len() < MOST_ENDS {
            // What comes after the last is taken to be older than it is, which does no harm.
            self.ends.push_back((end, time));
        }
    }

    /// A time before which the record at `position` had not been written. Positions only rise.
    pub(super) fn written_after(&mut self, position: u64) -> Timestamp {
        while self.ends.get(1).is_some_and(|(end, _)| *end <= position) {
            self.ends.pop_front();
        }
        match self.ends.front() {
            Some((end, time)) if *end <= position => *time,
            _ => Timestamp::default(),
        }
    }
}
