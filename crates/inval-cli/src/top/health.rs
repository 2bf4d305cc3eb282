//! How a namespace is getting on, in one word.

use crate::client::{State, Statistics};

/// From the worst to the best.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Health {
    Failing,
    /// Later than it may be.
    Late,
    Paused,
    Rebuilding,
    /// No manager tells.
    Unknown,
    Ready,
}

impl Health {
    pub(super) fn of(statistics: &Statistics) -> Self {
        match statistics.state {
            Some(State::Failing) => Self::Failing,
            Some(State::Paused) => Self::Paused,
            _ if statistics.is_late() => Self::Late,
            Some(State::Rebuilding) => Self::Rebuilding,
            Some(State::Ready) => Self::Ready,
            None => Self::Unknown,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Late => "late",
            Self::Paused => "paused",
            Self::Rebuilding => "rebuilding",
            Self::Unknown => "-",
            Self::Ready => "ready",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_worse_is_told() {
        let check = |state, lag_ms, want| {
            let statistics =
                Statistics { state, lag_ms, max_lag_ms: Some(1000), ..Statistics::default() };
            assert_eq!(Health::of(&statistics), want);
        };
        check(None, None, Health::Unknown);
        check(Some(State::Ready), Some(1000), Health::Ready);
        check(Some(State::Ready), Some(1001), Health::Late);
        check(Some(State::Rebuilding), Some(0), Health::Rebuilding);
        check(Some(State::Rebuilding), Some(9999), Health::Late);
        check(Some(State::Paused), Some(9999), Health::Paused);
        check(Some(State::Failing), Some(9999), Health::Failing);
    }
}
