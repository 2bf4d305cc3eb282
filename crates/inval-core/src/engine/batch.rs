//! How many entries a script may handle, or a count, found from how long the last ones took.

use std::time::Duration;

/// The part of the budget that is aimed at, so that an unlucky script stays within it as well.
const AIM: f64 = 0.5;
/// What a new measurement counts against those before it.
const WEIGHT: f64 = 0.2;
const LEAST: u32 = 8;
const MOST: u32 = 1024;
/// What a script takes whatever it handles, and what an entry takes before the first measurement, in
/// microseconds.
const FIXED_US: f64 = 15.0;
const FIRST_GUESS_US: f64 = 4.0;

/// The size of the next batch.
#[derive(Debug)]
pub(super) struct Batch {
    budget_us: f64,
    per_entry_us: f64,
}

impl Batch {
    pub(super) fn new(budget: Duration) -> Self {
        Self { budget_us: budget.as_secs_f64() * 1e6, per_entry_us: FIRST_GUESS_US }
    }

    /// A script that handled `entries` held the server for `held_us`.
    pub(super) fn measured(&mut self, entries: usize, held_us: u64) {
        if entries >= LEAST as usize {
            let per_entry = (held_us as f64 - FIXED_US).max(0.0) / entries as f64;
            // A slow one counts in full, fast ones are believed little by little.
            let weight = if per_entry > self.per_entry_us { 0.5 } else { WEIGHT };
            self.per_entry_us += weight * (per_entry - self.per_entry_us);
        }
    }

    /// How many entries the next script may handle.
    pub(super) fn size(&self) -> u32 {
        let entries = (self.budget_us * AIM - FIXED_US) / self.per_entry_us.max(0.1);
        (entries as u32).clamp(LEAST, MOST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_follows_the_measured_time() {
        let mut batch = Batch::new(Duration::from_micros(500));
        for _ in 0..50 {
            let size = batch.size();
            batch.measured(size as usize, u64::from(size) * 2 + 15);
        }
        let held = batch.size() * 2 + 15;
        assert!((200..=260).contains(&held), "{held} us of a budget of 500");
        // A server that has become ten times as slow: within budget after a few scripts.
        for _ in 0..8 {
            let size = batch.size();
            batch.measured(size as usize, u64::from(size) * 20 + 15);
        }
        assert!(batch.size() * 20 + 15 <= 260);
    }

    #[test]
    fn it_never_stops_and_never_explodes() {
        let mut batch = Batch::new(Duration::from_micros(1));
        batch.measured(100, u64::MAX);
        assert_eq!(batch.size(), LEAST);
        let mut batch = Batch::new(Duration::from_secs(1));
        (0..100).for_each(|_| batch.measured(100, 0));
        assert_eq!(batch.size(), MOST);
    }
}
