//! Readings as text in the exposition format of Prometheus.

use inval_core::Histogram;
use metrics::{Key, Label};
use metrics_exporter_prometheus::LabelSet;
use metrics_exporter_prometheus::formatting::{
    write_help_line, write_metric_line, write_type_line,
};

use crate::catalogue::{Kind, Metric, Scale};
use crate::reading::Readings;
use crate::walk::{Sample, Value, walk};

/// The media type of what [`render`] returns.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The readings in the text exposition format, version 0.0.4: each metric once with its help and type, all in the
/// order of their names. Nothing is kept between calls: the series of a namespace are there as long as it is in
/// the readings. The cost is that of writing the text.
pub fn render(readings: &Readings) -> String {
    let mut text = String::new();
    let mut last: Option<&'static Metric> = None;
    walk(readings, |sample| {
        if !last.is_some_and(|last| std::ptr::eq(last, sample.metric)) {
            open_family(&mut text, sample.metric);
            last = Some(sample.metric);
        }
        write_sample(&mut text, &sample);
    });
    text
}

fn open_family(text: &mut String, metric: &Metric) {
    write_help_line(text, metric.name, None, None, metric.help);
    write_type_line(text, metric.name, None, None, metric.kind.name());
}

fn write_sample(text: &mut String, sample: &Sample<'_>) {
    let Sample { metric, value, .. } = *sample;
    let labels = label_set(sample);
    let plain: Option<(&str, &str)> = None;
    match (value, metric.kind) {
        (Value::Histogram(histogram), Kind::Histogram(scale)) => {
            write_histogram(text, metric.name, &labels, (histogram, scale));
        }
        (Value::Whole(number), _) => {
            write_metric_line(text, metric.name, None, &labels, plain, number, None);
        }
        (value, _) => {
            write_metric_line(text, metric.name, None, &labels, plain, value.number(), None);
        }
    }
}

/// Buckets are cumulative in this format: each tells of everything up to its bound.
fn write_histogram(
    text: &mut String,
    name: &str,
    labels: &LabelSet,
    (histogram, scale): (&Histogram, Scale),
) {
    let mut buckets = histogram.buckets().peekable();
    let mut below = 0;
    for bound in scale.counted_bounds() {
        while let Some((_, count)) =
            buckets.next_if(|(upper, _)| upper.is_some_and(|upper| upper <= bound))
        {
            below += count;
        }
        let le = Some(("le", scale.in_units(bound as f64)));
        write_metric_line(text, name, Some("bucket"), labels, le, below, None);
    }
    let plain: Option<(&str, &str)> = None;
    let sum = scale.in_units(histogram.sum() as f64);
    let count = histogram.count();
    write_metric_line(text, name, Some("bucket"), labels, Some(("le", "+Inf")), count, None);
    write_metric_line(text, name, Some("sum"), labels, plain, sum, None);
    write_metric_line(text, name, Some("count"), labels, plain, count, None);
}

/// The labels as the exporter's functions take them; they see to the escaping.
fn label_set(sample: &Sample<'_>) -> LabelSet {
    let labels = sample.metric.labels.iter().zip(sample.labels);
    let labels: Vec<_> = labels.map(|(&name, &value)| Label::new(name, value.to_owned())).collect();
    let key = Key::from_parts(sample.metric.name, labels);
    LabelSet::from_key_and_global(&key, &Default::default())
}
