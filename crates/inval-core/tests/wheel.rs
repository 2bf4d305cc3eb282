//! Properties of the timing wheel: it gives what a sorted map of timers gives, however time jumps.

mod support {
    pub(crate) mod cases;
    pub(crate) mod timers;
}

use inval_core::Wheel;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as Generate, prop_oneof};
use proptest::test_runner::TestRunner;
use support::cases::cases;
use support::timers::{Due, IDS, LAST_TICK, Op, Timers};

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

#[test]
fn does_as_a_sorted_map() {
    let length = if cfg!(miri) { 40 } else { 120 };
    let outcome = TestRunner::new(cases(96)).run(&vec(operations(), 0..length), |ops| {
        Timers::run(&ops);
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
    Timers::run(&ops);
}

#[test]
fn the_ends_of_time_are_ticks_like_any_other() {
    for now in [0, 1, LAST_TICK - 1, LAST_TICK, LAST_TICK + 1, u64::MAX - 1, u64::MAX] {
        let dues = [0, 1, 63, 64, LAST_TICK - 1, LAST_TICK, LAST_TICK + 1, u64::MAX];
        let mut ops = vec![Op::Forward(now), Op::FirstDue];
        ops.extend((0..).zip(dues).map(|(id, due)| Op::Schedule { id, due: Due::At(due) }));
        ops.extend([Op::FirstDue, Op::Soonest, Op::Expire(3)]);
        Timers::run(&ops);
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
