//! The few styles there are, with colours or without.

use std::env;
use std::ffi::OsStr;

use ratatui::style::{Color, Modifier, Style};

use super::health::Health;

/// How things look. What a style says, a word or a mark says as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Theme {
    Colours,
    /// Bold, dim and inverse alone.
    Plain,
}

impl Theme {
    /// What the terminal can do and its user wants.
    pub(super) fn of_environment() -> Self {
        Self::of(env::var_os("NO_COLOR").as_deref(), env::var_os("TERM").as_deref())
    }

    /// By `NO_COLOR` (<https://no-color.org>), which counts unless it is empty, and the kind of the terminal.
    fn of(no_color: Option<&OsStr>, term: Option<&OsStr>) -> Self {
        let is_unwanted = no_color.is_some_and(|value| !value.is_empty());
        let term = term.and_then(OsStr::to_str).unwrap_or_default();
        let is_vt = term.strip_prefix("vt").is_some_and(|kind| kind.starts_with(char::is_numeric));
        let is_mono = term.ends_with("-m") || term.ends_with("-mono");
        if is_unwanted || is_vt || is_mono { Self::Plain } else { Self::Colours }
    }

    pub(super) fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }

    pub(super) fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Numbers that are no longer true.
    pub(super) fn stale(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn error(self) -> Style {
        self.coloured(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn health(self, health: Health) -> Style {
        match health {
            Health::Failing => self.error(),
            Health::Late | Health::Paused | Health::Rebuilding => self.coloured(Color::Yellow),
            Health::Ready | Health::Unknown => Style::new(),
        }
    }

    fn coloured(self, colour: Color) -> Style {
        match self {
            Self::Colours => Style::new().fg(colour),
            Self::Plain => Style::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_have_them_and_people_who_want_them() {
        let check = |no_color: Option<&str>, term: Option<&str>, want| {
            assert_eq!(Theme::of(no_color.map(OsStr::new), term.map(OsStr::new)), want);
        };
        check(None, Some("xterm-256color"), Theme::Colours);
        check(None, None, Theme::Colours);
        check(Some(""), Some("screen"), Theme::Colours);
        check(Some("1"), Some("xterm-256color"), Theme::Plain);
        check(None, Some("vte-256color"), Theme::Colours);
        check(None, Some("vt100"), Theme::Plain);
        check(None, Some("xterm-mono"), Theme::Plain);
    }
}
