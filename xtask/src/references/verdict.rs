//! The comparison itself: what counts as agreement, and how the table reads.

use anyhow::{Context, Result};

use super::replay::Replay;
use super::table::Reference;
use super::{JUDGED, Judged, OPTIMUM, Rule};

/// Published ratios are rounded; equal ones may differ by this.
const ROUNDING: f64 = 0.0005;

/// How much worse a strategy may be whose details are left to the implementation.
const MARGIN: f64 = 0.005;

/// Lets a difference of exactly the tolerance pass, whatever its last binary digit.
const SLACK: f64 = 1e-9;

/// One trace at one size.
#[derive(Debug)]
pub(super) struct Comparison {
    trace: String,
    entries: u64,
    cells: Vec<Cell>,
    optimum: Option<f64>,
}

/// One strategy of a comparison.
#[derive(Debug)]
struct Cell {
    judged: &'static Judged,
    requests: u64,
    ours: f64,
    /// Requests and miss ratio; `None` where the reference has no row.
    published: Option<(u64, f64)>,
}

impl Cell {
    fn new(judged: &'static Judged, ours: &Replay, published: Option<&Reference>) -> Self {
        let published = published.map(|row| (row.requests, row.miss_ratio));
        Self { judged, requests: ours.requests, ours: ours.miss_ratio, published }
    }

    /// What is wrong with this cell; `None` if it agrees or there is nothing to compare it with.
    fn violation(&self) -> Option<String> {
        let (requests, theirs) = self.published?;
        if self.requests != requests {
            return Some(format!("replayed {} requests, the reference {requests}", self.requests));
        }
        let difference = self.ours - theirs;
        let (agrees, bound) = match self.judged.rule {
            Rule::Equal => (difference.abs() <= ROUNDING + SLACK, format!("±{ROUNDING}")),
            Rule::AtMost => (difference <= MARGIN + SLACK, format!("at most +{MARGIN}")),
            Rule::Shown => (true, String::new()),
        };
        (!agrees).then(|| {
            format!(
                "{:.4}, the reference {theirs:.4}: {difference:+.4}, allowed {bound}",
                self.ours
            )
        })
    }

    fn shown(&self) -> String {
        let mark = if self.violation().is_some() { "!" } else { " " };
        match self.published {
            Some((_, theirs)) => {
                format!(
                    "{:.4} {theirs:.4} {:+.4}{mark}",
                    self.ours,
                    shown_difference(self.ours - theirs)
                )
            }
            None => format!("{:.4} {:>6} {:>7}{mark}", self.ours, "-", "-"),
        }
    }
}

impl Comparison {
    /// Puts each strategy's replay beside its reference, which may be missing; the replay may not.
    pub(super) fn of(
        trace: &str,
        entries: u64,
        references: &[Reference],
        replays: &[Replay],
    ) -> Result<Self> {
        let published = |policy: &str| {
            let mut rows = references.iter().filter(|row| row.policy == policy);
            rows.find(|row| row.trace == trace && row.entries == entries)
        };
        let mut cells = Vec::new();
        for judged in JUDGED {
            let strategy = judged.strategy;
            let ours = replays.iter().find(|replay| replay.is_of(strategy, entries)).with_context(
                || format!("{trace}: no replay of {strategy} at {entries} entries"),
            )?;
            cells.push(Cell::new(judged, ours, published(judged.reference)));
        }
        let optimum = published(OPTIMUM).map(|row| row.miss_ratio);
        Ok(Self { trace: trace.to_owned(), entries, cells, optimum })
    }

    /// One line for each strategy that disagrees with the reference.
    pub(super) fn violations(&self) -> Vec<String> {
        let at = format!("{} at {} entries", self.trace, self.entries);
        let strategies = self.cells.iter();
        strategies
            .filter_map(|cell| {
                cell.violation().map(|why| format!("{at}, {}: {why}", cell.judged.strategy))
            })
            .collect()
    }

    fn shown(&self) -> String {
        let cells: Vec<String> = self.cells.iter().map(Cell::shown).collect();
        let optimum = self.optimum.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.4}"));
        format!("{:<22} {:>7} | {} | {optimum:>7}", self.trace, self.entries, cells.join(" | "))
    }
}

/// Rounded as it is printed, so that nothing reads as minus zero.
fn shown_difference(difference: f64) -> f64 {
    (difference * 1e4).round() / 1e4 + 0.0
}

/// Prints every comparison: each strategy's ratio, the reference's, the difference; the optimum.
pub(super) fn print_table(comparisons: &[Comparison]) {
    let strategies: Vec<String> =
        JUDGED.iter().map(|judged| format!("{:<22}", judged.strategy)).collect();
    let columns = vec![format!("{:>6} {:>6} {:>7} ", "ours", "ref", "diff"); JUDGED.len()];
    println!("\nMiss ratios; ! marks a violation\n");
    println!("{:<22} {:>7} | {} | {OPTIMUM:>7}", "trace", "entries", strategies.join(" | "));
    println!("{:<22} {:>7} | {} | {:>7}", "", "", columns.join(" | "), "ref");
    for comparison in comparisons {
        println!("{}", comparison.shown());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares 100 requests of ours with a reference of `published` requests and ratio.
    fn check(strategy: &str, ours: f64, published: Option<(u64, f64)>, violation: Option<&str>) {
        let judged = JUDGED.iter().find(|judged| judged.strategy == strategy).expect("listed");
        let cell = Cell { judged, requests: 100, ours, published };
        assert_eq!(cell.violation().as_deref(), violation, "{strategy} {ours} {published:?}");
    }

    #[test]
    fn fifo_and_lru_are_equal_but_for_rounding() {
        check("lru", 0.5, Some((100, 0.5)), None);
        check("lru", 0.5005, Some((100, 0.5)), None);
        check("fifo", 0.4995, Some((100, 0.5)), None);
        check(
            "lru",
            0.5006,
            Some((100, 0.5)),
            Some("0.5006, the reference 0.5000: +0.0006, allowed ±0.0005"),
        );
        check(
            "fifo",
            0.49,
            Some((100, 0.5)),
            Some("0.4900, the reference 0.5000: -0.0100, allowed ±0.0005"),
        );
    }

    #[test]
    fn others_may_be_better_or_little_worse() {
        check("sieve", 0.1, Some((100, 0.5)), None);
        check("s3-fifo", 0.505, Some((100, 0.5)), None);
        check(
            "w-tinylfu",
            0.506,
            Some((100, 0.5)),
            Some("0.5060, the reference 0.5000: +0.0060, allowed at most +0.005"),
        );
    }

    #[test]
    fn lfu_is_only_shown() {
        check("lfu", 0.9, Some((100, 0.5)), None);
    }

    #[test]
    fn a_missing_reference_is_fine() {
        check("lru", 0.9, None, None);
    }

    #[test]
    fn another_number_of_requests_is_another_trace() {
        check("lru", 0.5, Some((99, 0.5)), Some("replayed 100 requests, the reference 99"));
        check("lfu", 0.5, Some((99, 0.5)), Some("replayed 100 requests, the reference 99"));
    }

    #[test]
    fn every_strategy_needs_a_replay_but_not_a_reference() {
        let replay = |strategy: &str, entries| Replay {
            strategy: strategy.to_owned(),
            requests: 100,
            miss_ratio: 0.5,
            max_entries: Some(entries),
        };
        let mut replays: Vec<Replay> = JUDGED.iter().map(|it| replay(it.strategy, 26)).collect();
        let comparison = Comparison::of("web", 26, &[], &replays).expect("complete");
        assert_eq!(comparison.violations(), Vec::<String>::new());
        replays[1].max_entries = Some(27);
        let error = Comparison::of("web", 26, &[], &replays).expect_err("lru is missing");
        assert_eq!(error.to_string(), "web: no replay of lru at 26 entries");
    }

    #[test]
    fn a_row_reads_from_left_to_right() {
        let cell = |ours, published| Cell { judged: &JUDGED[0], requests: 100, ours, published };
        let cells =
            vec![cell(0.25, Some((100, 0.2))), cell(0.5, None), cell(0.19999, Some((100, 0.2)))];
        let row = Comparison { trace: "web".into(), entries: 26, cells, optimum: Some(0.125) };
        let expected = "web                         26 | 0.2500 0.2000 +0.0500! | \
                        0.5000      -       -  | 0.2000 0.2000 +0.0000  |  0.1250";
        assert_eq!(row.shown(), expected);
        assert_eq!(
            row.violations(),
            ["web at 26 entries, fifo: 0.2500, the reference 0.2000: +0.0500, allowed ±0.0005"]
        );
    }
}
