//! A partition of a simulated store: what expires, what is written, what is above the limit, and its upkeep.

use std::time::Duration;

use inval_core::{Slice, Usage};

use super::arrivals::{Arrivals, MILLI, SECOND, count_until, take};
use super::server::Server;

/// A slice may take about so long.
const TIME: u64 = 5 * MILLI;
/// So many changes or entries are worth another slice at once.
const WORTH: u64 = 64;

/// Nothing wrong with it unless told so.
#[derive(Clone, Debug, Default)]
pub(crate) struct Partition {
    /// When entries expire.
    pub(crate) expiries: Arrivals,
    /// When entries are written to the journal. Each new one is above the limit.
    pub(crate) writes: Arrivals,
    pub(crate) above: Arrivals,
    /// Slices fail from one time to another.
    pub(crate) broken: std::ops::Range<u64>,
    pub(crate) idle_ms: u64,
    /// The longest that an entry waited to be taken off the books.
    pub(crate) worst_lag: u64,
    pub(crate) done: u64,
}

impl Partition {
    /// Does upkeep from `at` on, and tells when it ended; an error once nothing could be asked.
    pub(crate) fn maintain(
        &mut self,
        server: &mut Server,
        at: u64,
        batch: u64,
    ) -> (u64, Result<Slice, ()>) {
        if self.broken.contains(&at) {
            return (at + server.costs.network + MILLI, Err(()));
        }
        let (mut slice, mut now, mut requests) = (Slice::default(), at, 0);
        loop {
            let left = batch - (slice.expired + slice.records + slice.evicted);
            let (before, sent) = (slice, now);
            let (held, oldest) = self.work(server, &mut slice, now, left);
            now = server.run(now, held);
            if oldest < sent {
                self.worst_lag = self.worst_lag.max(now - oldest);
            }
            requests += 1;
            slice.held += Duration::from_nanos(held);
            slice.longest = slice.longest.max(Duration::from_nanos(held));
            let waited = Duration::from_nanos((now - sent).saturating_sub(held));
            let latency = slice.latency.unwrap_or_default() + waited;
            slice.latency = Some(latency);
            let done = slice.expired + slice.records + slice.evicted;
            let is_idle = (before.expired, before.records, before.evicted)
                == (slice.expired, slice.records, slice.evicted);
            if is_idle || done >= batch || now - at >= TIME || !self.has_work(now) {
                break;
            }
        }
        slice.latency =
            slice.latency.map(|sum| sum / requests).filter(|_| server.costs.network > 0);
        slice.backlog = count_until(&self.writes, now);
        slice.excess = Usage { entries: count_until(&self.above, now), bytes: 0 };
        slice.next = self.next(now, &slice, server);
        self.done += slice.expired + slice.evicted;
        (now, Ok(slice))
    }

    /// What a script does: how long that holds the server, and when the oldest entry came that it takes off the books. As
    /// a step of the engine it does some of everything.
    fn work(&mut self, server: &Server, slice: &mut Slice, now: u64, most: u64) -> (u64, u64) {
        let costs = server.costs;
        let (mut held, mut left) = (costs.script, most);
        // How many more of what costs so much fit into `part` of what is left.
        let fit = |held: u64, left: u64, cost: u64, part: u64| {
            let time = costs.longest.saturating_sub(held) / part;
            left.div_ceil(part).min(time.div_ceil(cost))
        };
        let mut oldest = now;
        let others = 1 + u64::from(self.has_writes(now));
        let expiring = fit(held, left, costs.expire, others);
        let expired = take(&mut self.expiries, now, expiring, |wave| oldest = oldest.min(wave.at));
        (held, left) = (held + expired * costs.expire, left - expired);
        slice.expired += expired;
        slice.overdue = slice.overdue.max(Duration::from_nanos(now - oldest));

        let above = &mut self.above;
        let booking = fit(held, left, costs.record, 2);
        let records = take(&mut self.writes, now, booking, |wave| above.push_back(wave));
        (held, left) = (held + records * costs.record, left - records);
        slice.records += records;

        let evicting = fit(held, left, costs.evict, 1);
        let evicted = take(&mut self.above, now, evicting, |wave| oldest = oldest.min(wave.at));
        held += evicted * costs.evict;
        slice.evicted += evicted;
        (held, oldest)
    }

    /// As the stores say it: at once, or when the next entry expires, or now and then.
    fn next(&mut self, now: u64, slice: &Slice, server: &Server) -> Duration {
        if self.has_work(now) {
            return Duration::ZERO;
        }
        self.idle_ms = match slice.records + slice.backlog + slice.excess.entries {
            0 => (self.idle_ms * 2).clamp(5, 200),
            _ => 5,
        };
        let pause = if server.costs.network > 0 { self.idle_ms * MILLI } else { SECOND };
        let next = self.expiries.front().map_or(u64::MAX, |wave| wave.at - now);
        // Stores keep their time in milliseconds.
        Duration::from_millis(next.min(pause).div_ceil(MILLI))
    }

    fn has_work(&self, now: u64) -> bool {
        count_until(&self.writes, now) >= WORTH
            || count_until(&self.above, now) >= WORTH
            || self.expiries.front().is_some_and(|wave| wave.at <= now)
    }

    fn has_writes(&self, now: u64) -> bool {
        let is_waiting = |queue: &Arrivals| queue.front().is_some_and(|wave| wave.at <= now);
        is_waiting(&self.writes) || is_waiting(&self.above)
    }

    /// What waits to be taken off the books, and since when.
    pub(crate) fn waiting(&self, now: u64) -> (u64, u64) {
        let queues = [&self.expiries, &self.writes, &self.above];
        let count = queues.iter().map(|queue| count_until(queue, now)).sum();
        let oldest = queues.iter().filter_map(|queue| queue.front()).map(|wave| wave.at).min();
        (count, oldest.map_or(0, |at| now.saturating_sub(at)))
    }
}
