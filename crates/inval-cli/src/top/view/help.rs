//! What the keys do, over everything else.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Paragraph};

use super::super::app::App;
use super::super::keys::KEYS;

/// What cannot be seen from the headings.
const NOTES: [&str; 2] =
    ["used is of the limit that is closer", "! marks a lag above max_lag, · what is not known"];

impl App {
    pub(super) fn draw_help(&self, frame: &mut Frame<'_>, area: Rect) {
        let width = KEYS.iter().map(|(keys, _)| keys.chars().count()).max().unwrap_or(0);
        let keys = KEYS.iter().map(|(keys, what)| format!(" {keys:<width$}  {what} "));
        let notes = NOTES.iter().map(|note| format!(" {note} "));
        let lines: Vec<String> = keys.chain(notes).collect();
        let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) + 2;
        let size = [width, lines.len() + 2].map(|size| u16::try_from(size).unwrap_or(u16::MAX));
        let [width, height] = [size[0].min(area.width), size[1].min(area.height)];
        let x = area.x + (area.width - width) / 2;
        let y = area.y + (area.height - height) / 2;
        let window = Rect { x, y, width, height };
        frame.render_widget(Clear, window);
        let lines: Vec<Line<'_>> = lines.into_iter().map(Line::raw).collect();
        frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Keys ")), window);
    }
}
