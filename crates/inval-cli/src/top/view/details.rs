//! All that is known of one namespace, and how it came about.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, RenderDirection, Sparkline};

use super::super::app::App;
use super::super::cells;
use super::super::columns::{lag, used};
use super::super::health::Health;
use super::super::history::History;
use crate::client::{Amount, Limits, Point, Quantiles, Rates, Span, Statistics, print};
use crate::output::grouped;

/// A line that shows how a number changed over time.
struct Trend {
    name: &'static str,
    of: fn(&Rates) -> Option<f64>,
    cell: fn(Option<f64>) -> String,
    /// The height of a whole bar; `None` for that of the largest number.
    full: Option<f64>,
}

const fn per_s(name: &'static str, of: fn(&Rates) -> Option<f64>) -> Trend {
    Trend { name, of, cell: print::rate, full: None }
}

const TRENDS: [Trend; 6] = [
    Trend {
        name: "hit ratio",
        of: |rates| rates.miss_ratio.map(|ratio| 1.0 - ratio),
        cell: print::ratio,
        full: Some(1.0),
    },
    per_s("expired/s", |rates| Some(rates.expired)),
    per_s("evicted/s", |rates| Some(rates.evicted)),
    per_s("invalidated/s", |rates| Some(rates.invalidated)),
    per_s("replaced/s", |rates| Some(rates.replaced)),
    per_s("vanished/s", |rates| Some(rates.vanished)),
];
/// The widths of the names, of the numbers behind them, and of both with gaps.
const NAME: usize = 14;
const NUMBER: usize = 9;
const LABEL: u16 = 25;
/// Bars count in whole numbers, and what happens once a minute is to be seen.
const SCALE: f64 = 1000.0;

impl App {
    pub(super) fn draw_details(&self, frame: &mut Frame<'_>, area: Rect) {
        if area.is_empty() {
            return;
        }
        let rows = self.rows();
        let Some((name, point)) = self.position(&rows).map(|at| rows[at]) else { return };
        let statistics = &point.statistics;
        let health = Health::of(statistics);
        let strategy = print::text(statistics.strategy);
        let title = format!(" {name}: {strategy}, {} ", health.name());
        let block = Block::new().borders(Borders::TOP).title(title).style(self.freshness());
        let inner = block.inner(area);
        frame.render_widget(block, area);

        let mut lines = inner.rows();
        for (fact, line) in facts(statistics).into_iter().zip(lines.by_ref()) {
            frame.render_widget(Line::raw(fact), line);
        }
        let Some(history) = self.shown().history(name) else { return };
        for (trend, line) in TRENDS.iter().zip(lines) {
            trend.draw(frame, line, point, history);
        }
    }
}

impl Trend {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, point: &Point, history: &History) {
        let now = (self.cell)(point.rates.as_ref().and_then(self.of));
        let label = format!("{:<NAME$} {now:>NUMBER$}", self.name);
        frame.render_widget(Line::raw(label), area);
        let room = area.width.saturating_sub(LABEL);
        let bars = Rect { x: area.right() - room, width: room, ..area };
        let height = |value: f64| (value * SCALE).round() as u64;
        let values: Vec<Option<u64>> = history
            .latest_first()
            .take(bars.width.into())
            .map(|rates| rates.and_then(self.of).map(height))
            .collect();
        let largest = values.iter().flatten().max().copied().unwrap_or(0);
        let sparkline = Sparkline::default()
            .max(self.full.map_or(largest, height).max(1))
            .data(values)
            .absent_value_symbol("·")
            .direction(RenderDirection::RightToLeft);
        frame.render_widget(sparkline, bars);
    }
}

/// The limits there are, and how much is used of the closer one.
fn limit(statistics: &Statistics) -> String {
    let Limits { max_entries, max_bytes } = statistics.limits;
    let entries = max_entries.map(|entries| format!("{} entries", grouped(entries)));
    let limits: Vec<String> = entries.into_iter().chain(max_bytes.map(cells::bytes)).collect();
    match used(statistics) {
        None => "none".to_owned(),
        Some(used) => format!("{}; {} used", limits.join(", "), cells::percent(used)),
    }
}

/// How long ago evicted entries had been written, and last been used.
fn evicted(statistics: &Statistics) -> String {
    let told = |name: &str, Quantiles { p50, p99, .. }: Quantiles| {
        let p99 = print::text(p99.map(cells::time_ms));
        Some(format!("{name} {} p50, {p99} p99", cells::time_ms(p50?)))
    };
    let age = told("age", statistics.evicted_age_ms);
    let idle = told("idle", statistics.evicted_idle_ms);
    print::text(age.into_iter().chain(idle).reduce(|age, idle| format!("{age}; {idle}")))
}

/// What there is to say in words.
fn facts(statistics: &Statistics) -> [String; 4] {
    let Statistics { usage, peak, .. } = statistics;
    let fact = |name: &str, text: String| format!("{name:<NAME$} {text}");
    [
        fact(
            "usage",
            format!(
                "{} entries, {}; peak {}",
                grouped(usage.entries),
                cells::bytes(usage.bytes),
                print::text(peak.map(|Amount { entries, bytes }| {
                    format!("{}, {}", grouped(entries), cells::bytes(bytes))
                })),
            ),
        ),
        fact("limit", limit(statistics)),
        fact(
            "lag",
            format!(
                "{} of {}; backlog {}, rejected {}",
                lag(statistics),
                print::text(statistics.max_lag_ms.map(Span::of_millis)),
                print::number(statistics.backlog),
                grouped(statistics.rejected),
            ),
        ),
        fact("evicted at", evicted(statistics)),
    ]
}
