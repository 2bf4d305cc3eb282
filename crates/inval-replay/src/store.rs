//! Replays requests against a store: as many at once as it bears, those for one key in their order.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use inval_core::{Config, Key, Put, PutOptions, Stats, Store};
use thiserror::Error;

use crate::replay::ratio;
use crate::{OnServer, Outcome, Request};

/// Bytes of every key.
const KEY_LEN: usize = size_of::<u64>();
/// The largest value that a server takes; a greater size counts as this.
const MOST_BYTES: usize = 512 << 20;
/// Requests taken in for each that may be under way, so that a lane that falls behind does not hold
/// up the others.
const DEPTH: usize = 4;

/// What a replay against a store counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Requests made.
    pub requests: u64,
    /// Requests that found a value.
    pub hits: u64,
    /// The other requests; each wrote its value.
    pub misses: u64,
    /// The sizes of all requests, as far as they are known.
    pub requested_bytes: u64,
    /// The sizes of those that missed, as far as they are known.
    pub missed_bytes: u64,
    /// From the first request to the last reply.
    pub elapsed: Duration,
}

/// Why a replay against a store ended early.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum StoreReplayError<S, R> {
    /// The store could not carry an operation out.
    #[error(transparent)]
    Store(S),
    /// There was no reading the next request.
    #[error(transparent)]
    Requests(R),
}

/// Reads the key of each request from `store` and, if it misses, writes a value of zeros under it.
///
/// Keys have 8 bytes and share `concurrency` lanes (0 counts as 1) by their hash. A lane makes one
/// request at a time, so those for one key are made in their order; with one lane, all of them are.
/// An entry weighs the size of its request, but no less than its key, and no more than a value of
/// 512 MiB. Times of requests count for nothing: the store has its own clock.
///
/// When this returns, with an error as well, nothing is under way any more.
pub async fn replay_store<S: Store, E>(
    store: &S,
    requests: impl IntoIterator<Item = Result<Request, E>>,
    concurrency: usize,
) -> Result<Tally, StoreReplayError<S::Error, E>> {
    let began = Instant::now();
    let mut requests = requests.into_iter();
    let (mut lanes, mut zeros) = (Lanes::new(concurrency), Zeros::default());
    let mut start = |request: Request| serve(store, request, zeros.value_for(request));
    let mut under_way = FuturesUnordered::new();
    let mut tally = Tally::default();
    let (mut failure, mut is_over) = (None, false);
    loop {
        while !is_over && lanes.have_room() {
            match requests.next() {
                Some(Ok(request)) => under_way.extend(lanes.take_in(request).map(&mut start)),
                Some(Err(error)) => failure = Some(StoreReplayError::Requests(error)),
                None => is_over = true,
            }
            is_over |= failure.is_some();
        }
        let Some((request, found)) = under_way.next().await else { break };
        match found {
            Ok(is_hit) => tally.count(request, is_hit),
            Err(error) => _ = failure.get_or_insert(StoreReplayError::Store(error)),
        }
        is_over |= failure.is_some();
        if failure.is_none() {
            under_way.extend(lanes.let_out(request).map(&mut start));
        }
    }
    tally.elapsed = began.elapsed();
    failure.map_or(Ok(tally), Err)
}

/// Makes one request; returns whether it hit.
async fn serve<S: Store>(
    store: &S,
    request: Request,
    value: Bytes,
) -> (Request, Result<bool, S::Error>) {
    let outcome = async {
        // Eight bytes are never refused.
        let Ok(key) = Key::new(&request.key.to_be_bytes()) else { return Ok(false) };
        if store.get(&key).await?.is_some() {
            return Ok(true);
        }
        match store.put(&key, value, PutOptions::default()).await? {
            // What is too heavy for the cache misses every time.
            Put::Stored | Put::Unmet | Put::Rejected(_) => Ok(false),
        }
    };
    (request, outcome.await)
}

impl Tally {
    fn count(&mut self, request: Request, is_hit: bool) {
        let size = u64::from(request.size.unwrap_or(0));
        self.requests += 1;
        self.requested_bytes += size;
        if is_hit {
            self.hits += 1;
        } else {
            self.misses += 1;
            self.missed_bytes += size;
        }
    }

    /// The outcome for a cache that kept to `config` and whose store counted `stats`.
    pub fn outcome(
        &self,
        trace: &str,
        config: &Config,
        stats: &Stats,
        on_server: Option<OnServer>,
    ) -> Outcome {
        Outcome {
            trace: trace.to_owned(),
            strategy: config.strategy(),
            requests: self.requests,
            hits: self.hits,
            misses: self.misses,
            miss_ratio: ratio(self.misses, self.requests).unwrap_or(0.0),
            byte_miss_ratio: ratio(self.missed_bytes, self.requested_bytes),
            max_entries: config.max_entries(),
            max_bytes: config.max_bytes(),
            evicted: stats.evicted.entries,
            expired: stats.expired.entries,
            elapsed_s: self.elapsed.as_secs_f64(),
            on_server,
        }
    }
}

/// Requests that wait for those before them in their lane. The first of each lane is under way.
struct Lanes {
    lanes: Vec<VecDeque<Request>>,
    taken_in: usize,
}

impl Lanes {
    fn new(count: usize) -> Self {
        Self { lanes: vec![VecDeque::new(); count.max(1)], taken_in: 0 }
    }

    fn have_room(&self) -> bool {
        self.taken_in < self.lanes.len() * DEPTH
    }

    /// Takes a request in; returns it if it is to be made at once.
    fn take_in(&mut self, request: Request) -> Option<Request> {
        self.taken_in += 1;
        let lane = self.lane_of(request);
        lane.push_back(request);
        (lane.len() == 1).then_some(request)
    }

    /// Takes out a request that has been made; returns the one that is to be made next.
    fn let_out(&mut self, request: Request) -> Option<Request> {
        self.taken_in -= 1;
        let lane = self.lane_of(request);
        lane.pop_front();
        lane.front().copied()
    }

    fn lane_of(&mut self, request: Request) -> &mut VecDeque<Request> {
        let hash = request.key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let count = self.lanes.len();
        &mut self.lanes[hash as usize % count]
    }
}

/// Values of zeros, all of them parts of one buffer.
#[derive(Default)]
struct Zeros(Bytes);

impl Zeros {
    /// A value that weighs, together with its key, what the request asks for.
    fn value_for(&mut self, request: Request) -> Bytes {
        let size = request.size.map_or(1, |size| size as usize);
        let len = size.min(MOST_BYTES).saturating_sub(KEY_LEN);
        if len > self.0.len() {
            self.0 = vec![0; len.next_power_of_two()].into();
        }
        self.0.slice(..len)
    }
}

#[cfg(test)]
mod tests;
