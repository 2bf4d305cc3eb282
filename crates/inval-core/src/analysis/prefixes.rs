//! Prefixes by weight, in bounded memory: Space-Saving (Metwally, Agrawal and El Abbadi, ICDT 2005), weighted.

use std::collections::{BTreeMap, BTreeSet};

/// What the keys with a prefix weigh. Their true weight is from `bytes - error` to `bytes`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PrefixWeight<'a> {
    /// What the keys begin with, the delimiter included.
    pub prefix: &'a [u8],
    /// What they weigh at the most.
    pub bytes: u64,
    /// By how much that may be too much; 0 if it is exact.
    pub error: u64,
    /// How many of them have been seen since the prefix was last counted anew; all of them if `error` is 0.
    pub entries: u64,
}

impl std::fmt::Debug for PrefixWeight<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { bytes, error, entries, .. } = self;
        f.debug_struct("PrefixWeight")
            .field("bytes", bytes)
            .field("error", error)
            .field("entries", entries)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Default)]
struct Counter {
    bytes: u64,
    error: u64,
    entries: u64,
}

/// A counter for each of the heaviest prefixes. A prefix without one takes over the least, with what that has
/// counted as its error.
#[derive(Clone)]
pub(super) struct Prefixes {
    /// Which counter is whose.
    places: BTreeMap<Box<[u8]>, u32>,
    counters: Vec<(Counter, Box<[u8]>)>,
    /// The counters by what they count, the least first.
    order: BTreeSet<(u64, u32)>,
    room: usize,
}

impl Prefixes {
    pub(super) fn new(room: u32) -> Self {
        Self {
            places: BTreeMap::new(),
            counters: Vec::new(),
            order: BTreeSet::new(),
            room: room as usize,
        }
    }

    pub(super) fn note(&mut self, prefix: &[u8], bytes: u64) {
        let place = match self.places.get(prefix) {
            Some(place) => *place,
            None => self.take_place(prefix),
        };
        let counter = &mut self.counters[place as usize].0;
        self.order.remove(&(counter.bytes, place));
        counter.bytes = counter.bytes.saturating_add(bytes);
        counter.entries += 1;
        self.order.insert((counter.bytes, place));
    }

    /// Gives a prefix a counter: a new one, or else the least.
    fn take_place(&mut self, prefix: &[u8]) -> u32 {
        let least = self.order.first().filter(|_| self.counters.len() >= self.room).copied();
        let place = match least {
            None => {
                self.counters.push((Counter::default(), prefix.into()));
                self.counters.len() as u32 - 1
            }
            Some((bytes, place)) => {
                let (counter, owner) = &mut self.counters[place as usize];
                *counter = Counter { bytes, error: bytes, entries: 0 };
                let former = std::mem::replace(owner, prefix.into());
                self.places.remove(&former);
                place
            }
        };
        self.places.insert(prefix.into(), place);
        place
    }

    /// The heaviest first; of equal ones that which comes first itself.
    pub(super) fn sorted(&self) -> Vec<PrefixWeight<'_>> {
        let mut weights: Vec<PrefixWeight<'_>> = self
            .counters
            .iter()
            .map(|(counter, prefix)| {
                let Counter { bytes, error, entries } = *counter;
                PrefixWeight { prefix, bytes, error, entries }
            })
            .collect();
        weights.sort_unstable_by(|one, other| {
            other.bytes.cmp(&one.bytes).then_with(|| one.prefix.cmp(other.prefix))
        });
        weights
    }

    /// The most that a prefix without a counter can weigh.
    pub(super) fn most_uncounted(&self) -> u64 {
        let is_full = self.counters.len() >= self.room;
        self.order.first().filter(|_| is_full).map_or(0, |(bytes, _)| *bytes)
    }
}
