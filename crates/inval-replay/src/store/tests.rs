//! Replays against stores in memory: one as it is, one that is slow, one that fails.

use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use inval_core::{
    Budget, Config, Cursor, EntryInfo, Lifetime, Page, ReconfigureError, RemovalListener, Slice,
    Strategy, Usage,
};
use inval_memory::Cache;

use super::*;
use crate::{Replay, Workload};

type Memory = Cache<Key, Bytes>;

fn config(strategy: Strategy) -> Config {
    Config::builder().strategy(strategy).max_entries(50).max_bytes(1 << 20).build().unwrap()
}

fn workload() -> impl Iterator<Item = Result<Request, Infallible>> {
    let workload: Workload = "zipf:keys=500,requests=10000".parse().unwrap();
    workload.requests().map(Ok)
}

fn sized(key: u64, size: u32) -> Request {
    Request { time_ms: None, key, size: Some(size) }
}

#[tokio::test]
async fn a_store_with_one_lane_misses_as_a_replay_in_memory_does() {
    for strategy in [Strategy::Fifo, Strategy::Lru, Strategy::Sieve] {
        let config = config(strategy);
        let store = Memory::of_bytes(config).shards(1).build();
        let tally = replay_store(&store, workload(), 1).await.unwrap();
        let got = tally.outcome("t", &config, &store.stats(), None);
        let mut replay = Replay::new("t", [config], 1);
        replay.run(workload()).unwrap();
        let want = replay.finish().remove(0);
        assert_eq!(got, Outcome { elapsed_s: got.elapsed_s, ..want });
    }
}

#[tokio::test]
async fn an_entry_weighs_its_size_but_no_less_than_its_key() {
    let check = async |size, weight| {
        let store = Memory::of_bytes(config(Strategy::Lru)).build();
        let request = Request { time_ms: None, key: 7, size };
        let tally = replay_store(&store, [Ok::<_, Infallible>(request)], 1).await.unwrap();
        assert_eq!((tally.requests, tally.misses), (1, 1));
        assert_eq!(store.usage(), Usage { entries: 1, bytes: weight }, "{size:?}");
    };
    check(Some(300_000), 300_000).await;
    check(Some(9), 9).await;
    check(Some(8), 8).await;
    check(Some(0), 8).await;
    check(None, 8).await;
}

#[test]
fn values_are_parts_of_one_buffer_of_bounded_length() {
    let mut zeros = Zeros::default();
    let value = zeros.value_for(sized(1, 5000));
    let start = value.as_ptr();
    assert_eq!((value.len(), zeros.value_for(sized(1, 100)).as_ptr()), (4992, start));
    assert_eq!(zeros.value_for(sized(1, u32::MAX)).len(), MOST_BYTES - KEY_LEN);
}

#[tokio::test]
async fn bytes_are_counted_where_they_are_known() {
    let store = Memory::of_bytes(config(Strategy::Lru)).build();
    let requests = [sized(1, 60), sized(2, 20), sized(1, 60), Request::of_key(3)];
    let tally = replay_store(&store, requests.map(Ok::<_, Infallible>), 4).await.unwrap();
    assert_eq!((tally.requested_bytes, tally.missed_bytes), (140, 80));
    let outcome = tally.outcome("t", &config(Strategy::Lru), &store.stats(), None);
    assert_eq!(outcome.byte_miss_ratio, Some(80.0 / 140.0));
}

#[tokio::test]
async fn many_requests_are_under_way_but_one_a_key() {
    let store = Slow::new(u64::MAX);
    let tally = replay_store(&store, workload(), 8).await.unwrap();
    assert_eq!((tally.requests, tally.hits + tally.misses), (10_000, 10_000));
    let watch = store.watch.into_inner().unwrap();
    assert_eq!((watch.most_of_a_key, watch.most), (1, 8));
}

#[tokio::test]
async fn an_error_ends_the_replay_with_nothing_under_way() {
    let check = async |store: Slow, requests: Vec<Result<Request, ()>>, want, made| {
        let error = replay_store(&store, requests, 4).await.unwrap_err();
        assert_eq!(error, want);
        let calls = store.calls.load(Ordering::Relaxed);
        assert!(calls <= made, "{calls} calls, wanted at most {made}");
        assert!(store.watch.into_inner().unwrap().under_way.is_empty());
    };
    let requests = || workload().map(|request| request.map_err(|_| ()));
    let fails_after = |calls| Slow::new(calls);
    check(fails_after(100), requests().collect(), StoreReplayError::Store(Failure), 108).await;
    let broken = requests().take(10).chain([Err(())]).chain(requests()).collect();
    check(fails_after(u64::MAX), broken, StoreReplayError::Requests(()), 20).await;
}

/// A store whose operations take a while, and fail from some number on.
struct Slow {
    inner: Memory,
    calls: AtomicU64,
    works_for: u64,
    watch: Mutex<Watch>,
}

#[derive(Default)]
struct Watch {
    under_way: Vec<Key>,
    most: usize,
    most_of_a_key: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("the store fails")]
struct Failure;

impl Slow {
    fn new(works_for: u64) -> Self {
        let inner = Memory::of_bytes(config(Strategy::Lru)).build();
        Self { inner, calls: AtomicU64::new(0), works_for, watch: Mutex::default() }
    }

    async fn take_a_while(&self, key: &Key) -> Result<(), Failure> {
        {
            let watch = &mut *self.watch.lock().unwrap();
            watch.under_way.push(key.clone());
            watch.most = watch.most.max(watch.under_way.len());
            let of_key = watch.under_way.iter().filter(|other| *other == key).count();
            watch.most_of_a_key = watch.most_of_a_key.max(of_key);
        }
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        for _ in 0..call % 5 {
            tokio::task::yield_now().await;
        }
        let under_way = &mut self.watch.lock().unwrap().under_way;
        let place = under_way.iter().position(|other| other == key).unwrap();
        under_way.swap_remove(place);
        if call < self.works_for { Ok(()) } else { Err(Failure) }
    }
}

impl Store for Slow {
    type Error = Failure;

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        self.take_a_while(key).await?;
        Ok(self.inner.get(key))
    }

    async fn put(&self, key: &Key, value: Bytes, _: PutOptions) -> Result<Put, Failure> {
        self.take_a_while(key).await?;
        self.inner.insert(key.clone(), value);
        Ok(Put::Stored)
    }

    async fn get_many(&self, _: &[Key]) -> Result<Vec<Option<Bytes>>, Failure> {
        Err(Failure)
    }

    async fn put_many(&self, _: &[(Key, Bytes)], _: Option<Duration>) -> Result<Vec<Put>, Failure> {
        Err(Failure)
    }

    async fn invalidate(&self, _: &[Key]) -> Result<u64, Failure> {
        Err(Failure)
    }

    async fn contains(&self, _: &Key) -> Result<bool, Failure> {
        Err(Failure)
    }

    async fn lifetime(&self, _: &Key) -> Result<Lifetime, Failure> {
        Err(Failure)
    }

    async fn inspect(&self, _: &Key) -> Result<Option<EntryInfo>, Failure> {
        Err(Failure)
    }

    async fn clear(&self) -> Result<(), Failure> {
        Err(Failure)
    }

    async fn usage(&self) -> Result<Usage, Failure> {
        Err(Failure)
    }

    async fn stats(&self) -> Result<Stats, Failure> {
        Err(Failure)
    }

    async fn page(&self, _partition: u32, _cursor: Cursor, _size: u32) -> Result<Page, Failure> {
        Err(Failure)
    }

    fn partitions(&self) -> u32 {
        1
    }

    fn config(&self) -> Config {
        Store::config(&self.inner)
    }

    async fn reconfigure(&self, _: &Config) -> Result<(), ReconfigureError<Failure>> {
        Err(ReconfigureError::Store(Failure))
    }

    async fn maintain(&self, _: u32, _: Budget) -> Result<Slice, Failure> {
        Err(Failure)
    }

    fn watch(&self, _: RemovalListener) {}
}
