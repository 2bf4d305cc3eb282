//! The columns of the table: what each shows, sorts by, and in which order they give way.

use std::cmp::Reverse;

use super::cells;
use super::health::Health;
use crate::client::{Point, Rates, Statistics, print};
use crate::output::grouped;

/// A column of the table.
pub(super) struct Column {
    pub(super) heading: &'static str,
    /// Columns with a low rank are the first to go where there is little room; the name has the highest.
    rank: u8,
    /// How wide it is at least, so that it does not jump with every number.
    least: u16,
    pub(super) kind: Kind,
    pub(super) cell: fn(&str, &Point) -> String,
    /// What rows are in the order of, from large to small; `None` in a column without an order of its own.
    pub(super) weight: Option<fn(&Point) -> Option<f64>>,
}

/// What a column holds, which says how its cells stand and look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Words,
    Number,
    Health,
    Lag,
}

/// How long a bar is.
const BAR: usize = 8;
/// Between columns, and for the cursor before them.
pub(super) const GAP: u16 = 2;
/// A longer name ends in an ellipsis.
const LONGEST_NAME: u16 = 32;

/// All of them, from left to right.
pub(super) const COLUMNS: [Column; 14] = [
    Column {
        heading: "namespace",
        kind: Kind::Words,
        rank: 13,
        least: 10,
        cell: |name, _| name.into(),
        weight: None,
    },
    Column {
        heading: "state",
        kind: Kind::Health,
        rank: 12,
        least: 6,
        cell: |_, point| Health::of(&point.statistics).name().into(),
        weight: Some(|point| Some(-f64::from(Health::of(&point.statistics) as u8))),
    },
    Column {
        heading: "strategy",
        kind: Kind::Words,
        rank: 0,
        least: 8,
        cell: |_, point| print::text(point.statistics.strategy),
        weight: None,
    },
    Column {
        heading: "entries",
        kind: Kind::Number,
        rank: 2,
        least: 7,
        cell: |_, point| grouped(point.statistics.usage.entries),
        weight: Some(|point| Some(point.statistics.usage.entries as f64)),
    },
    Column {
        heading: "bytes",
        kind: Kind::Number,
        rank: 3,
        least: 7,
        cell: |_, point| cells::bytes(point.statistics.usage.bytes),
        weight: Some(|point| Some(point.statistics.usage.bytes as f64)),
    },
    Column {
        heading: "usage",
        kind: Kind::Words,
        rank: 5,
        least: BAR as u16,
        cell: |_, point| print::text(used(&point.statistics).map(|used| cells::bar(used, BAR))),
        weight: None,
    },
    Column {
        heading: "used",
        kind: Kind::Number,
        rank: 8,
        least: 4,
        cell: |_, point| print::text(used(&point.statistics).map(cells::percent)),
        weight: Some(|point| used(&point.statistics)),
    },
    Column {
        heading: "hit ratio",
        kind: Kind::Number,
        rank: 10,
        least: 9,
        cell: |_, point| print::ratio(hit_ratio(point)),
        weight: Some(hit_ratio),
    },
    Column {
        heading: "hits/s",
        kind: Kind::Number,
        rank: 9,
        least: 6,
        cell: |_, point| per_s(point, |rates| rates.hits),
        weight: Some(|point| point.rates.map(|rates| rates.hits)),
    },
    Column {
        heading: "writes/s",
        kind: Kind::Number,
        rank: 6,
        least: 8,
        cell: |_, point| per_s(point, |rates| rates.inserted),
        weight: Some(|point| point.rates.map(|rates| rates.inserted)),
    },
    Column {
        heading: "evicted/s",
        kind: Kind::Number,
        rank: 7,
        least: 9,
        cell: |_, point| per_s(point, |rates| rates.evicted),
        weight: Some(|point| point.rates.map(|rates| rates.evicted)),
    },
    Column {
        heading: "expired/s",
        kind: Kind::Number,
        rank: 4,
        least: 9,
        cell: |_, point| per_s(point, |rates| rates.expired),
        weight: Some(|point| point.rates.map(|rates| rates.expired)),
    },
    Column {
        heading: "backlog",
        kind: Kind::Number,
        rank: 1,
        least: 7,
        cell: |_, point| print::number(point.statistics.backlog),
        weight: Some(|point| point.statistics.backlog.map(|backlog| backlog as f64)),
    },
    Column {
        heading: "lag",
        kind: Kind::Lag,
        rank: 11,
        least: 6,
        cell: |_, point| lag(&point.statistics),
        weight: Some(|point| point.statistics.lag_ms.map(|ms| ms as f64)),
    },
];

/// The columns of a table that fit in `room`, by their places among [`COLUMNS`] and with their widths. `cells` has
/// the rows, each with all cells.
pub(super) fn fit(cells: &[Vec<String>], room: u16) -> Vec<(usize, u16)> {
    let width = |at: usize| {
        let longest = cells.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
        let heading = COLUMNS[at].heading.len() + 1;
        let width = longest.max(heading).max(COLUMNS[at].least.into());
        u16::try_from(width).unwrap_or(u16::MAX).min(LONGEST_NAME)
    };
    let mut by_rank: Vec<usize> = (0..COLUMNS.len()).collect();
    by_rank.sort_by_key(|&at| Reverse(COLUMNS[at].rank));
    let mut left = room;
    let mut fitting = Vec::new();
    for at in by_rank {
        // A long name gives way to the columns that matter most.
        let width = if at == 0 { width(at).min((room / 4).max(10)) } else { width(at) };
        let Some(rest) = left.checked_sub(width + GAP) else { break };
        left = rest;
        fitting.push((at, width));
    }
    fitting.sort_unstable();
    fitting
}

/// How much of its tighter limit a namespace uses; `None` where it has none.
pub(super) fn used(statistics: &Statistics) -> Option<f64> {
    let Statistics { usage, limits, .. } = statistics;
    let share = |used: u64, limit: Option<u64>| {
        limit.filter(|&limit| limit > 0).map(|limit| used as f64 / limit as f64)
    };
    let (entries, bytes) =
        (share(usage.entries, limits.max_entries), share(usage.bytes, limits.max_bytes));
    entries.into_iter().chain(bytes).reduce(f64::max)
}

/// Of the reads since the reading before, or else of all there were.
fn hit_ratio(point: &Point) -> Option<f64> {
    let lately = point.rates.and_then(|rates| rates.miss_ratio);
    lately.or(point.statistics.miss_ratio).map(|ratio| 1.0 - ratio)
}

fn per_s(point: &Point, of: fn(&Rates) -> f64) -> String {
    print::rate(point.rates.as_ref().map(of))
}

/// How late it is, with a mark if that is more than it may be.
pub(super) fn lag(statistics: &Statistics) -> String {
    let mark = if statistics.is_late() { "!" } else { "" };
    print::text(statistics.lag_ms.map(|ms| cells::time_ms(ms) + mark))
}
