//! Much at once, and much for long.

use std::time::Duration;

use anyhow::{Result, ensure};
use inval_core::{PutOptions, Store};

use crate::daemon::Times;
use crate::load::{CROWD, bytes_of, key_of};
use crate::stage::Stage;

/// How many namespaces there are besides.
pub(super) const NAMESPACES: u32 = 10_000;
/// Each costs a script for every pause, though nothing happens in it, and three for every lease, all of them of one manager
/// while the other is away.
pub(super) const TIMES: Times = Times {
    lease: Duration::from_secs(30),
    idle: Duration::from_secs(5),
    scrub: Duration::from_secs(1),
};
/// How many entries of each are written, above its limit.
const ENTRIES_EACH: u32 = 14;
/// How many of the namespaces are written to.
const SAMPLED: u32 = 100;

const BATCH: u32 = 1000;
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn million_expire(stage: &mut Stage) -> Result<()> {
    let count = if stage.is_short { 20_000 } else { 1_000_000 };
    let cache = stage.attach(CROWD)?;
    let handle = stage.handle.clone();
    // They all go at this moment; whoever writes until then had better be done.
    let moment =
        stage.now() + Duration::from_millis(u64::from(count) / 10) + Duration::from_secs(1);
    for first in (0..count).step_by(BATCH as usize) {
        let keys = first..(first + BATCH).min(count);
        let value = |key| (key_of(key), bytes_of(stage.shared.chronicle.new_value(), key));
        let entries: Vec<_> = keys.map(value).collect();
        let ttl = moment.saturating_sub(stage.now()).max(Duration::from_millis(1));
        // A server that is busy with others may keep it waiting: what may not have been written is written again.
        let mut written = handle.block_on(cache.put_many(&entries, Some(ttl)));
        while written.as_ref().is_err_and(inval_redis::Error::is_outcome_unknown) && stage.is_on() {
            written = handle.block_on(cache.put_many(&entries, Some(ttl)));
        }
        stage.done.calls += 1;
    }
    let written = stage.now();
    let booked = handle.block_on(cache.usage())?.entries;
    stage.until("their time has come", PATIENCE, |stage| stage.now() > moment)?;
    stage.done.faults += u64::from(count);
    let late = written > moment;
    stage.until("they are off the books", PATIENCE, |_| {
        let usage = handle.block_on(cache.usage());
        usage.is_ok_and(|usage| usage.entries == 0)
    })?;
    let took = stage.now().saturating_sub(moment.max(written));
    let late = if late { ", the last were written later" } else { "" };
    stage.done.remarks.push(format!(
        "of {count} entries, {booked} on the books then, all were off them {:.1} s after their time{late}",
        took.as_secs_f64()
    ));
    Ok(())
}

pub(super) fn many_namespaces(stage: &mut Stage) -> Result<()> {
    let most = if stage.is_short { super::SHORT_NAMESPACES } else { NAMESPACES };
    let sampled = SAMPLED.min(most);
    let handle = stage.handle.clone();
    let mut caches = Vec::new();
    for number in (0..most).step_by((most / sampled) as usize) {
        caches.push(stage.attach(&format!("many{number}"))?);
    }
    while stage.is_on() {
        for cache in &caches {
            for key in 0..ENTRIES_EACH {
                let value = bytes_of(stage.shared.chronicle.new_value(), key);
                let _may_fail =
                    handle.block_on(cache.put(&key_of(key), value, PutOptions::default()));
                stage.done.calls += 1;
            }
        }
        let one = stage.rng.usize(0..stage.daemons.len());
        stage.daemons[one].kill()?;
        stage.count();
        stage.go_on(100, 1000);
        stage.daemons[one].revive(&stage.recipe)?;
        stage.go_on(100, 1000);
    }
    stage.heal()?;
    let healed = stage.now();
    stage.until("each namespace is within its limit", 3 * PATIENCE, |_| {
        caches
            .iter()
            .all(|cache| handle.block_on(cache.usage()).is_ok_and(|usage| usage.entries == 10))
    })?;
    let took = stage.now().saturating_sub(healed);
    stage.done.remarks.push(format!(
        "{most} namespaces were within their limits {:.1} s after the last kill",
        took.as_secs_f64()
    ));
    Ok(())
}

/// Memory that grows slowly shows only after a while.
pub(super) const SOAK: Duration = Duration::from_secs(180);

/// How much memory may grow, as a share and in bytes, between the second quarter of a run and its last.
const GROWTH: (f64, u64) = (0.1, 8 << 20);

pub(super) fn soak(stage: &mut Stage) -> Result<()> {
    let began = stage.now();
    let mut samples: Vec<Vec<u64>> = Vec::new();
    while stage.is_on() {
        stage.go_on(500, 500);
        let daemons = stage.daemons.iter().filter_map(|daemon| daemon.resident());
        let servers = stage.site.masters().into_iter().filter_map(|server| {
            server.info("memory").ok()?.get("used_memory")?.parse::<u64>().ok()
        });
        samples.push(daemons.chain(servers).collect());
    }
    ensure!(samples.len() >= 4, "too short to see whether memory grows");
    let quarter = samples.len() / 4;
    let peak = |samples: &[Vec<u64>], place: usize| {
        samples.iter().filter_map(|sample| sample.get(place)).copied().max().unwrap_or_default()
    };
    let mut grown = 0;
    for place in 0..samples[0].len() {
        let early = peak(&samples[quarter..2 * quarter], place);
        let late = peak(&samples[3 * quarter..], place);
        let most = early + GROWTH.1.max((early as f64 * GROWTH.0) as u64);
        grown = grown.max(late.saturating_sub(early));
        if late > most {
            stage.done.violations.push(format!("memory grew from {early} to {late} bytes"));
        }
    }
    let minutes = (stage.now() - began).as_secs_f64() / 60.0;
    stage
        .done
        .remarks
        .push(format!("in {minutes:.1} min memory grew by {grown} bytes at the most"));
    Ok(())
}
