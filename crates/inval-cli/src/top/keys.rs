//! What each key does.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::app::{App, Details, Focus, Wish};

/// The keys, and what they do: for the help and the manual.
pub(super) const KEYS: [(&str, &str); 10] = [
    ("q Esc Ctrl-C", "end; Esc first closes what is open"),
    ("↑ ↓ j k", "move the cursor"),
    ("PgUp PgDn Home End", "move it further"),
    ("Enter", "show or hide the details"),
    ("s", "sort by the next column"),
    ("r", "reverse the order"),
    ("/", "show only names with a text in them"),
    ("p", "pause the display, or go on"),
    ("Ctrl-Z", "suspend"),
    ("?", "show or hide this help"),
];

/// No name is longer.
const LONGEST_FILTER: usize = 64;

impl App {
    /// Does what `key` is for.
    pub(super) fn on_key(&mut self, key: KeyEvent) -> Wish {
        if key.kind == KeyEventKind::Release {
            return Wish::GoOn;
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Wish::Quit,
                KeyCode::Char('z') => Wish::Suspend,
                _ => Wish::GoOn,
            };
        }
        match (self.focus, key.code) {
            (Focus::Filter, code) => self.on_filter_key(code),
            (_, KeyCode::Char('q')) => return Wish::Quit,
            (Focus::Help, _) => self.focus = Focus::Table,
            (Focus::Table, KeyCode::Esc) => return self.close(),
            (Focus::Table, code) => self.on_table_key(code),
        }
        Wish::GoOn
    }

    fn on_table_key(&mut self, code: KeyCode) {
        let page = self.page.max(1);
        match code {
            KeyCode::Up | KeyCode::Char('k') => self.select(|now, _| now.saturating_sub(1)),
            KeyCode::Down | KeyCode::Char('j') => self.select(|now, _| now + 1),
            KeyCode::PageUp => self.select(|now, _| now.saturating_sub(page)),
            KeyCode::PageDown => self.select(|now, _| now + page),
            KeyCode::Home => self.select(|_, _| 0),
            KeyCode::End => self.select(|_, last| last),
            KeyCode::Enter => {
                let are_visible = self.details == Details::Shown
                    || self.details == Details::IfRoom && self.has_room;
                self.details = if are_visible { Details::Hidden } else { Details::Shown };
            }
            KeyCode::Char('s') => self.order.next_column(),
            KeyCode::Char('r') => self.order.reverse(),
            KeyCode::Char('/') => self.focus = Focus::Filter,
            KeyCode::Char('p') => self.pause_or_go_on(),
            KeyCode::Char('?') => self.focus = Focus::Help,
            _ => {}
        }
    }

    fn on_filter_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Esc => {
                self.filter.clear();
                self.focus = Focus::Table;
            }
            KeyCode::Enter => self.focus = Focus::Table,
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) if self.filter.len() < LONGEST_FILTER => self.filter.push(c),
            _ => {}
        }
    }

    /// Closes one thing, or ends if nothing is open.
    fn close(&mut self) -> Wish {
        if self.details == Details::Shown {
            self.details = Details::IfRoom;
        } else if !self.filter.is_empty() {
            self.filter.clear();
        } else {
            return Wish::Quit;
        }
        Wish::GoOn
    }
}
