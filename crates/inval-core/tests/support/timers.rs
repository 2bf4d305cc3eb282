//! Timing wheel and sorted map side by side, and the operations that both have to answer alike.

use std::collections::BTreeMap;

use inval_core::Wheel;

/// Later ticks are taken as this one.
pub(crate) const LAST_TICK: u64 = (1 << 48) - 1;
/// More nodes than this are never between the root and a timer.
const LEVELS: usize = 8;
/// Operations from one look at the whole state to the next.
const STRIDE: usize = if cfg!(miri) { 16 } else { 1 };
/// Ids are below this.
pub(crate) const IDS: u32 = 40;

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Op {
    Schedule { id: u32, due: Due },
    Cancel(u32),
    FirstDue,
    Soonest,
    Expire(usize),
    Forward(u64),
}

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Due {
    At(u64),
    In(u64),
    Ago(u64),
}

/// A wheel and a map that is sorted by tick and, among equals, by the order of scheduling.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    wheel: Wheel,
    sorted: BTreeMap<(u64, u64), u32>,
    scheduled: u64,
    now: u64,
}

impl Timers {
    /// Does every operation on both sides, then goes from wake-up to wake-up until no timer is left.
    /// Panics where the two differ.
    pub(crate) fn run<'a>(ops: impl IntoIterator<Item = &'a Op>) {
        let mut timers = Self::default();
        for (nth, op) in ops.into_iter().enumerate() {
            timers.apply(op);
            if nth.is_multiple_of(STRIDE) {
                timers.check_state();
            }
        }
        timers.drain();
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Schedule { id, ref due } => self.schedule(id, due),
            Op::Cancel(id) => {
                assert_eq!(self.wheel.cancel(id), self.forget(id));
            }
            Op::FirstDue => {
                let first = self.first().filter(|&(due, _)| due <= self.now);
                assert_eq!(self.wheel.first_due(self.now), first.map(|(_, id)| id));
            }
            Op::Soonest => assert_eq!(self.wheel.soonest(), self.first().map(|(_, id)| id)),
            Op::Expire(most) => (0..most).for_each(|_| self.expire()),
            Op::Forward(by) => self.now = self.now.saturating_add(by),
        }
    }

    fn schedule(&mut self, id: u32, due: &Due) {
        let due = match *due {
            Due::At(due) => due,
            Due::In(ticks) => self.now.saturating_add(ticks),
            Due::Ago(ticks) => self.now.saturating_sub(ticks),
        };
        self.forget(id);
        self.scheduled += 1;
        self.sorted.insert((due.min(LAST_TICK), self.scheduled), id);
        self.wheel.schedule(id, due);
    }

    fn expire(&mut self) {
        if let Some(id) = self.wheel.first_due(self.now) {
            assert_eq!(Some(id), self.first().map(|(_, id)| id));
            assert!(self.wheel.cancel(id) && self.forget(id));
        }
    }

    fn forget(&mut self, id: u32) -> bool {
        let before = self.sorted.len();
        self.sorted.retain(|_, &mut other| other != id);
        self.sorted.len() < before
    }

    fn first(&self) -> Option<(u64, u32)> {
        self.sorted.iter().next().map(|(&(due, _), &id)| (due, id))
    }

    fn check_state(&self) {
        let Self { wheel, sorted, .. } = self;
        assert!(wheel.is_consistent());
        assert_eq!(wheel.len(), sorted.len());
        assert_eq!(wheel.is_empty(), sorted.is_empty());
        let dues: BTreeMap<u32, u64> = sorted.iter().map(|(&(due, _), &id)| (id, due)).collect();
        assert!((0..IDS).all(|id| wheel.due(id) == dues.get(&id).copied()));
        let (wake, soonest) = (wheel.next_wake(), self.first().map(|(due, _)| due));
        assert_eq!(wake.is_some(), soonest.is_some());
        assert!(wake <= soonest, "{wake:?} is after {soonest:?}");
    }

    /// Wake-ups may be early, but each early one brings a timer nearer.
    fn drain(mut self) {
        let mut early = LEVELS * self.sorted.len();
        while let Some(wake) = self.wheel.next_wake() {
            match self.wheel.first_due(wake) {
                Some(id) => {
                    assert_eq!(self.first(), Some((wake, id)));
                    assert!(self.wheel.cancel(id) && self.forget(id));
                }
                None => {
                    assert!(self.wheel.next_wake() > Some(wake));
                    assert!(early > 0, "too many early wake-ups");
                    early -= 1;
                }
            }
        }
        self.check_state();
    }
}
