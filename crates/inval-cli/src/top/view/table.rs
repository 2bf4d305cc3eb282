//! The table: a row a namespace.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, HighlightSpacing, Row, Table};

use super::super::app::App;
use super::super::columns::{self, COLUMNS, GAP, Kind};
use super::super::health::Health;
use crate::client::Point;

/// What marks the row of the cursor, also where nothing can be inverse.
const CURSOR: &str = "> ";

impl App {
    pub(super) fn draw_table(&mut self, frame: &mut Frame<'_>, area: Rect) {
        let rows = self.rows();
        let position = self.position(&rows);
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|(name, point)| COLUMNS.iter().map(|column| (column.cell)(name, point)).collect())
            .collect();
        let fitting = columns::fit(&cells, area.width);
        let heading = fitting.iter().map(|&(at, width)| self.heading(at, width));
        let heading = Row::new(heading.collect::<Vec<_>>());
        let body = rows.iter().zip(&cells).map(|((_, point), cells)| {
            let cell = |&(at, width): &(usize, u16)| {
                Cell::new(aligned(at, &cells[at], width)).style(self.style_of(at, point))
            };
            Row::new(fitting.iter().map(cell).collect::<Vec<_>>())
        });
        let widths = fitting.iter().map(|&(_, width)| Constraint::Length(width));
        let table = Table::new(body.collect::<Vec<_>>(), widths.collect::<Vec<_>>())
            .header(heading)
            .column_spacing(GAP)
            .style(self.freshness())
            .row_highlight_style(self.theme.cursor())
            .highlight_symbol(CURSOR)
            .highlight_spacing(HighlightSpacing::Always);
        if rows.is_empty() && area.height > 1 {
            let text = match self.filter.is_empty() {
                true => "  there are no namespaces; `inval ns create` makes one",
                false => "  no namespace has this in its name",
            };
            frame.render_widget(Line::raw(text), Rect { y: area.y + 1, height: 1, ..area });
        }
        self.page = area.height.saturating_sub(1).into();
        self.table.select(position);
        frame.render_stateful_widget(table, area, &mut self.table);
    }

    fn heading(&self, at: usize, width: u16) -> Cell<'static> {
        let heading = COLUMNS[at].heading;
        if at != self.order.column {
            return Cell::new(aligned(at, heading, width));
        }
        // Names go up and numbers down.
        let goes_up = (at == 0) != self.order.is_reversed;
        let mark = if goes_up { "▲" } else { "▼" };
        Cell::new(aligned(at, &format!("{heading}{mark}"), width)).style(self.theme.heading())
    }

    fn style_of(&self, at: usize, point: &Point) -> Style {
        match COLUMNS[at].kind {
            Kind::Health => self.theme.health(Health::of(&point.statistics)),
            Kind::Lag if point.statistics.is_late() => self.theme.health(Health::Late),
            _ => Style::new(),
        }
    }
}

/// Words to the left and numbers to the right, with an ellipsis for what has no room.
fn aligned(at: usize, text: &str, width: u16) -> Text<'static> {
    let width = usize::from(width);
    let text = match text.chars().count() > width {
        true => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
        false => text.to_owned(),
    };
    let text = Text::raw(text);
    match COLUMNS[at].kind {
        Kind::Words | Kind::Health => text,
        Kind::Number | Kind::Lag => text.right_aligned(),
    }
}
