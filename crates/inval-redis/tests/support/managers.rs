//! Managers that work in the background until they are stopped or killed.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use inval_core::{Budget, Slice, Store};
use inval_redis::{Cache, Error};
use tokio::task::JoinHandle;

const BUDGET: Budget = Budget::within(Duration::from_millis(10));
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A manager of all partitions. Dropping it is like killing its process: it goes where it stands, and
/// its lease stays until it expires.
pub(crate) struct Manager {
    cache: Cache,
    tasks: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    is_stopping: AtomicBool,
    errors: Mutex<HashSet<String>>,
    done: Mutex<Slice>,
}

/// Has `cache` managed in the background.
pub(crate) fn manage(cache: &Cache) -> Manager {
    let shared = Arc::new(Shared::default());
    let work = |partition| {
        let (cache, shared) = (cache.clone(), Arc::clone(&shared));
        tokio::spawn(async move { shared.work(&cache, partition).await })
    };
    let tasks = (0..Store::partitions(cache)).map(work).collect();
    Manager { cache: cache.clone(), tasks, shared }
}

impl Manager {
    /// Stops it in an orderly way: the leases are free when this returns.
    pub(crate) async fn stop(mut self) {
        self.shared.is_stopping.store(true, Ordering::Relaxed);
        for task in mem::take(&mut self.tasks) {
            task.await.unwrap();
        }
        self.cache.release().await.unwrap();
    }

    /// The errors it met, each once.
    pub(crate) fn errors(&self) -> Vec<String> {
        self.shared.errors.lock().unwrap().iter().cloned().collect()
    }

    /// What it did so far, in sums; times are the longest.
    pub(crate) fn done(&self) -> Slice {
        *self.shared.done.lock().unwrap()
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        for task in &self.tasks {
            let has_panicked = task.is_finished() && !std::thread::panicking();
            assert!(!has_panicked, "a manager ended by itself");
            task.abort();
        }
    }
}

impl Shared {
    async fn work(&self, cache: &Cache, partition: u32) {
        while !self.is_stopping.load(Ordering::Relaxed) {
            let pause = match cache.maintain(partition, BUDGET).await {
                Ok(slice) => {
                    add(&mut self.done.lock().unwrap(), &slice);
                    slice.next.min(LONGEST_PAUSE)
                }
                Err(error) => {
                    self.note(error);
                    LONGEST_PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    fn note(&self, error: Error) {
        self.errors.lock().unwrap().insert(format!("{error:?}"));
    }
}

fn add(sum: &mut Slice, slice: &Slice) {
    sum.records += slice.records;
    sum.evicted += slice.evicted;
    sum.expired += slice.expired;
    sum.spared += slice.spared;
    sum.held += slice.held;
    sum.longest = sum.longest.max(slice.longest);
}

/// Does upkeep of the first partition until there is nothing to do for now.
pub(crate) async fn maintain(cache: &Cache) -> Slice {
    let mut sum = Slice::default();
    loop {
        let slice = cache.maintain(0, BUDGET).await.unwrap();
        add(&mut sum, &slice);
        if slice.next > Duration::ZERO {
            return sum;
        }
    }
}
