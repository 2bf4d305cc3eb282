//! Properties of the timing wheel: it gives what a sorted map of timers gives, however time jumps.

mod support {
    pub(crate) mod cases;
}

use std::collections::BTreeMap;

use inval_core::Wheel;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as Generate, prop_oneof};
use proptest::test_runner::TestRunner;
use support::cases::cases;

/// Later ticks are taken as this one.
const LAST_TICK: u64 = (1 << 48) - 1;
/// More nodes than this are never between the root and a timer.
const LEVELS: usize = 8;
/// Ids are below this.
const IDS: u32 = 40;

#[derive(Clone, PartialEq, Debug)]
enum Op {
    Schedule { id: u32, due: Due },
    Cancel(u32),
    FirstDue,
    Soonest,
    Expire(usize),
    Forward(u64),
}

#[derive(Clone, PartialEq, Debug)]
enum Due {
    At(u64),
    In(u64),
    Ago(u64),
}

/// A wheel and a map that is sorted by tick and, among equals, by the order of scheduling.
#[derive(Debug, Default)]
struct World {
    wheel: Wheel,
    sorted: BTreeMap<(u64, u64), u32>,
    scheduled: u64,
    now: u64,
}

impl World {
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
        self.check_state();
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

    /// Goes from wake-up to wake-up until no timer is left. Some may be early, but each of those
    /// brings a timer nearer.
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
            self.check_state();
        }
        assert!(self.sorted.is_empty());
    }
}

fn ticks() -> impl Generate<Value = u64> {
    let near = |tick: u64| (tick.saturating_sub(70)..tick.saturating_add(70)).boxed();
    prop_oneof![
        8 => 0..200_u64,
        4 => 0..20_000_u64,
        4 => (0..64_u32).prop_map(|log| 1 << log),
        2 => (1..8_u32).prop_flat_map(move |level| near(1 << (6 * level))),
        1 => near(1 << 48),
        1 => near(u64::MAX),
    ]
}

fn operations() -> impl Generate<Value = Op> {
    let id = || 0..IDS;
    let due = prop_oneof![
        2 => ticks().prop_map(Due::At),
        6 => ticks().prop_map(Due::In),
        1 => ticks().prop_map(Due::Ago),
    ];
    prop_oneof![
        40 => (id(), due).prop_map(|(id, due)| Op::Schedule { id, due }),
        10 => id().prop_map(Op::Cancel),
        10 => Just(Op::FirstDue),
        4 => Just(Op::Soonest),
        10 => (1..4_usize).prop_map(Op::Expire),
        16 => (0..100_u64).prop_map(Op::Forward),
        4 => (0..44_u32).prop_map(|log| Op::Forward(1 << log)),
        1 => Just(Op::Forward(u64::MAX)),
    ]
}

fn check(ops: &[Op]) {
    let mut world = World::default();
    ops.iter().for_each(|op| world.apply(op));
    world.drain();
}

#[test]
fn does_as_a_sorted_map() {
    let length = if cfg!(miri) { 40 } else { 120 };
    let outcome = TestRunner::new(cases(64)).run(&vec(operations(), 0..length), |ops| {
        check(&ops);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn equal_ticks_keep_the_order_of_scheduling_through_every_split() {
    let schedule = |id, due| Op::Schedule { id, due: Due::At(due) };
    let mut ops: Vec<_> = (0..IDS).map(|id| schedule(id, 300_000 + u64::from(id % 2))).collect();
    ops.extend([Op::Forward(290_000), Op::FirstDue, schedule(7, 300_000), schedule(8, 300_000)]);
    ops.extend([Op::Forward(10_000), Op::Expire(3), Op::Soonest]);
    check(&ops);
}

#[test]
fn the_ends_of_time_are_ticks_like_any_other() {
    for now in [0, 1, LAST_TICK - 1, LAST_TICK, LAST_TICK + 1, u64::MAX - 1, u64::MAX] {
        let dues = [0, 1, 63, 64, LAST_TICK - 1, LAST_TICK, LAST_TICK + 1, u64::MAX];
        let mut ops = vec![Op::Forward(now), Op::FirstDue];
        ops.extend((0..).zip(dues).map(|(id, due)| Op::Schedule { id, due: Due::At(due) }));
        ops.extend([Op::FirstDue, Op::Soonest, Op::Expire(3)]);
        check(&ops);
    }
}

#[test]
fn a_timer_scheduled_behind_the_clock_is_due_at_once() {
    let mut wheel = Wheel::new();
    assert_eq!(wheel.first_due(1_000_000), None);
    wheel.schedule(1, 999_999);
    wheel.schedule(0, 5);
    assert_eq!(wheel.next_wake(), Some(5));
    assert_eq!(wheel.first_due(1_000_000), Some(0));
}

#[test]
#[should_panic(expected = "31 bits")]
fn an_id_with_the_top_bit_is_refused() {
    Wheel::new().schedule(1 << 31, 0);
}
