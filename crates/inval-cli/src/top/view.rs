//! How the display is drawn.

mod header;
mod table;
mod details;
mod help;

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use super::app::{App, Details, Focus};

/// Lines of the header and the details.
const HEADER: u16 = 3;
const DETAILS: u16 = 11;
/// So many rows are enough for the table if there are more.
const ROWS: usize = 14;

impl App {
    /// Draws everything as it is at `now`.
    pub(super) fn draw(&mut self, frame: &mut Frame<'_>, now: Instant) {
        let [header, middle, footer] = Layout::vertical([
            Constraint::Length(HEADER),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(frame.area());
        let rows = self.shown().reading.len().min(ROWS);
        self.has_room = usize::from(middle.height) > usize::from(DETAILS) + rows;
        self.draw_header(frame, header, now);
        let details = match (self.details, self.has_room) {
            (Details::Hidden, _) | (Details::IfRoom, false) => 0,
            (Details::IfRoom | Details::Shown, true) => DETAILS,
            (Details::Shown, false) => middle.height,
        };
        let [table, details] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(details)]).areas(middle);
        self.draw_table(frame, table);
        self.draw_details(frame, details);
        self.draw_footer(frame, footer);
        if self.focus == Focus::Help {
            self.draw_help(frame, frame.area());
        }
    }

    fn draw_footer(&self, frame: &mut Frame<'_>, area: Rect) {
        if self.focus == Focus::Filter {
            let line = Line::from(vec![
                Span::styled(format!("/{}", self.filter), self.theme.title()),
                Span::styled(" ", self.theme.cursor()),
                Span::raw("  Enter keeps it, Esc shows all"),
            ]);
            return frame.render_widget(line, area);
        }
        let keys = "q end  ? help  Enter details  s sort  r reverse  / filter  p pause";
        frame.render_widget(Line::raw(keys), area);
    }
}
