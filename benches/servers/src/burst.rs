//! A million entries expire at once while clients read and write: how late upkeep is, and what clients notice.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use hdrhistogram::Histogram;
use inval_core::{Config, Key, PutOptions, Store};
use inval_redis::CacheOptions;
use inval_runtime::Manager;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::bed::Bed;
use crate::report::Row;

/// Clients at work at the same time.
const CLIENTS: u32 = 16;
/// Keys that clients read and write; they do not expire.
const KEYS: u32 = 10_000;
/// How long clients work while nothing expires.
const QUIET: Duration = Duration::from_secs(5);
/// How long it may take to work the burst off before the measurement gives up.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) async fn in_memory(entries: usize, rate: u32) -> Result<Vec<Row>> {
    let cache = Arc::new(inval_memory::Cache::of_bytes(roomy(entries)?).build());
    let at = Instant::now() + lead(entries, 1_000_000);
    let value = Bytes::from(vec![b'v'; 100]);
    for number in 0..entries {
        let ttl = Some(at.saturating_duration_since(Instant::now()));
        let options = inval_memory::InsertOptions { ttl, weight: None };
        cache.insert_with(key(number as u32 + KEYS)?, value.clone(), options)?;
    }
    let burst = Burst { store: cache, at, rate, entries };
    burst.measure("embedded", None).await
}

pub(crate) async fn on_redis(entries: usize, rate: u32) -> Result<Vec<Row>> {
    let bed = Bed::new().await?;
    let unmanaged = {
        let store = Arc::new(bed.cache("alone", roomy(entries)?, CacheOptions::default()).await?);
        let at = fill(&bed, "alone", entries).await?;
        let burst = Burst { store, at, rate, entries };
        let clients = Clients::start(&burst);
        tokio::time::sleep_until(at.into()).await;
        let _quiet = clients.take();
        // Redis deletes what has expired in the background, little by little.
        while bed.keys()? > i64::from(KEYS) + 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (took, during) = (at.elapsed(), clients.take());
        clients.stop().await?;
        (took, during)
    };
    bed.flush()?;
    let store = Arc::new(bed.cache("burst", roomy(entries)?, CacheOptions::default()).await?);
    let at = fill(&bed, "burst", entries).await?;
    let burst = Burst { store, at, rate, entries };
    burst.measure("Redis", Some(unmanaged)).await
}

/// Fills a namespace behind its manager's back; all of it expires at the time returned.
async fn fill(bed: &Bed, name: &str, entries: usize) -> Result<Instant> {
    let at = Instant::now() + lead(entries, 40_000);
    bed.fill(name, entries, || at.saturating_duration_since(Instant::now())).await?;
    Ok(at)
}

/// When entries are to expire: late enough to write them, and to book them, and for a quiet time.
fn lead(entries: usize, per_second: usize) -> Duration {
    2 * QUIET + Duration::from_secs(5 + (entries / per_second) as u64)
}

fn roomy(entries: usize) -> Result<Config> {
    Ok(Config::builder().max_entries(2 * (entries as u64 + u64::from(KEYS))).build()?)
}

fn key(number: u32) -> Result<Key> {
    Ok(Key::new(format!("key:{number:012}").as_bytes())?)
}

/// What is measured: a store in which `entries` expire `at` a time.
struct Burst<S> {
    store: Arc<S>,
    at: Instant,
    rate: u32,
    entries: usize,
}

impl<S: Store + 'static> Burst<S> {
    async fn measure(
        &self,
        what: &str,
        unmanaged: Option<(Duration, Histogram<u64>)>,
    ) -> Result<Vec<Row>> {
        let manager = Manager::builder().start()?;
        manager.add("burst".parse()?, Arc::clone(&self.store)).await?;
        self.until_booked(|booked| booked >= self.entries as u64).await?;
        anyhow::ensure!(Instant::now() + QUIET < self.at, "the entries expire too soon to measure");
        let clients = Clients::start(self);
        tokio::time::sleep_until((self.at - Duration::from_millis(100)).into()).await;
        let quiet = clients.take();
        let before = totals(&manager).await?;
        tokio::time::sleep_until(self.at.into()).await;
        self.until_booked(|booked| booked <= u64::from(KEYS)).await?;
        let took = self.at.elapsed();
        let during = clients.take();
        let after = totals(&manager).await?;
        clients.stop().await?;
        manager.shutdown(Duration::from_secs(5)).await;

        let duty = (after.held - before.held).as_secs_f64() / took.as_secs_f64();
        let p99 = |latencies: &Histogram<u64>| latencies.value_at_quantile(0.99) as f64 / 1e3;
        let mut rows = vec![
            Row::new(
                &format!(
                    "{what}: {} entries expire at once, the latest is off the books after",
                    self.entries
                ),
                format!("{:.2} s", took.as_secs_f64()),
                "",
                "",
            ),
            Row::new(
                &format!("{what}: worst lag, as the manager tells it"),
                format!("{:.2} s", after.worst_lag.as_secs_f64()),
                "≤ 1 s (max_lag)",
                "",
            ),
            Row::new(
                &format!(
                    "{what}: client p99 while they go ÷ in quiet, {}/s reads and writes",
                    self.rate
                ),
                format!(
                    "{:.2}× ({:.0} µs; {:.0} µs)",
                    p99(&during) / p99(&quiet),
                    p99(&during),
                    p99(&quiet)
                ),
                "≤ 1.5×",
                "",
            ),
        ];
        if let Some((took, unmanaged)) = unmanaged {
            let ratio = p99(&during) / p99(&unmanaged);
            let (p99, took) = (p99(&unmanaged), took.as_secs_f64());
            rows.push(Row::new(
                &format!("{what}: the same ÷ while the server deletes them by itself"),
                format!("{ratio:.2}× ({p99:.0} µs, for {took:.2} s)"),
                "≤ 1.5×",
                "",
            ));
        }
        rows.push(Row::new(
            &format!("{what}: share of the server's time for upkeep meanwhile"),
            format!("{:.1} %", duty * 100.0),
            "≤ 60 % (urgent_duty_cycle)",
            "",
        ));
        Ok(rows)
    }

    async fn until_booked(&self, is_so: impl Fn(u64) -> bool) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self.store.usage().await?.entries) {
            anyhow::ensure!(Instant::now() < deadline, "the books are still not as awaited");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }
}

async fn totals<S: Store + 'static>(manager: &Manager<S>) -> Result<inval_runtime::Totals> {
    Ok(manager.health().await.first().context("the namespace is gone")?.totals())
}

/// Clients that read, and write every tenth time, at a steady rate.
struct Clients {
    tasks: Vec<JoinHandle<Result<()>>>,
    shared: Arc<Shared>,
}

struct Shared {
    latencies: std::sync::Mutex<Histogram<u64>>,
    is_over: AtomicBool,
}

impl Clients {
    fn start<S: Store + 'static>(burst: &Burst<S>) -> Self {
        let latencies = std::sync::Mutex::new(histogram());
        let shared = Arc::new(Shared { latencies, is_over: AtomicBool::new(false) });
        let period = Duration::from_secs(1) * CLIENTS / burst.rate;
        let client = |number| {
            tokio::spawn(work(Arc::clone(&burst.store), Arc::clone(&shared), period, number))
        };
        Self { tasks: (0..CLIENTS).map(client).collect(), shared }
    }

    /// The latencies in nanoseconds since this was last called.
    fn take(&self) -> Histogram<u64> {
        std::mem::replace(&mut self.shared.lock(), histogram())
    }

    async fn stop(self) -> Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Histogram<u64>> {
        self.latencies.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn work<S: Store>(
    store: Arc<S>,
    shared: Arc<Shared>,
    period: Duration,
    number: u32,
) -> Result<()> {
    let mut ticks = interval(period);
    // What was missed is made up for, as clients do who do not know of each other.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let value = Bytes::from(vec![b'v'; 100]);
    let mut turn = number;
    while !shared.is_over.load(Ordering::Relaxed) {
        ticks.tick().await;
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let key = key((turn >> 8) % KEYS)?;
        let began = Instant::now();
        if turn >> 28 == 0 {
            let _put = store.put(&key, value.clone(), PutOptions::default()).await?;
        } else {
            store.get(&key).await?;
        }
        let took = began.elapsed().as_nanos() as u64;
        shared.lock().saturating_record(took);
    }
    Ok(())
}

#[expect(clippy::expect_used, reason = "the bounds are constants")]
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("bounds that fit")
}
