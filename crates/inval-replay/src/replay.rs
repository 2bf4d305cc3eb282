//! Replays requests through several caches at once, in one pass and in constant memory.

use std::time::{Duration, Instant};

use foldhash::fast::FixedState;
use inval_memory::{Cache, Config, InsertOptions, ManualClock, Timestamp, Weight};

use crate::{Outcome, Request};

/// Requests handed to each cache in turn: enough to warm its memory, few enough to stay in the
/// processor's cache themselves.
const BATCH: usize = 4096;

/// Caches side by side, each fed the same requests.
///
/// A request reads its key; if it misses, the key is inserted with the request's size as its weight
/// (1 byte if the size is unknown). The caches' clock follows the times of the trace, never
/// backwards; a trace without times takes 1 ms a request. With one shard a replay is deterministic:
/// hashes and seeds are fixed.
pub struct Replay {
    trace: String,
    lanes: Vec<Lane>,
    timeline: Timeline,
    steps: Vec<Step>,
    requests: u64,
    requested_bytes: u64,
}

impl Replay {
    /// Caches that keep to `configs`, each of `shards` shards (0 counts as 1; see
    /// [`inval_memory::Builder::shards`]), for a trace called `trace`.
    pub fn new(trace: &str, configs: impl IntoIterator<Item = Config>, shards: usize) -> Self {
        Self {
            trace: trace.to_owned(),
            lanes: configs.into_iter().map(|config| Lane::new(config, shards)).collect(),
            timeline: Timeline::default(),
            steps: Vec::with_capacity(BATCH),
            requests: 0,
            requested_bytes: 0,
        }
    }

    /// Feeds all of `requests` to every cache, up to the first error.
    pub fn run<E>(
        &mut self,
        requests: impl IntoIterator<Item = Result<Request, E>>,
    ) -> Result<(), E> {
        for request in requests {
            self.push(request?);
        }
        Ok(())
    }

    /// Feeds one request. The caches see it with the next full batch, or at [`Self::finish`].
    pub fn push(&mut self, request: Request) {
        self.requests += 1;
        self.requested_bytes += u64::from(request.size.unwrap_or(0));
        self.steps.push(Step {
            now: self.timeline.at(request.time_ms),
            key: request.key,
            size: request.size,
        });
        if self.steps.len() == BATCH {
            self.flush();
        }
    }

    /// What came of it, in the order of the configurations.
    pub fn finish(mut self) -> Vec<Outcome> {
        self.flush();
        self.lanes.iter().map(|lane| self.outcome(lane)).collect()
    }

    fn flush(&mut self) {
        for lane in &mut self.lanes {
            lane.feed(&self.steps);
        }
        self.steps.clear();
    }

    fn outcome(&self, lane: &Lane) -> Outcome {
        // What has expired by now is not in the books yet if nobody asked for it since.
        lane.cache.maintain(lane.clock_now);
        let stats = lane.cache.stats();
        Outcome {
            trace: self.trace.clone(),
            strategy: lane.config.strategy(),
            requests: self.requests,
            hits: stats.hits,
            misses: stats.misses,
            miss_ratio: ratio(stats.misses, self.requests).unwrap_or(0.0),
            byte_miss_ratio: ratio(lane.missed_bytes, self.requested_bytes),
            max_entries: lane.config.max_entries(),
            max_bytes: lane.config.max_bytes(),
            evicted: stats.evicted.entries,
            expired: stats.expired.entries,
            elapsed_s: lane.elapsed.as_secs_f64(),
            on_server: None,
        }
    }
}

pub(crate) fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A request with its time settled.
struct Step {
    now: Timestamp,
    key: u64,
    size: Option<u32>,
}

/// One cache and what is measured of it beyond its own statistics.
struct Lane {
    config: Config,
    cache: Cache<u64, (), FixedState>,
    clock: ManualClock,
    clock_now: Timestamp,
    missed_bytes: u64,
    elapsed: Duration,
}

impl Lane {
    fn new(config: Config, shards: usize) -> Self {
        let clock = ManualClock::new();
        let cache = Cache::builder(config)
            .shards(shards)
            .hasher(FixedState::default())
            .clock(clock.clone())
            .build();
        Self {
            config,
            cache,
            clock,
            clock_now: Timestamp::default(),
            missed_bytes: 0,
            elapsed: Duration::ZERO,
        }
    }

    fn feed(&mut self, steps: &[Step]) {
        let start = Instant::now();
        for step in steps {
            self.clock.set(step.now);
            if self.cache.get(&step.key).is_none() {
                let weight = Some(Weight::new(step.size.unwrap_or(1)));
                let options = InsertOptions { weight, ..InsertOptions::default() };
                let _ = self.cache.insert_with(step.key, (), options);
                self.missed_bytes += u64::from(step.size.unwrap_or(0));
            }
        }
        if let Some(last) = steps.last() {
            self.clock_now = last.now;
        }
        self.elapsed += start.elapsed();
    }
}

/// The time of the caches, made from the times of a trace.
#[derive(Default)]
struct Timeline {
    now_ms: u64,
    /// The first time the trace told, and the caches' time then.
    origin: Option<(u64, u64)>,
}

impl Timeline {
    fn at(&mut self, time_ms: Option<u64>) -> Timestamp {
        match (time_ms, self.origin) {
            (None, None) => self.now_ms += 1,
            (None, Some(_)) => {}
            (Some(time_ms), None) => self.origin = Some((time_ms, self.now_ms)),
            (Some(time_ms), Some((first_ms, then_ms))) => {
                let passed_ms = time_ms.saturating_sub(first_ms);
                self.now_ms = self.now_ms.max(then_ms.saturating_add(passed_ms));
            }
        }
        Timestamp::from_millis(self.now_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use inval_memory::Strategy;

    fn request(time_ms: Option<u64>, key: u64, size: Option<u32>) -> Request {
        Request { time_ms, key, size }
    }

    #[test]
    fn time_follows_the_trace_and_never_runs_back() {
        let check = |times: &[Option<u64>], want: &[u64]| {
            let mut timeline = Timeline::default();
            let got: Vec<_> = times.iter().map(|t| timeline.at(*t).as_millis()).collect();
            assert_eq!(got, want, "{times:?}");
        };
        check(&[None, None, None], &[1, 2, 3]);
        check(
            &[Some(5000), Some(6000), Some(5500), Some(4000), Some(7000)],
            &[0, 1000, 1000, 1000, 2000],
        );
        check(&[None, Some(5000), None, Some(5001)], &[1, 1, 1, 2]);
        check(&[None, Some(0), Some(u64::MAX)], &[1, 1, u64::MAX]);
    }

    /// Replays `requests` through LRU caches of one entry limit, byte limit and TTL: `hits`, `misses`,
    /// `evicted`, `expired`.
    fn check(requests: &[Request], limits: (u64, u64, u64), want: [u64; 4]) -> Outcome {
        let (entries, bytes, ttl_ms) = limits;
        let config = Config::builder()
            .strategy(Strategy::Lru)
            .max_entries(entries)
            .max_bytes(bytes)
            .ttl(Duration::from_millis(ttl_ms))
            .build()
            .unwrap();
        let mut replay = Replay::new("t", [config], 1);
        replay.run(requests.iter().copied().map(Ok::<_, ()>)).unwrap();
        let outcome = replay.finish().remove(0);
        let got = [outcome.hits, outcome.misses, outcome.evicted, outcome.expired];
        assert_eq!(got, want, "{requests:?} within {limits:?}");
        outcome
    }

    #[test]
    fn a_miss_inserts_and_limits_hold() {
        let keys = |keys: &[u64]| keys.iter().map(|k| Request::of_key(*k)).collect::<Vec<_>>();
        const LONG: u64 = 1_000_000;
        let outcome = check(&keys(&[1, 2, 1, 3, 2]), (2, 100, LONG), [1, 4, 2, 0]);
        assert_eq!(outcome.miss_ratio, 0.8);
        assert_eq!(outcome.byte_miss_ratio, None);
        assert_eq!((outcome.max_entries, outcome.max_bytes), (Some(2), Some(100)));
        check(&keys(&[]), (2, 100, LONG), [0, 0, 0, 0]);
        // Without times every request takes a millisecond.
        check(&keys(&[1, 2, 3, 1]), (9, 100, 3), [0, 4, 0, 1]);
        check(&keys(&[1, 2, 3, 1]), (9, 100, 4), [1, 3, 0, 0]);
    }

    #[test]
    fn sizes_are_weights_and_bytes_are_counted_where_known() {
        let requests = [
            request(None, 1, Some(60)),
            request(None, 2, Some(60)),
            request(None, 1, Some(60)),
            request(None, 3, None),
            request(None, 1, Some(60)),
        ];
        let outcome = check(&requests, (9, 100, 1_000_000), [1, 4, 2, 0]);
        assert_eq!(outcome.byte_miss_ratio, Some(0.75));
    }

    #[test]
    fn entries_expire_on_the_time_of_the_trace() {
        let at = |time_ms, key| request(Some(time_ms), key, None);
        let requests = [at(90_000, 1), at(90_900, 1), at(91_000, 1), at(89_000, 1), at(95_000, 2)];
        check(&requests, (9, 100, 1000), [2, 3, 0, 2]);
    }

    #[test]
    fn every_strategy_is_fed_and_a_replay_repeats_itself() {
        let configs = Strategy::ALL
            .map(|strategy| Config::builder().strategy(strategy).max_entries(50).build().unwrap());
        let replay = || {
            let workload: crate::Workload = "zipf:keys=500,requests=10000".parse().unwrap();
            let mut replay = Replay::new("t", configs, 1);
            replay.run(workload.requests().map(Ok::<_, ()>)).unwrap();
            replay.finish().into_iter().map(|o| (o.strategy, o.hits, o.misses)).collect::<Vec<_>>()
        };
        let outcomes = replay();
        assert_eq!(outcomes.iter().map(|o| o.0).collect::<Vec<_>>(), Strategy::ALL);
        assert!(outcomes.iter().all(|(_, hits, misses)| *hits > 0 && hits + misses == 10_000));
        assert_eq!(outcomes, replay());
    }
}
