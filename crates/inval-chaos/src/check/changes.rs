//! The changes of one key, or of all keys, and what they may have done by an instant.

use std::time::Duration;

use crate::history::{Act, Event, Outcome};

use super::steps::Steps;

/// A change that was not refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    /// The call that made it.
    pub(super) event: &'a Event,
    /// The first answer that proves it took effect, if one does.
    pub(super) settled: Option<Duration>,
    /// From when on it may leave the key empty, if ever.
    pub(super) empties: Option<Duration>,
}

/// Changes, in the order of the questions that are put to them.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    /// When the last change settled by an instant was asked for, and which it is.
    settled: Steps<&'a Event>,
    /// The same of the changes that were not undone.
    lasting: Steps<&'a Event>,
    /// Until when entries may have been removed or have expired by what empties the key from an instant on.
    emptied: Steps<()>,
}

impl<'a> Change<'a> {
    /// That of an invalidation; `None` for one that was refused, and for other calls.
    pub(super) fn removal(event: &'a Event) -> Option<Self> {
        let (Act::Invalidate(outcome) | Act::Clear(outcome)) = event.act else { return None };
        let settled = match outcome {
            Outcome::Done => Some(event.answered),
            Outcome::Unknown => None,
            Outcome::Refused => return None,
        };
        Some(Self { event, settled, empties: Some(event.asked) })
    }

    fn may_be_undone(&self, undone: &Steps<()>) -> bool {
        let latest = self.settled.map_or(Duration::MAX, |settled| settled.max(self.event.answered));
        undone.by(latest).is_some_and(|(to, ())| self.event.asked < to)
    }
}

impl<'a> Changes<'a> {
    /// Those given, of which the spans may undo some, and those of unknown outcome come so late at the most.
    pub(super) fn of(
        changes: impl IntoIterator<Item = Change<'a>>,
        undone: &Steps<()>,
        lateness: Duration,
    ) -> Self {
        let (mut settled, mut lasting, mut emptied) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            if let Some(at) = change.settled {
                settled.push((at, change.event.asked, change.event));
                if !change.may_be_undone(undone) {
                    lasting.push((at, change.event.asked, change.event));
                }
            }
            if let Some(from) = change.empties {
                let latest = change.event.answered.saturating_add(lateness);
                emptied.push((from, change.settled.unwrap_or(latest), ()));
            }
        }
        let [settled, lasting] = [settled, lasting].map(Steps::from_iter);
        Self { settled, lasting, emptied: emptied.into_iter().collect() }
    }

    /// A change that took effect after `since` and before `until` for certain, undone or not.
    pub(super) fn between(&self, since: Duration, until: Duration) -> Option<&'a Event> {
        later_than(since, self.settled.before(until))
    }

    /// A change that took effect after `since` and before `until` for certain, and was not undone.
    pub(super) fn lasting_between(&self, since: Duration, until: Duration) -> Option<&'a Event> {
        later_than(since, self.lasting.before(until))
    }

    /// The last instant at which the key may have been emptied of what was there, as far as it shows by `until`.
    pub(super) fn emptied_by(&self, until: Duration) -> Option<Duration> {
        self.emptied.by(until).map(|(last, ())| last)
    }
}

fn later_than(since: Duration, last: Option<(Duration, &Event)>) -> Option<&Event> {
    last.and_then(|(asked, event)| (asked > since).then_some(event))
}
