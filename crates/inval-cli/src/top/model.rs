//! What is known of the namespaces: the last numbers, what led there, and why there are no newer ones.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::health::Health;
use super::history::History;
use crate::client::{Rates, Reading, Statistics, follow};

/// The last reading and its past.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) reading: Reading,
    histories: BTreeMap<String, History>,
    /// When the last reading came.
    read_at: Option<Instant>,
    /// Why the last try gave no reading.
    pub(super) error: Option<String>,
}

impl Model {
    /// Goes on with what a reading at `now` told. A namespace that is not told of any more is forgotten.
    pub(super) fn on_reading(
        &mut self,
        told: Result<BTreeMap<String, Statistics>, String>,
        now: Instant,
    ) {
        let statistics = match told {
            Ok(statistics) => statistics,
            Err(error) => {
                self.error = Some(error);
                return;
            }
        };
        let reading = follow(&self.reading, statistics, now);
        self.histories.retain(|name, _| reading.contains_key(name));
        for (name, point) in &reading {
            let is_new = self.reading.get(name).is_none_or(|before| before.at != point.at);
            if is_new {
                self.histories.entry(name.clone()).or_default().push(point.rates);
            }
        }
        self.reading = reading;
        self.read_at = Some(now);
        self.error = None;
    }

    /// What led to the numbers of a namespace.
    pub(super) fn history(&self, name: &str) -> Option<&History> {
        self.histories.get(name)
    }

    /// What happens in all namespaces together; `None` before two readings.
    pub(super) fn total(&self) -> Option<Rates> {
        Rates::total(self.reading.values().filter_map(|point| point.rates))
    }

    /// How many namespaces there are of each health.
    pub(super) fn healths(&self) -> BTreeMap<Health, usize> {
        let mut healths = BTreeMap::new();
        for point in self.reading.values() {
            *healths.entry(Health::of(&point.statistics)).or_default() += 1;
        }
        healths
    }

    /// How long ago the numbers came.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.read_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_grows_with_what_is_new_and_goes_with_its_namespace() {
        let start = Instant::now() + Duration::from_secs(60);
        let mut model = Model::default();
        let mut check = |told: &[(&str, u64)], age_ms, at_s, want: &[(&str, usize)]| {
            let statistics = |&(name, hits): &(&str, u64)| {
                (name.to_owned(), Statistics { hits, age_ms, ..Statistics::default() })
            };
            let told = told.iter().map(statistics).collect();
            model.on_reading(Ok(told), start + Duration::from_secs(at_s));
            let lengths: Vec<_> =
                model.histories.iter().map(|(name, h)| (name.as_str(), h.len())).collect();
            assert_eq!(lengths, want);
        };
        check(&[("a", 1), ("b", 1)], 0, 0, &[("a", 1), ("b", 1)]);
        check(&[("a", 5), ("b", 5)], 0, 2, &[("a", 2), ("b", 2)]);
        check(&[("a", 5)], 2000, 4, &[("a", 2)]);
        check(&[("a", 9), ("b", 0)], 0, 6, &[("a", 3), ("b", 1)]);
    }

    #[test]
    fn the_last_numbers_stay_while_there_are_no_newer_ones() {
        let start = Instant::now();
        let mut model = Model::default();
        let told = BTreeMap::from([("a".to_owned(), Statistics::default())]);
        model.on_reading(Ok(told.clone()), start);
        model.on_reading(Err("away".to_owned()), start + Duration::from_secs(2));
        assert_eq!(model.error.as_deref(), Some("away"));
        assert_eq!(model.reading.len(), 1);
        let now = start + Duration::from_secs(4);
        assert_eq!(model.age(now), Duration::from_secs(4));
        model.on_reading(Ok(told), now);
        assert_eq!((model.error.as_deref(), model.age(now)), (None, Duration::ZERO));
    }
}
