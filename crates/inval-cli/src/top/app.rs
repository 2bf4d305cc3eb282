//! What is shown and how: the numbers, and what keys have made of the display.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ratatui::widgets::TableState;

use super::model::Model;
use super::order::Order;
use super::theme::Theme;
use crate::client::{Point, Statistics};

/// The display. It is told what happens and at what time, and draws itself.
pub(super) struct App {
    /// Who tells the numbers.
    pub(super) identity: String,
    pub(super) interval: Duration,
    pub(super) theme: Theme,

    model: Model,
    /// What is shown instead while the display is paused.
    frozen: Option<Model>,

    pub(super) order: Order,
    /// Only namespaces with this in their name are shown.
    pub(super) filter: String,
    pub(super) focus: Focus,
    pub(super) details: Details,
    /// The namespace that the cursor is on; it stays there when the order changes.
    selected: Option<String>,
    pub(super) table: TableState,
    /// Rows that the table had room for when it was last drawn.
    pub(super) page: usize,
    /// Whether the details had room below the table when it was last drawn.
    pub(super) has_room: bool,
}

/// What keys are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Focus {
    Table,
    Filter,
    Help,
}

/// Whether more is told of the selected namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Details {
    /// Where there is room for it below the table.
    IfRoom,
    /// Also in the place of the table.
    Shown,
    Hidden,
}

/// What a key asks of whoever runs the display.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    GoOn,
    Suspend,
    Quit,
}

impl App {
    /// A display without numbers.
    pub(super) fn new(identity: String, interval: Duration, theme: Theme) -> Self {
        Self {
            identity,
            interval,
            theme,
            model: Model::default(),
            frozen: None,
            order: Order::default(),
            filter: String::new(),
            focus: Focus::Table,
            details: Details::IfRoom,
            selected: None,
            table: TableState::new(),
            page: 1,
            has_room: false,
        }
    }

    /// Takes what a reading at `now` told, or why it told nothing. Then the last numbers stay.
    pub(super) fn on_reading(
        &mut self,
        told: Result<BTreeMap<String, Statistics>, String>,
        now: Instant,
    ) {
        self.model.on_reading(told, now);
    }

    /// The numbers to show.
    pub(super) fn shown(&self) -> &Model {
        self.frozen.as_ref().unwrap_or(&self.model)
    }

    pub(super) fn is_paused(&self) -> bool {
        self.frozen.is_some()
    }

    /// Holds what is shown, while readings go on, or shows the latest again.
    pub(super) fn pause_or_go_on(&mut self) {
        self.frozen = match self.frozen {
            None => Some(self.model.clone()),
            Some(_) => None,
        };
    }

    /// The namespaces that the filter lets through, in their order.
    pub(super) fn rows(&self) -> Vec<(&str, &Point)> {
        let filter = self.filter.to_lowercase();
        let all = self.shown().reading.iter().map(|(name, point)| (name.as_str(), point));
        let mut rows: Vec<_> =
            all.filter(|(name, _)| name.to_lowercase().contains(&filter)).collect();
        rows.sort_by(|a, b| self.order.compare(*a, *b));
        rows
    }

    /// Where the cursor is among `rows`; on what came in its place if its namespace has gone.
    pub(super) fn position(&self, rows: &[(&str, &Point)]) -> Option<usize> {
        let last = rows.len().checked_sub(1)?;
        let selected = self.selected.as_deref();
        let found = rows.iter().position(|(name, _)| Some(*name) == selected);
        Some(found.unwrap_or_else(|| self.table.selected().unwrap_or(0).min(last)))
    }

    /// Puts the cursor where `to` says, out of where it is and which row is the last.
    pub(super) fn select(&mut self, to: impl FnOnce(usize, usize) -> usize) {
        let rows = self.rows();
        let Some(now) = self.position(&rows) else { return };
        let last = rows.len() - 1;
        let next = to(now, last).min(last);
        let name = rows[next].0.to_owned();
        self.selected = Some(name);
        self.table.select(Some(next));
    }
}
