//! When a key was seen to hold a value, as far as it can still prove a miss wrong.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use crate::history::Event;

/// A call that proves that a value was there at an instant after it was asked and before `until`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting<'a> {
    /// The call that found the value, or that wrote it.
    pub(super) by: &'a Event,
    /// The call that wrote the value.
    pub(super) write: &'a Event,
    /// When it was there at the latest.
    pub(super) until: Duration,
    /// When the value may first have expired; the end of time if it never does.
    pub(super) expires: Duration,
}

/// The sightings that no later one of a value that lives as long outdoes, by when they were asked: the later, the
/// sooner they expire.
#[derive(Default, Debug)]
pub(super) struct Sightings<'a> {
    by_asked: BTreeMap<Duration, Sighting<'a>>,
}

impl<'a> Sightings<'a> {
    /// Adds one, and drops those that it outdoes.
    pub(super) fn add(&mut self, sighting: Sighting<'a>) {
        let asked = sighting.by.asked;
        if self
            .by_asked
            .range(asked..)
            .next()
            .is_some_and(|(_, later)| later.expires >= sighting.expires)
        {
            return;
        }
        while let Some((&earlier, outdone)) = self.by_asked.range(..=asked).next_back()
            && outdone.expires <= sighting.expires
        {
            self.by_asked.remove(&earlier);
        }
        self.by_asked.insert(asked, sighting);
    }

    /// One that was asked after an instant, or at any time for `None`, of a value that has not expired by `at`.
    pub(super) fn since(&self, emptied: Option<Duration>, at: Duration) -> Option<&Sighting<'a>> {
        let after = (emptied.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        let (_, sighting) = self.by_asked.range(after).next()?;
        (sighting.expires > at).then_some(sighting)
    }
}
