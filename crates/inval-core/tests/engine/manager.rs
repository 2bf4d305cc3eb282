//! A manager of the simulated world: an engine, its own clock, and what it has been told.

use std::collections::BTreeMap;

use inval_core::engine::{Engine, EngineSettings, Reply, Request, RoundTrip, StepReply, Verdict};
use inval_core::record::{AccessBatch, Record};
use inval_core::{Config, Timestamp};

/// Its clock counts from an origin of its own and drifts.
pub(crate) struct Manager {
    pub(crate) engine: Engine,
    /// What it keeps to.
    pub(crate) config: Config,
    pub(crate) holder: u32,
    /// How many engines it has had; what was meant for an earlier one is lost.
    pub(crate) life: u32,
    pub(crate) is_alive: bool,
    pub(crate) paused_until: u64,
    ahead_ms: u64,
    drift_ppm: i64,
    /// The number of the request under way, and when it was sent by its own clock.
    pub(crate) flight: Option<(u64, Timestamp)>,
    /// When it last heard of each key, in true milliseconds.
    pub(crate) news: BTreeMap<Vec<u8>, u64>,
}

impl Manager {
    pub(crate) fn new(config: &Config, settings: EngineSettings, holder: u32) -> Self {
        Self {
            engine: Engine::new(config, settings),
            config: *config,
            holder,
            life: 0,
            is_alive: true,
            paused_until: 0,
            ahead_ms: u64::from(holder) * 12_345,
            drift_ppm: (i64::from(holder % 3) - 1) * 100,
            flight: None,
            news: BTreeMap::new(),
        }
    }

    pub(crate) fn reconfigure(&mut self, config: &Config) {
        assert_eq!(self.engine.reconfigure(config), Ok(()));
        self.config = *config;
    }

    pub(crate) fn local(&self, true_ms: u64) -> Timestamp {
        let drift = true_ms as i64 * self.drift_ppm / 1_000_000;
        Timestamp::from_millis(self.ahead_ms + true_ms.saturating_add_signed(drift))
    }

    /// When it wants to be asked again, in true milliseconds.
    pub(crate) fn wakes_at(&self, true_ms: u64) -> Option<u64> {
        let due = self.engine.next_timeout()?.as_millis();
        Some(true_ms + due.saturating_sub(self.local(true_ms).as_millis()))
    }

    /// Takes a reply that the server gave at `done_at`.
    pub(crate) fn handle(&mut self, request: &Request, reply: Reply, done_at: u64, true_ms: u64) {
        if let (Request::Step(step), Reply::Stepped(StepReply::Done(outcome))) = (request, &reply) {
            let spared = step.evict.iter().zip(&outcome.evicted);
            let spared = spared.filter(|(_, v)| matches!(v, Verdict::Accessed(_)));
            let mut keys: Vec<&[u8]> = spared.map(|(candidate, _)| &candidate.key[..]).collect();
            keys.extend(step.look.iter().map(|key| &key[..]));
            let records = outcome.records.iter().filter_map(|r| Record::decode(r).ok());
            keys.extend(records.map(|record| record.key()));
            keys.extend(outcome.batches.iter().flat_map(|batch| AccessBatch::keys(batch)));
            self.news.extend(keys.into_iter().map(|key| (key.to_vec(), done_at)));
        }
        let received = self.local(true_ms);
        let sent = self.flight.take().map_or(received, |(_, sent)| sent);
        self.engine.handle(reply, RoundTrip { sent, received });
    }
}
