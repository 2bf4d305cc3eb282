//! The rates of a namespace in the past.

use std::collections::VecDeque;

use crate::client::Rates;

/// As many as fit on a wide screen.
const KEPT: usize = 240;

/// The latest rates of a namespace; the oldest go when there are too many.
#[derive(Clone, Default)]
pub(super) struct History(VecDeque<Option<Rates>>);

impl History {
    /// Goes on with what came next; `None` where the rates are not known.
    pub(super) fn push(&mut self, rates: Option<Rates>) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(rates);
    }

    /// From the latest to the oldest.
    pub(super) fn latest_first(&self) -> impl Iterator<Item = Option<&Rates>> {
        self.0.iter().rev().map(Option::as_ref)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let mut history = History::default();
        for _ in 0..KEPT {
            history.push(None);
        }
        let rates = Rates::total([Rates::default()]);
        history.push(rates);
        assert_eq!(history.len(), KEPT);
        assert_eq!(history.latest_first().next(), Some(rates.as_ref()));
    }
}
