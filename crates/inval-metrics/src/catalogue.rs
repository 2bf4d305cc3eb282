//! The one table of all metrics: what each is called, what it means and how it is read.

mod process;
mod namespace;

use std::sync::LazyLock;

use inval_core::Stats;
use metrics::Unit;

use crate::reading::{
    ManagerReading, NamespaceReading, OperationReading, ProcessReading, ServerReading,
    UpkeepReading,
};
use crate::walk::Out;

/// All metrics: those of the process, then those of each namespace.
pub fn catalogue() -> impl Iterator<Item = &'static Metric> {
    process::METRICS.iter().chain(namespace::METRICS)
}

/// All metrics in the order of their names.
pub(crate) fn by_name() -> &'static [&'static Metric] {
    static BY_NAME: LazyLock<Vec<&'static Metric>> = LazyLock::new(|| {
        let mut metrics: Vec<_> = catalogue().collect();
        metrics.sort_unstable_by_key(|metric| metric.name);
        metrics
    });
    &BY_NAME
}

/// A metric, by the conventions of Prometheus.
#[derive(Debug)]
pub struct Metric {
    /// Its name, which ends in its unit and, if it is a counter, in `_total`.
    pub name: &'static str,
    /// How its values behave.
    pub kind: Kind,
    /// In what it is measured; [`Unit::Count`] for plain numbers and ratios.
    pub unit: Unit,
    /// The names of its labels, in their order. The values of each come from a bounded set: the namespaces there
    /// are, or names that the program knows.
    pub labels: &'static [&'static str],
    /// What it means, in one sentence.
    pub help: &'static str,
    pub(crate) read: Read,
}

/// How the values of a metric behave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// They rise until the process ends, or until what they count is made anew.
    Counter,
    /// They rise and fall.
    Gauge,
    /// They are observations, sorted into buckets.
    Histogram(Scale),
}

impl Kind {
    /// What Prometheus calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// Between which bounds a histogram is told, and in what it is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scale {
    /// How many of what is counted make one of the metric's unit.
    pub(crate) per_unit: u32,
    /// The bounds are one less than these powers of two: bounds of the counted histogram as well, so that
    /// nothing has to be guessed.
    pub(crate) exponents: &'static [u32],
}

impl Scale {
    /// The upper bounds (inclusive) of the buckets in rising order, in the metric's unit, but for the last one,
    /// which has none. For recorders that sort into buckets themselves.
    pub fn bounds(self) -> impl Iterator<Item = f64> {
        self.counted_bounds().map(move |bound| self.in_units(bound as f64))
    }

    pub(crate) fn counted_bounds(self) -> impl Iterator<Item = u64> {
        self.exponents.iter().map(|&exponent| (1 << exponent) - 1)
    }

    pub(crate) fn in_units(self, counted: f64) -> f64 {
        counted / f64::from(self.per_unit)
    }
}

/// Where a metric is read, and how. What is not there has no samples.
#[derive(Debug)]
pub(crate) enum Read {
    Process(fn(&ProcessReading, &mut Out<'_>)),
    Manager(fn(&ManagerReading, &mut Out<'_>)),
    Server(fn(&ServerReading, &mut Out<'_>)),
    Operation(fn(&OperationReading, &mut Out<'_>)),
    Namespace(fn(&NamespaceReading, &mut Out<'_>)),
    Stats(fn(&Stats, &mut Out<'_>)),
    Upkeep(fn(&UpkeepReading, &mut Out<'_>)),
}

impl Metric {
    /// Where nothing else is said, a plain number; by namespace if it is read there.
    const fn new(name: &'static str, kind: Kind, help: &'static str, read: Read) -> Self {
        let labels: &[&str] = match read {
            Read::Process(_) | Read::Manager(_) | Read::Server(_) => &[],
            Read::Operation(_) => &["operation"],
            Read::Namespace(_) | Read::Stats(_) | Read::Upkeep(_) => &["namespace"],
        };
        Self { name, kind, unit: Unit::Count, labels, help, read }
    }

    const fn counter(name: &'static str, help: &'static str, read: Read) -> Self {
        Self::new(name, Kind::Counter, help, read)
    }

    const fn gauge(name: &'static str, help: &'static str, read: Read) -> Self {
        Self::new(name, Kind::Gauge, help, read)
    }

    const fn histogram(name: &'static str, scale: Scale, help: &'static str, read: Read) -> Self {
        Self::new(name, Kind::Histogram(scale), help, read)
    }

    const fn in_unit(self, unit: Unit) -> Self {
        Self { unit, ..self }
    }

    const fn by(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}
