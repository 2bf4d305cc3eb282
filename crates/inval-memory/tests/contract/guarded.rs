//! The embedded store behind a guard that allows everything is the embedded store.

use std::sync::Arc;
use std::time::Duration;

use inval_core::access::{Guard, Principal, Role};
use inval_core::testing::{Harness, run_check};
use inval_memory::Config;

use super::harness::{ByteCache, Memory};
use crate::support::tasks::Task;

struct Guarded(Memory);

impl Harness for Guarded {
    type Store = Guard<ByteCache>;

    const MOMENT: Duration = Memory::MOMENT;
    const ACCESS_GRAIN: Duration = Memory::ACCESS_GRAIN;
    const TTL_BESIDES_IDLE: bool = Memory::TTL_BESIDES_IDLE;
    const SOLE_UPKEEP: bool = Memory::SOLE_UPKEEP;

    fn partitions(&self) -> u32 {
        self.0.partitions()
    }

    async fn open(&self, config: Config, partitions: u32) -> Self::Store {
        let store = self.0.open(config, partitions).await;
        let role = Role::new("everything".parse().unwrap(), ["allow all *".parse().unwrap()]);
        let principal = Principal::new("suite".parse().unwrap(), [role.into()]);
        Guard::new(Arc::new(store), "suite".parse().unwrap(), principal.into()).unwrap()
    }

    async fn pass(&self, by: Duration) {
        self.0.pass(by).await;
    }
}

#[track_caller]
fn pass(check: &str) {
    let outcome = Task::new(run_check(check, &Guarded(Memory::new(2)))).finish();
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

inval_core::conformance_tests!(pass);
