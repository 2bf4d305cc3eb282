//! Hits of a cache that nobody watches, beside those of one that is published, or counted by the facade itself.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use inval_memory::{Cache, Config};
use inval_metrics::{NamespaceReading, Publisher, Readings, render};
use inval_replay::Workload;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::cpu;
use crate::report::{Row, median};

const KEYS: u64 = 100_000;
/// How often each request is made in one run, so that readings are published several times meanwhile.
const PASSES: usize = 3;
const EVERY: Duration = Duration::from_millis(100);

/// How the cache is read in one run, and what happens meanwhile; returns the nanoseconds of CPU of each read.
type Way = (&'static str, fn(&Bench) -> f64);

const WAYS: [Way; 5] = [
    ("unwatched", |bench| bench.read(Bench::get)),
    ("published every 100 ms", |bench| bench.beside(|bench| bench.publish())),
    ("rendered as text every 100 ms", |bench| bench.beside(|bench| bench.render())),
    ("with a held counter of the facade, incremented by each", |bench| {
        let counter = metrics::counter!("naive_hits_total", "namespace" => "n");
        bench.read(|bench, key| {
            counter.increment(1);
            bench.get(key)
        })
    }),
    ("with the facade's macro, called by each", |bench| {
        bench.read(|bench, key| {
            metrics::counter!("naive_hits_total", "namespace" => "n").increment(1);
            bench.get(key)
        })
    }),
];

/// A cache with everything in it that is asked for.
struct Bench {
    cache: Cache<u64, u64>,
    config: Config,
    /// What each thread asks for.
    requests: Vec<Vec<u64>>,
    recorder: PrometheusHandle,
}

/// All ways in turn, round by round, each by `threads` threads.
pub(crate) fn measure(
    rounds: usize,
    threads: usize,
    recorder: &PrometheusHandle,
) -> Result<Vec<Row>> {
    let bench = Bench::new(threads, recorder.clone())?;
    let mut costs = vec![Vec::new(); WAYS.len()];
    for round in 0..=rounds {
        for (costs, (_, run)) in costs.iter_mut().zip(WAYS) {
            let cost = run(&bench);
            if round > 0 {
                costs.push(cost);
            }
        }
    }
    let rows = WAYS.iter().zip(&costs).map(|((name, _), mine)| {
        let ratio = median(mine.iter().zip(&costs[0]).map(|(mine, first)| mine / first).collect());
        let ns = median(mine.clone());
        let plural = if threads == 1 { "" } else { "s" };
        Row {
            measure: format!("a hit by {threads} thread{plural}, {name}"),
            measured: format!("{ratio:.3}× ({ns:.1} ns)"),
        }
    });
    Ok(rows.collect())
}

impl Bench {
    fn new(threads: usize, recorder: PrometheusHandle) -> Result<Self> {
        let config = Config::builder().max_entries(KEYS + KEYS / 4).build()?;
        let cache = Cache::new(config);
        (0..KEYS).for_each(|key| cache.insert(key, key));
        let zipf: Workload =
            format!("zipf:keys={KEYS},skew=1.0,requests=4000000,seed=1").parse()?;
        let keys: Vec<u64> = zipf.requests().map(|request| request.key).collect();
        let part = |first| keys.iter().copied().skip(first).step_by(threads).collect();
        Ok(Self { cache, config, requests: (0..threads).map(part).collect(), recorder })
    }

    #[inline]
    fn get(&self, key: u64) -> Option<u64> {
        self.cache.get(&key)
    }

    /// Nanoseconds of CPU that a read takes the threads that read.
    fn read(&self, get: impl Fn(&Self, u64) -> Option<u64> + Sync) -> f64 {
        let pass = |keys: &[u64]| {
            keys.iter().for_each(|&key| {
                black_box(get(self, key));
            });
        };
        let part = |keys: &[u64]| {
            let begun = cpu::spent();
            (0..PASSES).for_each(|_| pass(keys));
            cpu::spent().saturating_sub(begun)
        };
        let spent: Duration = thread::scope(|scope| {
            let threads: Vec<_> =
                self.requests.iter().map(|keys| scope.spawn(move || part(keys))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
        });
        let count = PASSES * self.requests.iter().map(Vec::len).sum::<usize>();
        spent.as_secs_f64() * 1e9 / count as f64
    }

    /// The same while another thread publishes by `publish`.
    fn beside(&self, publish: fn(&Self) -> Box<dyn FnMut() + '_>) -> f64 {
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let publisher = scope.spawn(|| {
                let mut publish = publish(self);
                while !is_over.load(Ordering::Relaxed) {
                    publish();
                    thread::park_timeout(EVERY);
                }
            });
            let cost = self.read(Self::get);
            is_over.store(true, Ordering::Relaxed);
            publisher.thread().unpark();
            cost
        })
    }

    fn publish(&self) -> Box<dyn FnMut() + '_> {
        let mut publisher = Publisher::new();
        Box::new(move || {
            publisher.publish(&self.readings());
            self.recorder.run_upkeep();
        })
    }

    fn render(&self) -> Box<dyn FnMut() + '_> {
        Box::new(|| drop(black_box(render(&self.readings()))))
    }

    fn readings(&self) -> Readings {
        let reading = "hits".parse().ok().map(|namespace| NamespaceReading {
            namespace,
            store: "memory",
            config: self.config,
            stats: Some(Arc::new(self.cache.stats())),
            upkeep: None,
        });
        Readings { namespaces: reading.into_iter().collect(), ..Readings::default() }
    }
}
