//! The order of the rows.

use std::cmp::Ordering;

use super::columns::COLUMNS;
use crate::client::Point;

/// By which column, and which way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Order {
    /// Its place among [`COLUMNS`]; the first is the name.
    pub(super) column: usize,
    pub(super) is_reversed: bool,
}

impl Order {
    /// Goes on to the next column that rows can be in the order of.
    pub(super) fn next_column(&mut self) {
        let after = (1..=COLUMNS.len()).map(|step| (self.column + step) % COLUMNS.len());
        let next = after.into_iter().find(|&at| at == 0 || COLUMNS[at].weight.is_some());
        *self = Self { column: next.unwrap_or(0), is_reversed: false };
    }

    pub(super) fn reverse(&mut self) {
        self.is_reversed = !self.is_reversed;
    }

    /// Names from A to Z, numbers from large to small; what is not known comes last.
    pub(super) fn compare(self, a: (&str, &Point), b: (&str, &Point)) -> Ordering {
        let turned = |ordering: Ordering| match self.is_reversed {
            true => ordering.reverse(),
            false => ordering,
        };
        let weight = |point| COLUMNS[self.column].weight.and_then(|weight| weight(point));
        let by_weight = match (weight(a.1), weight(b.1)) {
            (Some(a), Some(b)) => turned(b.total_cmp(&a)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_weight.then_with(|| turned(a.0.cmp(b.0)))
    }
}
