//! What an analysis has found, as the daemon tells it and the commands print it.

use inval_core::Histogram;
use inval_core::analysis::{Analysis, AnalysisSettings, Distribution};
use inval_runtime::{Analysed, AnalysisOptions, Progress};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::error::ClientError;
use super::keys::json_bytes;
use super::statistics::Amount;

/// How somebody wants a namespace to be analysed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Wish {
    pub(crate) settings: AnalysisSettings,
    pub(crate) page_size: u32,
    /// `None` for what upkeep may take.
    pub(crate) duty_cycle: Option<f64>,
}

impl Wish {
    /// The same as options, or what of it is not possible.
    pub(super) fn options(&self) -> Result<AnalysisOptions, ClientError> {
        let Self { settings, page_size, duty_cycle } = self.clone();
        let duty_cycle = duty_cycle.unwrap_or(AnalysisOptions::default().duty_cycle);
        let options = AnalysisOptions { settings, page_size, duty_cycle };
        options.validate()?;
        Ok(options)
    }

    /// The same as the daemon is told.
    pub(super) fn body(&self) -> Value {
        let Self { settings, page_size, duty_cycle } = self;
        let mut body = json!({
            "page_size": page_size,
            "delimiter": json_bytes(&settings.delimiter),
            "depth": settings.depth,
            "top": settings.top,
        });
        if let Some(share) = duty_cycle {
            body["duty_cycle"] = json!(share);
        }
        body
    }
}

/// An analysis: how far it has got, and what it has found once it has come to its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) state: Phase,
    pub(crate) options: Options,
    /// `None` where it broke off.
    pub(crate) progress: Option<Steps>,
    /// Why it failed, if it has.
    pub(crate) error: Option<String>,
    pub(crate) result: Option<Findings>,
}

/// What has become of an analysis.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    Running,
    Done,
    Failed,
    Cancelled,
}

/// What an analysis goes by.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Options {
    pub(crate) page_size: u32,
    pub(crate) duty_cycle: f64,
    /// A text, or bytes in base64.
    pub(crate) delimiter: Value,
    pub(crate) depth: u32,
    pub(crate) top: u32,
}

/// How far an analysis has got.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Steps {
    pub(crate) entries: u64,
    /// Entries that were booked when it began.
    pub(crate) booked: u64,
    pub(crate) pages: u64,
}

/// What has been found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) took_ms: u64,
    /// For how long of that the server was held, in microseconds.
    pub(crate) held_us: u64,
    /// The share of the server's time that was.
    pub(crate) duty_cycle: f64,
    pub(crate) seen: Amount,
    /// Of how many entries the weight is the server's estimate.
    pub(crate) estimated: u64,
    pub(crate) bytes: Spread,
    pub(crate) remaining_ms: Spread,
    pub(crate) idle_ms: Spread,
    pub(crate) age_ms: Spread,
    pub(crate) largest: Vec<Large>,
    /// The heaviest prefixes.
    pub(crate) prefixes: Vec<Prefix>,
    /// Entries whose keys have no prefix.
    pub(crate) unprefixed: Amount,
    /// No prefix that was not counted weighs more bytes than this.
    pub(crate) most_uncounted: u64,
}

/// How a quantity is spread over entries.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Spread {
    /// How many entries have it, and how many do not, or nobody knows.
    pub(crate) count: u64,
    pub(crate) missing: u64,
    pub(crate) p50: Option<u64>,
    pub(crate) p90: Option<u64>,
    pub(crate) p99: Option<u64>,
    /// The part of it from the first bucket to the last in which there is something.
    pub(crate) buckets: Vec<Bucket>,
}

/// How many entries have as much as `up_to` of something, and more than the bucket before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Bucket {
    /// `None` is without bound.
    pub(crate) up_to: Option<u64>,
    pub(crate) count: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Large {
    /// A text, or bytes in base64.
    pub(crate) key: Value,
    pub(crate) bytes: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Prefix {
    /// A text, or bytes in base64.
    pub(crate) prefix: Value,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
    /// By how much `bytes` may be too high.
    pub(crate) error: u64,
}

impl From<&AnalysisOptions> for Options {
    fn from(options: &AnalysisOptions) -> Self {
        let AnalysisOptions { settings, page_size, duty_cycle } = options;
        Self {
            page_size: *page_size,
            duty_cycle: *duty_cycle,
            delimiter: json_bytes(&settings.delimiter),
            depth: settings.depth,
            top: settings.top,
        }
    }
}

impl From<Progress> for Steps {
    fn from(Progress { entries, booked, pages }: Progress) -> Self {
        Self { entries, booked, pages }
    }
}

impl Report {
    /// An analysis that is under way.
    pub(crate) fn running(options: &AnalysisOptions, progress: Progress) -> Self {
        let (options, progress) = (options.into(), Some(progress.into()));
        Self { state: Phase::Running, options, progress, error: None, result: None }
    }

    /// One that came to its end.
    pub(crate) fn done(options: &AnalysisOptions, analysed: &Analysed) -> Self {
        let result = Some(analysed.into());
        let running = Self::running(options, analysed.progress());
        Self { state: Phase::Done, result, ..running }
    }

    /// One that broke off, because of an error or because nobody wanted it any more.
    pub(crate) fn ended(options: &AnalysisOptions, error: Option<String>) -> Self {
        let state = if error.is_some() { Phase::Failed } else { Phase::Cancelled };
        Self { state, options: options.into(), progress: None, error, result: None }
    }
}

impl From<&Analysed> for Findings {
    fn from(analysed: &Analysed) -> Self {
        let Analysed { analysis, took, held, .. } = analysed;
        Self {
            took_ms: took.as_millis() as u64,
            held_us: held.as_micros() as u64,
            duty_cycle: analysed.share(),
            seen: analysis.seen().into(),
            estimated: analysis.estimated(),
            bytes: analysis.weight().into(),
            remaining_ms: analysis.remaining().into(),
            idle_ms: analysis.idle().into(),
            age_ms: analysis.age().into(),
            largest: largest(analysis),
            prefixes: prefixes(analysis),
            unprefixed: analysis.unprefixed().into(),
            most_uncounted: analysis.most_uncounted(),
        }
    }
}

fn largest(analysis: &Analysis) -> Vec<Large> {
    let large = analysis.largest().into_iter().map(|large| Large {
        key: json_bytes(large.key.as_bytes()),
        bytes: large.weight.bytes().into(),
    });
    large.collect()
}

/// As many of the heaviest as entries are told.
fn prefixes(analysis: &Analysis) -> Vec<Prefix> {
    let prefixes = analysis.prefixes().into_iter().take(analysis.settings().top as usize);
    let prefix = |weight: inval_core::analysis::PrefixWeight<'_>| Prefix {
        prefix: json_bytes(weight.prefix),
        entries: weight.entries,
        bytes: weight.bytes,
        error: weight.error,
    };
    prefixes.map(prefix).collect()
}

impl From<&Distribution> for Spread {
    fn from(distribution: &Distribution) -> Self {
        let histogram = distribution.histogram();
        let [p50, p90, p99] = [0.5, 0.9, 0.99].map(|q| histogram.quantile(q));
        Self {
            count: histogram.count(),
            missing: distribution.missing(),
            p50,
            p90,
            p99,
            buckets: buckets(histogram),
        }
    }
}

fn buckets(histogram: &Histogram) -> Vec<Bucket> {
    let all: Vec<_> = histogram.buckets().map(|(up_to, count)| Bucket { up_to, count }).collect();
    let is_filled = |bucket: &Bucket| bucket.count > 0;
    let first = all.iter().position(is_filled).unwrap_or(0);
    let end = all.iter().rposition(is_filled).map_or(0, |last| last + 1);
    all.get(first..end).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_reach_from_the_first_filled_to_the_last() {
        let check = |values: &[u64], want: &[(Option<u64>, u64)]| {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            let got: Vec<_> = buckets(&histogram).iter().map(|b| (b.up_to, b.count)).collect();
            assert_eq!(got, want);
        };
        check(&[], &[]);
        check(&[0], &[(Some(0), 1)]);
        check(&[5, 6, 40], &[(Some(7), 2), (Some(15), 0), (Some(31), 0), (Some(63), 1)]);
        check(&[u64::MAX], &[(None, 1)]);
    }
}
