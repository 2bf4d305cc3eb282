//! Whatever the calls, a timing wheel gives what a sorted map of timers gives.
#![no_main]

#[path = "../../crates/inval-core/tests/support"]
mod support {
    pub(crate) mod timers;
}

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use support::timers::{Due, IDS, Op, Timers};

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Call {
    At { id: u8, due: u64 },
    Soon { id: u8, ticks: u8 },
    Later { id: u8, ticks: u32 },
    Overdue { id: u8, ticks: u16 },
    Cancel(u8),
    FirstDue,
    Soonest,
    Expire(u8),
    Forward(u16),
    Leap(u64),
}

impl From<Call> for Op {
    fn from(call: Call) -> Self {
        let schedule = |id, due| Self::Schedule { id: u32::from(id) % IDS, due };
        match call {
            Call::At { id, due } => schedule(id, Due::At(due)),
            Call::Soon { id, ticks } => schedule(id, Due::In(ticks.into())),
            Call::Later { id, ticks } => schedule(id, Due::In(ticks.into())),
            Call::Overdue { id, ticks } => schedule(id, Due::Ago(ticks.into())),
            Call::Cancel(id) => Self::Cancel(u32::from(id) % IDS),
            Call::FirstDue => Self::FirstDue,
            Call::Soonest => Self::Soonest,
            Call::Expire(most) => Self::Expire(most.into()),
            Call::Forward(by) => Self::Forward(by.into()),
            Call::Leap(by) => Self::Forward(by),
        }
    }
}

fuzz_target!(|calls: Vec<Call>| {
    let ops: Vec<Op> = calls.into_iter().map(Op::from).collect();
    Timers::run(&ops);
});
