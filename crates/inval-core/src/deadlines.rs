//! When entries expire: TTL and time-to-idle over one timing wheel.

use crate::slab::Id;
use crate::wheel::{LAST_TICK, Wheel};

/// No deadline at all; beyond anything the wheel can tell apart.
const NEVER: u64 = u64::MAX;
/// The latest point in time, in milliseconds; a deadline after it is taken as the one right after.
pub(crate) const LAST_NOW: u64 = LAST_TICK - 1;

/// The deadlines of a ledger's entries, in milliseconds. An entry has expired at its deadline, not
/// only after it.
///
/// With a time to idle, a read only moves `Idle::expires`; the wheel still holds the earlier tick
/// and is put right when that comes up. So a read never touches the wheel.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Deadlines {
    wheel: Wheel,
    time_to_idle: Option<u64>,
    /// By id; filled only with a time to idle.
    idle: Vec<Idle>,
}

#[derive(Clone, Copy, Debug)]
struct Idle {
    expires: u64,
    /// The deadline by TTL, which no read can move.
    cap: u64,
}

impl Deadlines {
    pub(crate) fn new(time_to_idle: Option<u64>) -> Self {
        Self { wheel: Wheel::new(), time_to_idle, idle: Vec::new() }
    }

    /// Whether any entry has a deadline.
    #[inline]
    pub(crate) fn are_used(&self) -> bool {
        !self.wheel.is_empty()
    }

    /// Gives an entry, written at `now`, the deadline of its TTL, or none.
    #[inline]
    pub(crate) fn set(&mut self, id: Id, deadline: Option<u64>, now: u64) {
        if deadline.is_none() && self.time_to_idle.is_none() {
            self.forget(id);
        } else {
            self.schedule(id, deadline, now);
        }
    }

    fn schedule(&mut self, id: Id, deadline: Option<u64>, now: u64) {
        let cap = deadline.map_or(NEVER, |deadline| deadline.min(LAST_TICK));
        let expires = self.time_to_idle.map_or(cap, |idle| cap.min(after(now, idle)));
        if self.time_to_idle.is_some() {
            let ids = self.idle.len().max(id as usize + 1);
            self.idle.resize(ids, Idle { expires: NEVER, cap: NEVER });
            self.idle[id as usize] = Idle { expires, cap };
        }
        if expires == NEVER {
            self.wheel.cancel(id);
        } else {
            self.wheel.schedule(id, expires);
        }
    }

    /// Whether an entry that is read at `now` is alive; if so it has its time to idle before it anew.
    pub(crate) fn read(&mut self, id: Id, now: u64) -> bool {
        if self.has_passed(id, now) {
            return false;
        }
        if let Some(time) = self.time_to_idle
            && let Some(idle) = self.idle.get_mut(id as usize)
        {
            idle.expires = idle.cap.min(after(now, time));
        }
        true
    }

    /// Takes the deadline off an entry, if it has one.
    #[inline]
    pub(crate) fn forget(&mut self, id: Id) {
        if self.are_used() {
            self.wheel.cancel(id);
        }
    }

    /// When an entry expires, if it does.
    #[inline]
    pub(crate) fn get(&self, id: Id) -> Option<u64> {
        let due = self.wheel.due(id)?;
        Some(self.idle.get(id as usize).map_or(due, |idle| idle.expires))
    }

    #[inline]
    pub(crate) fn has_passed(&self, id: Id, now: u64) -> bool {
        self.get(id).is_some_and(|deadline| deadline <= now)
    }

    /// The entry that expired first, if any has by `now`.
    #[inline]
    pub(crate) fn first_due(&mut self, now: u64) -> Option<Id> {
        if !self.are_used() {
            return None;
        }
        self.settle(|wheel| wheel.first_due(now))
    }

    /// The entry that is the first to expire.
    pub(crate) fn soonest(&mut self) -> Option<Id> {
        self.settle(Wheel::soonest)
    }

    /// No entry expires before this, in milliseconds.
    pub(crate) fn next_wake(&self) -> Option<u64> {
        self.wheel.next_wake()
    }

    pub(crate) fn is_consistent(&self, entries: u32) -> bool {
        self.wheel.is_consistent() && self.wheel.len() <= entries as usize
    }

    /// Moves timers that reads have outdated until `find` gives one whose time is right. Each move
    /// is paid for by a read.
    fn settle(&mut self, find: impl Fn(&mut Wheel) -> Option<u32>) -> Option<Id> {
        loop {
            let id = find(&mut self.wheel)?;
            match self.idle.get(id as usize) {
                Some(idle) if self.wheel.due(id).is_some_and(|due| due < idle.expires) => {
                    self.wheel.schedule(id, idle.expires);
                }
                _ => return Some(id),
            }
        }
    }
}

/// The deadline `time` after `now`; never beyond what the wheel can hold, or `settle` would not end.
#[inline]
fn after(now: u64, time: u64) -> u64 {
    now.saturating_add(time).min(LAST_TICK)
}
