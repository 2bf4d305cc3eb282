//! Readings published through the `metrics` facade, to whatever recorder the program has installed.

use std::collections::HashMap;

use inval_core::Histogram;
use metrics::{Key, Label, Level, Metadata, Recorder, Unit, with_recorder};

use crate::catalogue::{Kind, Metric, Scale, catalogue};
use crate::difference::Difference;
use crate::reading::Readings;
use crate::walk::{Sample, Value, walk};

const METADATA: Metadata<'static> =
    Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// Publishes readings through the [`metrics`] facade, for programs that bring a recorder of their own. One is
/// enough for a program, called from time to time; nothing else has to be done for it.
///
/// - Counters are set to what was counted. If one starts anew, as that of a namespace that was deleted and made
///   again, it goes on from where it was, since a counter of the facade never falls.
/// - Counters of seconds are gauges to the facade, whose counters are whole numbers.
/// - Histograms are told what has come since the last time, as so many observations in each bucket. Their
///   number and their sum are exact, each single one lies within its bucket.
/// - The facade cannot withdraw a series. A gauge that is not in the readings any more, as a limit that was
///   lifted or anything of a namespace that has gone, is set to 0 once and then left alone, so that a recorder
///   with an idle timeout drops it. No handle is held between two publications: what such a recorder has
///   dropped comes back with the next one.
#[derive(Debug, Default)]
pub struct Publisher {
    told: HashMap<Key, Told>,
    /// How many publications there were.
    round: u64,
}

/// What was told of a series.
#[derive(Debug)]
enum Told {
    /// What was counted before the counter last started anew, and since.
    Counter { before: u64, since: u64 },
    /// In which publication it was last set.
    Gauge { round: u64 },
    /// Everything observed, and in which publication it was last there.
    Histogram { observed: Box<Histogram>, round: u64 },
}

impl Publisher {
    /// One that has published nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the recorder in use everything in `readings`, and what has gone since the last time. The first
    /// time it also says what each metric means, so a recorder is best installed before.
    pub fn publish(&mut self, readings: &Readings) {
        with_recorder(|recorder| {
            if self.round == 0 {
                catalogue().for_each(|metric| describe(metric, recorder));
            }
            self.round += 1;
            walk(readings, |sample| self.tell(&sample, recorder));
            self.settle_what_has_gone(recorder);
        });
    }

    fn tell(&mut self, sample: &Sample<'_>, recorder: &dyn Recorder) {
        let key = key(sample);
        match (sample.metric.kind, sample.value) {
            (Kind::Counter, Value::Whole(count)) => self.count(key, count, recorder),
            (Kind::Histogram(scale), Value::Histogram(histogram)) => {
                self.observe(key, (histogram, scale), recorder);
            }
            (_, value) => self.set(key, value.number(), recorder),
        }
    }

    fn count(&mut self, key: Key, count: u64, recorder: &dyn Recorder) {
        let counter = recorder.register_counter(&key, &METADATA);
        let told = self.told.entry(key).or_insert(Told::Counter { before: 0, since: 0 });
        if let Told::Counter { before, since } = told {
            if count < *since {
                *before += *since;
            }
            *since = count;
            counter.absolute(before.saturating_add(count));
        }
    }

    fn set(&mut self, key: Key, number: f64, recorder: &dyn Recorder) {
        recorder.register_gauge(&key, &METADATA).set(number);
        self.told.insert(key, Told::Gauge { round: self.round });
    }

    fn observe(
        &mut self,
        key: Key,
        (histogram, scale): (&Histogram, Scale),
        recorder: &dyn Recorder,
    ) {
        let handle = recorder.register_histogram(&key, &METADATA);
        let nothing = Told::Histogram { observed: Box::default(), round: 0 };
        if let Told::Histogram { observed, round } = self.told.entry(key).or_insert(nothing) {
            for (value, times) in Difference::between(observed, histogram).observations() {
                handle.record_many(
                    scale.in_units(value),
                    usize::try_from(times).unwrap_or(usize::MAX),
                );
            }
            (**observed).clone_from(histogram);
            *round = self.round;
        }
    }

    /// Sets gauges to 0 that were not told this time, and forgets them and histograms. Counters are
    /// remembered, since their series may go on.
    fn settle_what_has_gone(&mut self, recorder: &dyn Recorder) {
        let now = self.round;
        self.told.retain(|key, told| match told {
            Told::Counter { .. } => true,
            Told::Histogram { round, .. } => *round == now,
            Told::Gauge { round } => {
                let is_there = *round == now;
                if !is_there {
                    recorder.register_gauge(key, &METADATA).set(0.0);
                }
                is_there
            }
        });
    }
}

fn key(sample: &Sample<'_>) -> Key {
    let labels = sample.metric.labels.iter().zip(sample.labels);
    let labels: Vec<_> = labels.map(|(&name, &value)| Label::new(name, value.to_owned())).collect();
    Key::from_parts(sample.metric.name, labels)
}

fn describe(metric: &Metric, recorder: &dyn Recorder) {
    let (name, unit, help) = (metric.name.into(), Some(metric.unit), metric.help.into());
    match metric.kind {
        Kind::Counter if metric.unit == Unit::Seconds => recorder.describe_gauge(name, unit, help),
        Kind::Counter => recorder.describe_counter(name, unit, help),
        Kind::Gauge => recorder.describe_gauge(name, unit, help),
        Kind::Histogram(_) => recorder.describe_histogram(name, unit, help),
    }
}
