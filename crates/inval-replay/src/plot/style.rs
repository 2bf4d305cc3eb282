//! How curves are told apart: a colour, a dash and a marker each, so that any one of them suffices.

use std::fmt;

use inval_core::Strategy;

/// The looks of one curve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Style {
    /// Of the palette by Okabe and Ito (2008), made for every kind of colour vision; without its
    /// yellow, which is lost on white.
    pub(super) colour: &'static str,
    /// A value of `stroke-dasharray`.
    pub(super) dash: &'static str,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Circle,
    Square,
    Diamond,
    Up,
    Down,
    Ring,
    Cross,
}

const STYLES: [Style; 7] = [
    Style { colour: "#0072b2", dash: "none", shape: Shape::Circle },
    Style { colour: "#d55e00", dash: "9 4", shape: Shape::Square },
    Style { colour: "#009e73", dash: "2 3", shape: Shape::Up },
    Style { colour: "#cc79a7", dash: "10 3 2 3", shape: Shape::Diamond },
    Style { colour: "#000000", dash: "5 3", shape: Shape::Ring },
    Style { colour: "#e69f00", dash: "14 4", shape: Shape::Down },
    Style { colour: "#56b4e9", dash: "4 2 1 2", shape: Shape::Cross },
];

impl Style {
    /// The style of `strategy`, the same in every drawing.
    pub(super) fn of(strategy: Strategy) -> Self {
        let index = Strategy::ALL.iter().position(|other| *other == strategy).unwrap_or(0);
        STYLES[index % STYLES.len()]
    }

    /// A marker centred on (`x`, `y`).
    pub(super) fn marker(self, x: f64, y: f64) -> Marker {
        Marker { style: self, x, y }
    }
}

/// A marker, shown as an SVG element.
pub(super) struct Marker {
    style: Style,
    x: f64,
    y: f64,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { style: Style { colour, shape, .. }, x, y } = *self;
        // The white rim keeps a marker apart from the lines that run beneath it.
        let filled =
            format_args!(r##"fill="{colour}" stroke="#fff" stroke-width="1""##).to_string();
        match shape {
            Shape::Circle => write!(f, r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" {filled}/>"#),
            Shape::Ring => write!(
                f,
                r##"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="#fff" stroke="{colour}" stroke-width="1.8"/>"##
            ),
            Shape::Square => outline(f, "-3.6 -3.6h7.2v7.2h-7.2z", self, &filled),
            Shape::Diamond => outline(f, "0 -5l4.6 5l-4.6 5l-4.6 -5z", self, &filled),
            Shape::Up => outline(f, "0 -4.8l4.7 8.4h-9.4z", self, &filled),
            Shape::Down => outline(f, "0 4.8l4.7 -8.4h-9.4z", self, &filled),
            Shape::Cross => {
                let stroke = format!(r#"stroke="{colour}" stroke-width="2.2" fill="none""#);
                outline(f, "-3.6 -3.6l7.2 7.2m0 -7.2l-7.2 7.2", self, &stroke)
            }
        }
    }
}

/// A path that moves from the marker's centre by `path`.
fn outline(f: &mut fmt::Formatter<'_>, path: &str, at: &Marker, paint: &str) -> fmt::Result {
    write!(f, r#"<path d="M{:.1} {:.1}m{path}" {paint}/>"#, at.x, at.y)
}
