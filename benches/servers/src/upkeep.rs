//! What a manager gets done when a million entries come at once: rebuild, eviction, expiry.

use std::alloc::GlobalAlloc;
use std::time::{Duration, Instant};

use anyhow::Result;
use inval_core::{Budget, Config, Strategy};
use inval_redis::CacheOptions;
use stats_alloc::{Region, StatsAlloc};

use crate::bed::{Bed, Manager, TTL};
use crate::report::Row;

/// Bytes of a key, which the manager must keep whatever else it keeps.
const KEY: f64 = 16.0;

pub(crate) async fn measure<A: GlobalAlloc + 'static>(
    entries: usize,
    heap: &'static StatsAlloc<A>,
) -> Result<Vec<Row>> {
    let bed = Bed::new().await?;
    let mut rows = rebuild(&bed, entries, heap).await?;
    rows.extend(evict(&bed, entries).await?);
    rows.extend(expire(&bed, entries).await?);
    Ok(rows)
}

/// A manager comes to a server that is full of entries.
async fn rebuild<A: GlobalAlloc>(
    bed: &Bed,
    entries: usize,
    heap: &'static StatsAlloc<A>,
) -> Result<Vec<Row>> {
    bed.flush()?;
    bed.fill("rebuild", entries, || TTL).await?;
    let config =
        Config::builder().strategy(Strategy::Lru).max_entries(2 * entries as u64).build()?;
    let region = Region::new(heap);
    let cache = bed.cache("rebuild", config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    let took = manager.settle(entries as u64).await?;
    let change = region.change();
    let heap = (change.bytes_allocated as f64 - change.bytes_deallocated as f64) / entries as f64;
    manager.stop().await?;
    Ok(vec![
        Row::new(
            &format!("rebuild of {entries} entries"),
            format!("{:.1} s", took.as_secs_f64()),
            "≤ 10 s",
            "≤ 4 s",
        ),
        Row::new(
            "server hold by a page of the scan",
            holds(bed, "scan", Duration::ZERO)?,
            "p99.9 ≤ 1 ms",
            "≤ 500 µs",
        ),
        Row::new(
            "manager memory per entry beside the key, with a deadline",
            format!("{:.1} B", heap - KEY),
            "≤ 96 B",
            "≤ 64 B",
        ),
    ])
}

/// All but a thousandth of the entries are above the limit.
async fn evict(bed: &Bed, entries: usize) -> Result<Vec<Row>> {
    bed.flush()?;
    bed.fill("evict", entries, || TTL).await?;
    let left = (entries / 1000) as u64;
    let config = Config::builder().strategy(Strategy::Lru).max_entries(left).build()?;
    let cache = bed.cache("evict", config, CacheOptions::default()).await?;
    let mut slice = cache_maintain(&cache).await?;
    while slice.evicted == 0 {
        slice = cache_maintain(&cache).await?;
    }
    let (began, first) = (Instant::now(), slice.evicted);
    let manager = Manager::start(&cache);
    manager.settle(left).await?;
    let took = began.elapsed().as_secs_f64();
    let done = manager.stop().await?;
    let rate = (entries as u64 - left - first) as f64 / took;
    Ok(vec![
        Row::new("eviction rate", format!("{:.0} k/s", rate / 1e3), "≥ 100 k/s", "≥ 250 k/s"),
        Row::new(
            "server hold by a script while they are evicted",
            holds(bed, "evalsha", done.longest)?,
            "p99.9 ≤ 1 ms",
            "≤ 500 µs",
        ),
    ])
}

/// All entries expire at the same moment.
async fn expire(bed: &Bed, entries: usize) -> Result<Vec<Row>> {
    bed.flush()?;
    let lead = Duration::from_secs(10 + entries as u64 / 50_000);
    let at = Instant::now() + lead;
    bed.fill("expire", entries, || at.saturating_duration_since(Instant::now())).await?;
    let config =
        Config::builder().strategy(Strategy::Lru).max_entries(2 * entries as u64).build()?;
    let cache = bed.cache("expire", config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    manager.settle(entries as u64).await?;
    anyhow::ensure!(Instant::now() < at, "the entries expired before they were on the books");
    tokio::time::sleep_until(at.into()).await;
    manager.settle(0).await?;
    let took = at.elapsed().as_secs_f64();
    let done = manager.stop().await?;
    Ok(vec![
        Row::new(
            &format!("{entries} expired entries off the books after"),
            format!("{took:.2} s"),
            "≤ 5 s",
            "≤ 1 s",
        ),
        Row::new(
            "server hold by a script while they expire",
            holds(bed, "evalsha", done.longest)?,
            "p99.9 ≤ 1 ms",
            "≤ 500 µs",
        ),
        Row::new(
            "server hold by a count while they expire",
            holds(bed, "exists", Duration::ZERO)?,
            "p99.9 ≤ 1 ms",
            "≤ 500 µs",
        ),
    ])
}

async fn cache_maintain(cache: &inval_redis::Cache) -> Result<inval_core::Slice> {
    use inval_core::Store;
    Ok(Store::maintain(cache, 0, Budget::within(Duration::from_millis(1))).await?)
}

fn holds(bed: &Bed, command: &str, longest: Duration) -> Result<String> {
    let percentiles = bed.latency(command)?.replace(',', " ");
    let longest =
        if longest.is_zero() { String::new() } else { format!(" longest={}", longest.as_micros()) };
    Ok(format!("{percentiles}{longest} µs"))
}
