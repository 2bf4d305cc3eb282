//! The clients of the tight namespace: one reads the same keys all the while, one writes new ones.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use inval_core::{PutOptions, Store};

use super::{Caller, FIRST_COLD, HOT_KEYS, TIGHT_ENTRIES, key_of};
use crate::history::{Event, Seen};

/// How often each hot key is read. Whole seconds are all that a server's idle clock tells.
const HOT_INTERVAL: Duration = Duration::from_millis(200);
/// How often a new key is written.
const COLD_INTERVAL: Duration = Duration::from_millis(5);
/// How many entries are written at once to fill the namespace.
const FILL_BATCH: u32 = 200;
/// How long an entry is idle, at the least, before the load begins: longer than what counts as hot.
const COOLING: Duration = Duration::from_millis(1500);

/// How long the first entry may take until it is on the books.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(5);

/// Writes entries until the namespace is full and all of them are cold.
pub(super) async fn fill(mut caller: Caller) -> Result<Caller> {
    let last = FIRST_COLD + TIGHT_ENTRIES as u32;
    // Where nothing happened for long, the journal is read rarely, and nobody knows when the first records were written.
    caller.put(FIRST_COLD, PutOptions::default()).await;
    let deadline = Instant::now() + PATIENCE;
    while caller.cache.usage().await?.entries == 0 {
        ensure!(Instant::now() < deadline, "the first entry did not get onto the books");
        tokio::time::sleep(POLL).await;
    }
    for first in (FIRST_COLD + 1..last).step_by(FILL_BATCH as usize) {
        caller.put_many(first..(first + FILL_BATCH).min(last)).await;
    }
    ensure!(caller.cache.get(&key_of(last - 1)).await?.is_some(), "nothing could be written");
    tokio::time::sleep(COOLING).await;
    Ok(caller)
}

/// Reads each hot key in turn until the load ends, and writes those that are missing.
pub(super) async fn read_hot(mut caller: Caller) -> Vec<Event> {
    let mut timer = tokio::time::interval(HOT_INTERVAL / HOT_KEYS);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for key in (0..HOT_KEYS).cycle() {
        if caller.is_over() {
            break;
        }
        timer.tick().await;
        if caller.get(key).await == Some(Seen::Nothing) {
            caller.put(key, PutOptions::default()).await;
        }
    }
    caller.events
}

/// Writes new keys until the load ends, and reads one that it has written some time ago.
pub(super) async fn write_cold(mut caller: Caller) -> Vec<Event> {
    let mut timer = tokio::time::interval(COLD_INTERVAL);
    timer.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for key in FIRST_COLD + TIGHT_ENTRIES as u32.. {
        if caller.is_over() {
            break;
        }
        timer.tick().await;
        caller.put(key, PutOptions::default()).await;
        let older = caller.rng.u32(FIRST_COLD..=key);
        caller.get(older).await;
    }
    caller.events
}
