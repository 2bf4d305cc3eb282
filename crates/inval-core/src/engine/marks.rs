//! The marks of entries: the last access we know of, which is what the server compares before it unlinks.

use super::{Engine, StepOutcome, Verdict};
use crate::clock::TimeReading;
use crate::slab::Id;
use crate::units::Timestamp;

/// The LFU counter with which Redis starts every key.
const LFU_INITIAL: u32 = 5;
/// The longest time that an LFU counter can tell of, if each step of it is taken as a minute.
const LFU_STEPS: u64 = 255;
const LFU_STEP_MS: u64 = 60_000;
/// An idle time of so many seconds or more is that of an access still to come, by a clock that was set back since: half of
/// what the server counts up to.
const FUTURE_S: u64 = 1 << 23;
/// Where the server's count of seconds begins anew.
const IDLE_PERIOD_S: u64 = (1 << 24) - 1;
/// Times are marked to 2^4 ms, so that 32 bits last for two years.
const TICK_BITS: u32 = 4;

impl Engine {
    /// The mark of an entry that was last accessed at `time` at the latest, or has this LFU counter.
    pub(super) fn mark(&self, time: Timestamp, counter: Option<u64>) -> u32 {
        match (self.has_lfu, counter) {
            (false, _) => (time.as_millis() >> TICK_BITS) as u32,
            (true, None) => LFU_INITIAL,
            (true, Some(counter)) => counter.min(LFU_STEPS) as u32,
        }
    }

    /// What a mark stands for: a counter, or a second of the server's clock as it is set now.
    pub(super) fn known(&self, mark: u32) -> u64 {
        if self.has_lfu {
            return u64::from(mark);
        }
        let now = self.server_now().as_millis();
        let tick = now >> TICK_BITS;
        let age = u64::from((tick as u32).wrapping_sub(mark)).min(tick);
        let latest = ((tick - age) << TICK_BITS) + (1 << TICK_BITS) - 1;
        latest.min(now).saturating_sub(self.behind_ms()) / 1000
    }

    /// How far the server's clock is behind ours, in milliseconds: ours does not run back when that is set back.
    pub(super) fn behind_ms(&self) -> u64 {
        let reading = self.clock.read(self.now);
        reading.map_or(0, |TimeReading { now, earliest, .. }| {
            now.as_millis().saturating_sub(earliest.as_millis())
        })
    }

    /// When an entry was last accessed, from its idle time in seconds or its LFU counter at `time`.
    pub(super) fn access_time(&self, idle: u64, time: Timestamp) -> Timestamp {
        let age_ms = match self.has_lfu {
            true => LFU_STEPS.saturating_sub(idle).saturating_mul(LFU_STEP_MS),
            false => self.age_ms(idle, time),
        };
        Timestamp::from_millis(time.as_millis().saturating_sub(age_ms))
    }

    /// Whether an idle time is that of an access still to come. The server spares such an entry until it is accessed once
    /// more, and a look is an access.
    pub(super) fn is_of_the_future(&self, idle: u64) -> bool {
        !self.has_lfu && idle >= FUTURE_S
    }

    /// How long an entry has been idle, by a clock that was set back since it was accessed or was not.
    fn age_ms(&self, idle: u64, time: Timestamp) -> u64 {
        if self.is_of_the_future(idle) {
            let ahead_ms = IDLE_PERIOD_S.saturating_sub(idle).saturating_mul(1000);
            return self.behind_ms().saturating_sub(ahead_ms);
        }
        let idle_ms = idle.saturating_mul(1000);
        let is_older = self.doubts.predates_set_back(time, idle_ms);
        if is_older { idle_ms.saturating_add(self.behind_ms()) } else { idle_ms }
    }

    /// Marks an entry that the server says was accessed with what it goes by: its clock as it is set now, also where
    /// that is not when the access was.
    pub(super) fn remark(&mut self, id: Id, idle: u64, time: Timestamp) {
        let shown = time.as_millis().saturating_sub(idle.saturating_mul(1000));
        *self.ledger.value_mut(id) = self.mark(Timestamp::from_millis(shown), Some(idle));
    }

    /// Notes whether the server keeps idle times or counters. If that changed, no mark means anything.
    pub(super) fn note_kind(&mut self, outcome: &StepOutcome, time: Timestamp) {
        let told = |verdict: &Verdict| *verdict != Verdict::Missing;
        let is_told = outcome.evicted.iter().any(told)
            || outcome.looks.iter().any(|look| matches!(look, super::Look::Present { .. }));
        if outcome.has_lfu != self.has_lfu && (outcome.has_lfu || is_told) {
            self.has_lfu = outcome.has_lfu;
            let mark = self.mark(time, None);
            for id in self.ledger.ids_from(0, Id::MAX).0 {
                *self.ledger.value_mut(id) = mark;
            }
        }
    }
}
