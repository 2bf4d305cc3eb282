//! What a store asks of its ledger beyond reads: may this write go ahead, how long does that entry live.

use std::borrow::Borrow;
use std::time::Duration;

use super::{Arrival, Ledger, Refusal, Rejection};
use crate::store::{Lifetime, PutCondition};
use crate::units::{Timestamp, Weight};

impl<K: Eq, V> Ledger<K, V> {
    /// How long the entry under `key` has still to live. Counts nothing and leaves the order of
    /// eviction as it is.
    pub fn lifetime<Q>(&self, hash: u64, key: &Q, now: Timestamp) -> Lifetime
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let now = self.not_before(now);
        let Some(id) = self.find(hash as u32, key) else { return Lifetime::Absent };
        match self.books.deadlines.get(id) {
            None => Lifetime::Unlimited,
            Some(deadline) if deadline <= now => Lifetime::Absent,
            Some(deadline) => Lifetime::Remaining(Duration::from_millis(deadline - now)),
        }
    }

    /// Whether a write on a condition may go ahead, by [`insert`](Self::insert) at the same `now`. If
    /// not, nothing is changed but for the count of rejections. A write on no condition may always go
    /// ahead: it tells itself whether it is rejected.
    pub fn judge(
        &mut self,
        arrival: &Arrival<K, V>,
        condition: PutCondition,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let is_there = || self.peek(arrival.hash, &arrival.key, now).is_some();
        let is_met = match condition {
            PutCondition::Always => return Ok(()),
            PutCondition::IfAbsent => !is_there(),
            PutCondition::IfPresent => is_there(),
        };
        if !is_met {
            return Err(Refusal::Unmet);
        }
        self.acceptable(arrival.weight, arrival.ttl).map_err(|rejection| {
            self.stats.rejected += 1;
            Refusal::Rejected(rejection)
        })
    }

    fn acceptable(&self, weight: Weight, ttl: Option<Duration>) -> Result<(), Rejection> {
        self.books.limits.fits(weight)?;
        self.config.time_to_live(ttl, 0.0).map(|_| ())
    }
}
