//! Keys, values and calls that panic when they are told to, without a word on stderr.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What is to panic in this thread.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Bomb {
    Eq,
    Clone,
    Weigher,
    Listener,
    Clock,
    Loader,
}

thread_local! {
    static LIT: Cell<Option<(Bomb, u32)>> = const { Cell::new(None) };
}

/// Panics if `bomb` is the one that is lit and its turn has come.
pub(crate) fn pass(bomb: Bomb) {
    match LIT.get() {
        Some((lit, 0)) if lit == bomb => {
            LIT.set(None);
            resume_unwind(Box::new(bomb));
        }
        Some((lit, turns)) if lit == bomb => LIT.set(Some((lit, turns - 1))),
        _ => {}
    }
}

/// Runs `work` in which the `turn`-th call of `bomb`, counted from 0, panics; whether there was one.
pub(crate) fn explodes(bomb: Bomb, turn: u32, work: impl FnOnce()) -> bool {
    LIT.set(Some((bomb, turn)));
    let outcome = catch_unwind(AssertUnwindSafe(work));
    LIT.set(None);
    outcome.is_err()
}

#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) u64);

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        pass(Bomb::Eq);
        self.0 == other.0
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[derive(PartialEq, Debug)]
pub(crate) struct Value(pub(crate) u64);

impl Clone for Value {
    fn clone(&self) -> Self {
        pass(Bomb::Clone);
        Self(self.0)
    }
}
