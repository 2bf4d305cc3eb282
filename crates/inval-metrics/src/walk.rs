//! The one way through the readings: every sample in turn, whoever it is for.

use std::time::Duration;

use inval_core::Histogram;

use crate::catalogue::{self, Metric, Read};
use crate::reading::{NamespaceReading, Readings};

/// One value of one metric.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Of which metric.
    pub metric: &'static Metric,
    /// The values of its labels, as many as [`Metric::labels`] and in their order.
    pub labels: &'a [&'a str],
    /// The value, in the metric's unit but for a histogram, which is as it was counted.
    pub value: Value<'a>,
}

/// What a sample says.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A whole number.
    Whole(u64),
    /// A number that need not be whole.
    Real(f64),
    /// Observations.
    Histogram(&'a Histogram),
}

impl Value<'_> {
    /// As a number; of a histogram how many observations there are.
    pub fn number(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
            Self::Histogram(histogram) => histogram.count() as f64,
        }
    }
}

/// Tells `sink` every sample of `readings`: metrics in the order of their names, and all samples of one together
/// in the order of the namespaces' names.
pub fn walk(readings: &Readings, mut sink: impl FnMut(Sample<'_>)) {
    let mut namespaces: Vec<_> = readings.namespaces.iter().collect();
    namespaces.sort_unstable_by_key(|reading| &reading.namespace);
    for &metric in catalogue::by_name() {
        tell(metric, readings, &namespaces, &mut sink);
    }
}

fn tell(
    metric: &'static Metric,
    readings: &Readings,
    namespaces: &[&NamespaceReading],
    sink: &mut dyn FnMut(Sample<'_>),
) {
    let mut out = Out { metric, labels: [""; MOST_LABELS], count: 0, sink };
    let process = &readings.process;
    match metric.read {
        Read::Process(read) => read(process, &mut out),
        Read::Manager(read) => process.manager.iter().for_each(|manager| read(manager, &mut out)),
        Read::Server(read) => process.server.iter().for_each(|server| read(server, &mut out)),
        Read::Operation(read) => {
            process.http.iter().for_each(|http| read(http, &mut out.labelled([http.operation])));
        }
        Read::Namespace(_) | Read::Stats(_) | Read::Upkeep(_) => {
            for reading in namespaces {
                let mut out = out.labelled([reading.namespace.as_str()]);
                tell_of_namespace(&metric.read, reading, &mut out);
            }
        }
    }
}

fn tell_of_namespace(read: &Read, reading: &NamespaceReading, out: &mut Out<'_>) {
    match read {
        Read::Namespace(read) => read(reading, out),
        Read::Stats(read) => reading.stats.iter().for_each(|stats| read(stats, out)),
        Read::Upkeep(read) => reading.upkeep.iter().for_each(|upkeep| read(upkeep, out)),
        Read::Process(_) | Read::Manager(_) | Read::Server(_) | Read::Operation(_) => {}
    }
}

/// The most labels of a metric.
const MOST_LABELS: usize = 3;

/// Where the reader of a metric puts its values.
pub(crate) struct Out<'a> {
    metric: &'static Metric,
    labels: [&'a str; MOST_LABELS],
    /// How many of the labels have their value.
    count: usize,
    sink: &'a mut dyn FnMut(Sample<'_>),
}

impl Out<'_> {
    /// The same with the values of the next labels.
    pub(crate) fn labelled<'b, const N: usize>(&'b mut self, more: [&'b str; N]) -> Out<'b> {
        let Self { metric, labels, count, .. } = *self;
        let mut labels: [&'b str; MOST_LABELS] = labels;
        labels[count..].iter_mut().zip(more).for_each(|(label, value)| *label = value);
        Out { metric, labels, count: (count + N).min(MOST_LABELS), sink: self.sink }
    }

    pub(crate) fn whole(&mut self, number: u64) {
        self.put(Value::Whole(number));
    }

    pub(crate) fn real(&mut self, number: f64) {
        self.put(Value::Real(number));
    }

    pub(crate) fn duration(&mut self, duration: Duration) {
        self.real(duration.as_secs_f64());
    }

    pub(crate) fn histogram(&mut self, histogram: &Histogram) {
        self.put(Value::Histogram(histogram));
    }

    fn put(&mut self, value: Value<'_>) {
        let labels = &self.labels[..self.count];
        (self.sink)(Sample { metric: self.metric, labels, value });
    }
}
