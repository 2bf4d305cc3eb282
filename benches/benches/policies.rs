//! What a hit, a miss and a replayed key cost under each strategy, and a timer on the wheel.

use std::error::Error;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BatchSize, BenchmarkGroup, Criterion, SamplingMode, Throughput};
use inval_core::{
    Arrival, Config, ConfigError, Ledger, Removed, Strategy, Timestamp, Weight, Wheel,
};
use inval_replay::{Workload, WorkloadError};

/// What a ledger and a wheel hold, and how many elements one iteration takes.
const ENTRIES: u64 = 100_000;
/// Any of the entries with the same probability.
const UNIFORM: &str = "zipf:keys=100000,skew=0,requests=100000";
/// Ten keys for each entry.
const ZIPF: &str = "zipf:keys=1000000,skew=1.0,requests=1000000";
/// A millisecond of one hour for each timer.
const HOUR: &str = "zipf:keys=3600000,skew=0,requests=100000";
const HOUR_MS: u64 = 3_600_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    hit(&mut criterion)?;
    miss(&mut criterion)?;
    zipf(&mut criterion)?;
    wheel(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn hit(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let keys = drawn(UNIFORM)?;
    let mut group = group(criterion, "hit");
    for strategy in Strategy::ALL {
        let mut books = Books::full(strategy)?;
        group.bench_function(strategy.name(), |bencher| {
            bencher.iter(|| keys.iter().filter(|key| books.read(**key)).count());
        });
        assert_eq!(books.ledger.stats().misses, 0, "{strategy}");
    }
    Ok(())
}

fn miss(criterion: &mut Criterion) -> Result<(), ConfigError> {
    let mut group = group(criterion, "miss");
    for strategy in Strategy::ALL {
        let mut books = Books::full(strategy)?;
        let mut fresh = (ENTRIES..).map(Hashed::from);
        group.bench_function(strategy.name(), |bencher| {
            bencher.iter(|| {
                let keys = fresh.by_ref().take(ENTRIES as usize);
                keys.filter(|key| books.read_or_insert(*key)).count()
            });
        });
        assert_eq!(books.ledger.stats().hits, 0, "{strategy}");
    }
    Ok(())
}

fn zipf(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let keys = drawn(ZIPF)?;
    let mut group = group(criterion, "zipf");
    for strategy in Strategy::ALL {
        let mut books = Books::full(strategy)?;
        for key in &keys {
            books.read_or_insert(*key);
        }
        let mut parts = keys.chunks_exact(ENTRIES as usize).cycle();
        group.bench_function(strategy.name(), |bencher| {
            bencher.iter(|| {
                let part = parts.next().into_iter().flatten();
                part.filter(|key| books.read_or_insert(**key)).count()
            });
        });
    }
    Ok(())
}

fn wheel(criterion: &mut Criterion) -> Result<(), WorkloadError> {
    let due: Vec<u64> = drawn(HOUR)?.iter().map(|hashed| hashed.key).collect();
    let mut full = Wheel::new();
    (0..).zip(&due).for_each(|(id, due)| full.schedule(id, *due));

    let mut group = group(criterion, "wheel");
    let ids = drawn(UNIFORM)?;
    let mut moving = full.clone();
    let mut shift_ms = 0;
    group.bench_function("move", |bencher| {
        bencher.iter(|| {
            shift_ms += HOUR_MS / 7;
            for (Hashed { key: id, .. }, due) in ids.iter().zip(&due) {
                moving.cancel(*id as u32);
                moving.schedule(*id as u32, (due + shift_ms) % HOUR_MS);
            }
        });
    });
    group.bench_function("expire", |bencher| {
        bencher.iter_batched(|| full.clone(), expire_by_the_second, BatchSize::PerIteration);
    });
    Ok(())
}

/// Benchmarks whose iterations take [`ENTRIES`] elements each, and so are long enough to be timed in
/// equal numbers.
fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(ENTRIES)).sampling_mode(SamplingMode::Flat);
    group
}

/// Takes every timer off, as a keeper does that looks once a second. The wheel is handed back so that
/// its drop is not timed.
fn expire_by_the_second(mut wheel: Wheel) -> Wheel {
    for now in (0..=HOUR_MS).step_by(1000) {
        while let Some(id) = wheel.first_due(now) {
            wheel.cancel(id);
        }
    }
    assert!(wheel.is_empty());
    wheel
}

/// The keys that a workload asks for, hashed beforehand.
fn drawn(workload: &str) -> Result<Vec<Hashed>, WorkloadError> {
    let workload: Workload = workload.parse()?;
    Ok(workload.requests().map(|request| Hashed::from(request.key)).collect())
}

#[derive(Clone, Copy)]
struct Hashed {
    hash: u64,
    key: u64,
}

impl From<u64> for Hashed {
    /// By the finalizer of SplitMix64, which is cheap and mixes well.
    fn from(key: u64) -> Self {
        let mixed = (key ^ (key >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self { hash: mixed ^ (mixed >> 31), key }
    }
}

/// A ledger with the time it is told.
struct Books {
    ledger: Ledger<u64, u64>,
    now_ms: u64,
    removed: Vec<Removed<u64, u64>>,
}

impl Books {
    /// Books that hold keys 0 to [`ENTRIES`], their limit. Under [`Strategy::Ttl`] entries have a TTL,
    /// as that strategy needs one to order them by, but none ends within a benchmark.
    fn full(strategy: Strategy) -> Result<Self, ConfigError> {
        let mut config = Config::builder().strategy(strategy).max_entries(ENTRIES);
        if strategy == Strategy::Ttl {
            config = config.ttl(Duration::from_hours(10 * 365 * 24));
        }
        let ledger = Ledger::new(&config.build()?);
        let mut books = Self { ledger, now_ms: 0, removed: Vec::new() };
        (0..ENTRIES).for_each(|key| books.insert(Hashed::from(key)));
        Ok(books)
    }

    fn read(&mut self, Hashed { hash, key }: Hashed) -> bool {
        self.ledger.get(hash, &key, Timestamp::from_millis(self.now_ms)).is_some()
    }

    /// A millisecond passes, so that deadlines differ.
    fn insert(&mut self, Hashed { hash, key }: Hashed) {
        self.now_ms += 1;
        let now = Timestamp::from_millis(self.now_ms);
        let arrival = Arrival { hash, key, value: key, weight: Weight::new(1), ttl: None };
        self.removed.clear();
        let taken_in = self.ledger.insert(arrival, now, &mut self.removed);
        debug_assert!(taken_in.is_ok());
    }

    /// Whether it was a hit.
    fn read_or_insert(&mut self, hashed: Hashed) -> bool {
        let hit = self.read(hashed);
        if !hit {
            self.insert(hashed);
        }
        hit
    }
}
