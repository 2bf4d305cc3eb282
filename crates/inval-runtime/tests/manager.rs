//! The manager in simulated time: what it starts when, what it isolates, what it tells, how it ends.
#![cfg(test)]

#[path = "support/refusing.rs"]
mod refusing;

#[path = "support/fake.rs"]
mod fake;

#[path = "managing/control.rs"]
mod control;
#[path = "managing/failures.rs"]
mod failures;
#[path = "managing/listening.rs"]
mod listening;
#[path = "managing/turns.rs"]
mod turns;
#[path = "managing/ending.rs"]
mod ending;
#[path = "managing/analyses.rs"]
mod analyses;

use std::sync::Arc;
use std::time::Duration;

use inval_runtime::{Builder, Manager};

use fake::Fake;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A manager of `stores`, called a, b, and so on.
async fn managing(builder: Builder<Fake>, stores: &[&Arc<Fake>]) -> Manager<Fake> {
    let manager = builder.start().unwrap();
    for (name, store) in ('a'..='z').zip(stores) {
        manager.add(name.to_string().parse().unwrap(), Arc::clone(store)).await.unwrap();
    }
    manager
}

fn builder() -> Builder<Fake> {
    Manager::builder()
}

/// Lets simulated time pass, with whatever is due in it.
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
