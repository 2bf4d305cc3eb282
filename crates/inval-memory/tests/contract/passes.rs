//! A test of every check, over one shard and over several.

use inval_core::testing::run_check;

use super::harness::Memory;
use crate::support::tasks::Task;

#[track_caller]
fn pass(check: &str, shards: u32) {
    let outcome = Task::new(run_check(check, &Memory::new(shards))).finish();
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

mod with_one_shard {
    fn pass(check: &str) {
        super::pass(check, 1);
    }

    inval_core::conformance_tests!(pass);
}

mod with_four_shards {
    fn pass(check: &str) {
        super::pass(check, 4);
    }

    inval_core::conformance_tests!(pass);
}
