//! Draws how the pacing controller responds, in the simulated world of its tests: the SVG of `docs/pacing.md`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

#[path = "../tests/pacing"]
#[expect(dead_code, reason = "the tests use more of it")]
mod pacing {
    pub(crate) mod arrivals;
    pub(crate) mod partition;
    pub(crate) mod server;
    pub(crate) mod world;
}

use std::fmt::{self, Write};

use inval_core::pacing::PacingSettings;
use pacing::arrivals::{MICRO, MILLI, burst, flow, merged};
use pacing::partition::Partition;
use pacing::server::{Costs, Server};
use pacing::world::World;

/// How long it is watched and in what steps, in milliseconds.
const END: u64 = 10_000;
const STEP: u64 = 20;
const BURST: u64 = 1_000;
const SURGE: std::ops::Range<u64> = 4_000..8_000;
const SECOND_BURST: u64 = 4_500;

const WIDTH: f64 = 860.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = WIDTH - 24.0;
const TOP: f64 = 126.0;
const PANEL: f64 = 104.0;
const GAP: f64 = 34.0;
const INK: &str = "#1f2328";
const MUTED: &str = "#59636e";
const GRID: &str = "#e4e8ec";
const AXIS: &str = "#8c959f";

/// A curve over time, and the values worth a line.
struct Panel {
    title: &'static str,
    colour: &'static str,
    lines: &'static [(f64, &'static str)],
    top: f64,
    values: Vec<f64>,
}

fn main() -> Result<(), fmt::Error> {
    let mut svg = String::new();
    write_plot(&mut svg, &watch(&mut world()))?;
    print!("{svg}");
    Ok(())
}

fn world() -> World {
    let always = flow(0, END, |_| 10_000.0);
    let bursts = merged(burst(BURST, 1_000_000), burst(SECOND_BURST, 400_000));
    let expiries = merged(always, bursts);
    let mut server = Server::new(Costs::REMOTE, 0.1);
    server.set_load(SURGE.start, 0.85);
    server.set_load(SURGE.end, 0.1);
    let part = Partition { expiries, ..Partition::default() };
    World::new(PacingSettings::default(), server, vec![part])
}

fn watch(world: &mut World) -> [Panel; 5] {
    let mut panels = panels();
    for end in (STEP..=END).step_by(STEP as usize) {
        let ran = world.slices.len();
        let from = world.now;
        world.run(end);
        let held: u64 = world.slices[ran..].iter().map(|ran| ran.held).sum();
        let (waiting, age) = world.waiting();
        let values = [
            waiting as f64,
            age as f64 / MILLI as f64,
            100.0 * held as f64 / (world.now - from).max(1) as f64,
            100.0 * world.governor.granted(),
            world.server.take_worst_client(world.now) as f64 / MICRO as f64,
        ];
        for (panel, value) in panels.iter_mut().zip(values) {
            panel.values.push(value);
        }
    }
    panels
}

fn panels() -> [Panel; 5] {
    let panel = |title, colour, lines, top| Panel { title, colour, lines, top, values: Vec::new() };
    [
        panel(
            "entries waiting to be taken off the books",
            "#0072b2",
            &[(0.0, "0"), (5e5, "500,000"), (1e6, "1,000,000")],
            1.05e6,
        ),
        panel(
            "lag: for how long the oldest has waited",
            "#d55e00",
            &[(0.0, "0"), (500.0, "0.5 s"), (1_000.0, "max_lag")],
            1_100.0,
        ),
        panel(
            "share of the server's time that upkeep takes",
            "#009e73",
            &[(2.0, "2 %"), (60.0, "60 %")],
            70.0,
        ),
        panel(
            "share of the duty cycles that the governor grants",
            "#aa4499",
            &[(10.0, "10 %"), (50.0, "50 %"), (100.0, "100 %")],
            108.0,
        ),
        panel(
            "the longest that a client waits for an answer",
            "#525c66",
            &[(0.0, "0"), (500.0, "0.5 ms"), (1_000.0, "1 ms"), (1_500.0, "1.5 ms")],
            1_600.0,
        ),
    ]
}

fn write_plot(svg: &mut String, panels: &[Panel]) -> fmt::Result {
    let bottom = TOP + panels.len() as f64 * (PANEL + GAP) - GAP;
    let height = bottom + 58.0;
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="{INK}">"#
    )?;
    writeln!(svg, "<title>How the pacing controller responds</title>")?;
    writeln!(svg, r##"<rect width="{WIDTH}" height="{height}" fill="#fff"/>"##)?;
    writeln!(
        svg,
        r#"<text x="24" y="34" font-size="18" font-weight="600">Bursts of expiry, on a calm server and on one that its clients need</text>"#
    )?;
    writeln!(
        svg,
        r#"<text x="24" y="55" fill="{MUTED}">Simulated: 10,000 entries expire each second beside; 15 µs a script, 0.45 µs an entry; clients take 10 % of the server</text>"#
    )?;
    write_marks(svg, bottom)?;
    for (at, panel) in panels.iter().enumerate() {
        write_panel(svg, panel, TOP + at as f64 * (PANEL + GAP))?;
    }
    write_time_axis(svg, bottom)?;
    svg.write_str("</svg>\n")
}

fn x(ms: u64) -> f64 {
    LEFT + ms as f64 / END as f64 * (RIGHT - LEFT)
}

fn write_marks(svg: &mut String, bottom: f64) -> fmt::Result {
    let (from, to) = (x(SURGE.start), x(SURGE.end));
    let (y, height, width) = (TOP - 16.0, bottom - TOP + 16.0, to - from);
    writeln!(
        svg,
        r##"<rect x="{from:.1}" y="{y}" width="{width:.1}" height="{height}" fill="#f3f5f7"/>"##
    )?;
    let bursts = [(BURST, "1,000,000 expire"), (SECOND_BURST, "400,000 expire")];
    for (x, text) in bursts.map(|(ms, text)| (x(ms), text)) {
        writeln!(
            svg,
            r#"<path d="M{x:.1} {y}V{bottom}" stroke="{AXIS}" stroke-dasharray="3 3"/>"#
        )?;
        let y = TOP - 22.0;
        writeln!(svg, r#"<text x="{x:.1}" y="{y}" fill="{MUTED}">{text}</text>"#)?;
    }
    let y = TOP - 40.0;
    writeln!(svg, r#"<text x="{from:.1}" y="{y}" fill="{MUTED}">clients take 85 %</text>"#)
}

fn write_panel(svg: &mut String, panel: &Panel, top: f64) -> fmt::Result {
    let bottom = top + PANEL;
    let y = |value: f64| bottom - value.min(panel.top) / panel.top * PANEL;
    for (value, label) in panel.lines {
        let y = y(*value);
        writeln!(svg, r#"<path d="M{LEFT} {y:.1}H{RIGHT}" stroke="{GRID}"/>"#)?;
        let (x, y) = (LEFT - 8.0, y + 4.5);
        writeln!(
            svg,
            r#"<text x="{x}" y="{y:.1}" text-anchor="end" font-size="11" fill="{MUTED}">{label}</text>"#
        )?;
    }
    svg.write_str(r#"<polyline points=""#)?;
    for (at, value) in panel.values.iter().enumerate() {
        write!(svg, "{:.1},{:.1} ", x((at as u64 + 1) * STEP), y(*value))?;
    }
    let colour = panel.colour;
    writeln!(
        svg,
        r#"" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round"/>"#
    )?;
    let (text_y, title) = (top - 7.0, panel.title);
    writeln!(
        svg,
        r#"<text x="{RIGHT}" y="{text_y}" text-anchor="end" fill="{colour}" font-weight="600">{title}</text>"#
    )
}

fn write_time_axis(svg: &mut String, bottom: f64) -> fmt::Result {
    writeln!(svg, r#"<path d="M{LEFT} {bottom}H{RIGHT}" stroke="{AXIS}"/>"#)?;
    for ms in (0..=END).step_by(1_000) {
        let (x, seconds) = (x(ms), ms / 1_000);
        writeln!(svg, r#"<path d="M{x:.1} {bottom}v5" stroke="{AXIS}"/>"#)?;
        let y = bottom + 21.0;
        writeln!(
            svg,
            r#"<text x="{x:.1}" y="{y}" text-anchor="middle" fill="{MUTED}">{seconds}</text>"#
        )?;
    }
    let (x, y) = ((LEFT + RIGHT) / 2.0, bottom + 43.0);
    writeln!(svg, r#"<text x="{x}" y="{y}" text-anchor="middle">seconds</text>"#)
}
