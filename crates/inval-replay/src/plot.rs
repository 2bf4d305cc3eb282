//! Draws miss ratio over capacity as an SVG: one file without scripts, fonts or links.

mod labels;
mod scale;
mod style;

use std::fmt::{self, Write};

use inval_core::Strategy;

use crate::Outcome;
use scale::{Scale, capacity_label, ratio_label};
use style::Style;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 500.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 130.0;
const TOP: f64 = 84.0;
const BOTTOM: f64 = HEIGHT - 62.0;
const LABEL_GAP: f64 = 18.0;
const TITLE_LEN: usize = 110;

/// An SVG of the miss ratios of `outcomes` over their capacities: a curve for each strategy, in the
/// order in which they first occur. Capacities are limits in entries, or in bytes if there is an
/// outcome without a limit in entries; outcomes without that limit are left out.
pub fn miss_ratio_curves(outcomes: &[Outcome]) -> String {
    let mut svg = String::new();
    // Writing to a String cannot fail.
    let _ = Plot::of(outcomes).write(&mut svg);
    svg
}

struct Plot<'a> {
    trace: &'a str,
    unit: &'static str,
    curves: Vec<Curve>,
    x: Scale,
    y: Scale,
}

struct Curve {
    strategy: Strategy,
    style: Style,
    /// Capacity and miss ratio, capacities rising.
    points: Vec<(f64, f64)>,
}

impl<'a> Plot<'a> {
    fn of(outcomes: &'a [Outcome]) -> Self {
        let in_entries = outcomes.iter().all(|o| o.max_entries.is_some());
        let capacity = |o: &Outcome| if in_entries { o.max_entries } else { o.max_bytes };
        let mut curves: Vec<Curve> = Vec::new();
        for outcome in outcomes {
            let Some(capacity) = capacity(outcome) else { continue };
            let point = (capacity as f64, outcome.miss_ratio);
            match curves.iter_mut().find(|curve| curve.strategy == outcome.strategy) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve {
                    strategy: outcome.strategy,
                    style: Style::of(outcome.strategy),
                    points: vec![point],
                }),
            }
        }
        for curve in &mut curves {
            curve.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let points = || curves.iter().flat_map(|curve| curve.points.iter());
        Self {
            trace: outcomes.first().map_or("", |outcome| &outcome.trace),
            unit: if in_entries { "entries" } else { "bytes" },
            x: Scale::of_capacities(points().map(|p| p.0)),
            y: Scale::of_ratios(points().map(|p| p.1)),
            curves,
        }
    }

    fn x(&self, capacity: f64) -> f64 {
        LEFT + self.x.place(capacity) * (RIGHT - LEFT)
    }

    fn y(&self, ratio: f64) -> f64 {
        BOTTOM - self.y.place(ratio) * (BOTTOM - TOP)
    }

    fn write(&self, svg: &mut String) -> fmt::Result {
        let title = shortened(self.trace);
        writeln!(
            svg,
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="{INK}">"#
        )?;
        writeln!(svg, "<title>Miss ratio by capacity: {}</title>", Escaped(&title))?;
        writeln!(svg, r##"<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>"##)?;
        writeln!(
            svg,
            r#"<text x="24" y="34" font-size="18" font-weight="600">Miss ratio by capacity</text>"#
        )?;
        let trace = Escaped(&title);
        writeln!(svg, r#"<text x="24" y="55" fill="{MUTED}">{trace}</text>"#)?;
        self.write_y_axis(svg)?;
        self.write_x_axis(svg)?;
        self.curves.iter().try_for_each(|curve| self.write_curve(svg, curve))?;
        self.curves.iter().try_for_each(|curve| self.write_markers(svg, curve))?;
        self.write_labels(svg)?;
        svg.write_str("</svg>\n")
    }

    fn write_y_axis(&self, svg: &mut String) -> fmt::Result {
        let ticks = self.y.ticks();
        let step = ticks.windows(2).map(|pair| pair[1] - pair[0]).next().unwrap_or(1.0);
        for ratio in ticks {
            let y = self.y(ratio);
            writeln!(svg, r#"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="{GRID}"/>"#)?;
            let (x, y, label) = (LEFT - 10.0, y + 4.5, ratio_label(ratio, step));
            writeln!(
                svg,
                r#"<text x="{x}" y="{y:.1}" text-anchor="end" fill="{MUTED}">{label}</text>"#
            )?;
        }
        let middle = (TOP + BOTTOM) / 2.0;
        writeln!(
            svg,
            r#"<text transform="translate(28 {middle})rotate(-90)" text-anchor="middle">miss ratio</text>"#
        )
    }

    fn write_x_axis(&self, svg: &mut String) -> fmt::Result {
        writeln!(svg, r#"<path d="M{LEFT} {BOTTOM}H{RIGHT}" stroke="{AXIS}"/>"#)?;
        for capacity in self.x.ticks() {
            let (x, label) = (self.x(capacity), capacity_label(capacity));
            writeln!(svg, r#"<path d="M{x:.1} {BOTTOM}v5" stroke="{AXIS}"/>"#)?;
            let y = BOTTOM + 21.0;
            writeln!(
                svg,
                r#"<text x="{x:.1}" y="{y}" text-anchor="middle" fill="{MUTED}">{label}</text>"#
            )?;
        }
        let (x, y, unit) = ((LEFT + RIGHT) / 2.0, BOTTOM + 46.0, self.unit);
        writeln!(svg, r#"<text x="{x}" y="{y}" text-anchor="middle">capacity in {unit}</text>"#)
    }

    fn write_curve(&self, svg: &mut String, curve: &Curve) -> fmt::Result {
        let Style { colour, dash, .. } = curve.style;
        svg.write_str(r#"<polyline points=""#)?;
        for (capacity, ratio) in &curve.points {
            write!(svg, "{:.1},{:.1} ", self.x(*capacity), self.y(*ratio))?;
        }
        writeln!(
            svg,
            r#"" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}" stroke-linejoin="round"/>"#
        )
    }

    fn write_markers(&self, svg: &mut String, curve: &Curve) -> fmt::Result {
        for (capacity, ratio) in &curve.points {
            writeln!(svg, "{}", curve.style.marker(self.x(*capacity), self.y(*ratio)))?;
        }
        Ok(())
    }

    /// Names each curve beside its end, with a thin line from the one to the other.
    fn write_labels(&self, svg: &mut String) -> fmt::Result {
        let last_points: Vec<(f64, f64)> =
            self.curves.iter().filter_map(|curve| curve.points.last().copied()).collect();
        let wanted: Vec<f64> = last_points.iter().map(|(_, ratio)| self.y(*ratio)).collect();
        let heights = labels::spread(&wanted, LABEL_GAP, TOP, BOTTOM);
        for ((curve, (capacity, ratio)), y) in self.curves.iter().zip(last_points).zip(heights) {
            let Style { colour, .. } = curve.style;
            let (from_x, from_y) = (self.x(capacity) + 7.0, self.y(ratio));
            let (to_x, text_x) = (RIGHT + 20.0, RIGHT + 36.0);
            writeln!(
                svg,
                r#"<path d="M{from_x:.1} {from_y:.1}L{to_x} {y:.1}" stroke="{colour}" stroke-opacity="0.45" fill="none"/>"#
            )?;
            writeln!(svg, "{}", curve.style.marker(to_x + 5.0, y))?;
            let (text_y, name) = (y + 4.5, curve.strategy);
            writeln!(svg, r#"<text x="{text_x}" y="{text_y:.1}">{name}</text>"#)?;
        }
        Ok(())
    }
}

const INK: &str = "#1f2328";
const MUTED: &str = "#59636e";
const GRID: &str = "#e4e8ec";
const AXIS: &str = "#8c959f";

/// `text`, cut with an ellipsis if it is too long for a line.
fn shortened(text: &str) -> String {
    if text.chars().count() <= TITLE_LEN {
        return text.to_owned();
    }
    text.chars().take(TITLE_LEN - 1).chain(['…']).collect()
}

/// Text as it may stand in XML: marked-up characters escaped, forbidden ones replaced.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => f.write_char('\u{fffd}'),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(trace: &str, strategy: Strategy, max_entries: Option<u64>, ratio: f64) -> Outcome {
        Outcome {
            trace: trace.to_owned(),
            strategy,
            requests: 1000,
            hits: 0,
            misses: 0,
            miss_ratio: ratio,
            byte_miss_ratio: None,
            max_entries,
            max_bytes: max_entries.is_none().then_some(4096),
            evicted: 0,
            expired: 0,
            elapsed_s: 0.0,
            on_server: None,
        }
    }

    #[test]
    fn a_plot_is_a_curve_for_each_strategy_and_a_marker_for_each_outcome() {
        let mut outcomes = Vec::new();
        for capacity in [1000, 10, 100] {
            for strategy in Strategy::ALL {
                outcomes.push(outcome("t", strategy, Some(capacity), 1.0 / capacity as f64));
            }
        }
        let svg = miss_ratio_curves(&outcomes);
        assert_eq!(svg.matches("<polyline").count(), 7);
        assert!(Strategy::ALL.iter().all(|s| svg.contains(&format!(">{s}</text>"))));
        assert!(svg.contains("capacity in entries"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn few_or_odd_outcomes_still_make_a_drawing() {
        let check = |outcomes: &[Outcome], want: &str| {
            let svg = miss_ratio_curves(outcomes);
            assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"), "{svg}");
            assert!(svg.contains(want), "{want:?} in {svg}");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        };
        check(&[], "capacity in entries");
        check(&[outcome("t", Strategy::Lru, Some(1), 0.0)], "capacity in entries");
        check(&[outcome("t", Strategy::Lru, Some(u64::MAX), 1.0)], "capacity in entries");
        check(&[outcome("t", Strategy::Lru, None, 0.5)], "capacity in bytes");
        check(
            &[outcome("a<b>&\"\u{1}", Strategy::Lru, None, 0.5)],
            "a&lt;b&gt;&amp;&quot;\u{fffd}",
        );
        check(&[outcome(&"é".repeat(500), Strategy::Lru, None, 0.5)], "éé…<");
    }
}
