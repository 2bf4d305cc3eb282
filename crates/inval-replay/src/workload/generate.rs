//! The requests of a workload, generated one by one in constant memory.

use super::random::Random;
use super::zipf::Zipf;
use super::{Kind, Workload};
use crate::Request;

/// Yields the requests of a [`Workload`]: keys only, without times and sizes.
#[derive(Clone, Debug)]
pub struct Requests {
    left: u64,
    random: Random,
    pattern: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    Zipf(Zipf),
    Scan(Scan),
    Hotspot(Hotspot),
    Loop { next: u64, keys: u64 },
}

impl Requests {
    pub(super) fn new(workload: &Workload) -> Self {
        let Workload { keys, skew, every, length, hot, share, .. } = *workload;
        let pattern = match workload.kind {
            Kind::Zipf => Pattern::Zipf(Zipf::new(keys, skew)),
            Kind::Scan => Pattern::Scan(Scan {
                popular: Zipf::new(keys, skew),
                every,
                length,
                keys,
                since_scan: 0,
                next: 0,
            }),
            Kind::Hotspot => {
                Pattern::Hotspot(Hotspot { keys, hot, share, every, since_move: 0, first: 0 })
            }
            Kind::Loop => Pattern::Loop { next: 0, keys },
        };
        Self { left: workload.requests, random: Random::new(workload.seed), pattern }
    }
}

impl Iterator for Requests {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        self.left = self.left.checked_sub(1)?;
        let random = &mut self.random;
        Some(Request::of_key(match &mut self.pattern {
            Pattern::Zipf(zipf) => zipf.sample(random) - 1,
            Pattern::Scan(scan) => scan.next(random),
            Pattern::Hotspot(hotspot) => hotspot.next(random),
            Pattern::Loop { next, keys } => {
                let key = *next;
                *next = (key + 1) % *keys;
                key
            }
        }))
    }
}

/// After `every` requests for popular keys, `length` keys of a second table in their order, going on
/// where the last scan ended.
#[derive(Clone, Debug)]
struct Scan {
    popular: Zipf,
    every: u64,
    length: u64,
    keys: u64,
    since_scan: u64,
    next: u64,
}

impl Scan {
    fn next(&mut self, random: &mut Random) -> u64 {
        if self.since_scan == self.every.saturating_add(self.length) {
            self.since_scan = 0;
        }
        self.since_scan += 1;
        if self.since_scan <= self.every {
            return self.popular.sample(random) - 1;
        }
        let key = self.keys + self.next;
        self.next = (self.next + 1) % self.keys;
        key
    }
}

/// A `share` of the requests goes to `hot` neighbouring keys, which move on after `every` requests;
/// the others go anywhere.
#[derive(Clone, Debug)]
struct Hotspot {
    keys: u64,
    hot: u64,
    share: f64,
    every: u64,
    since_move: u64,
    first: u64,
}

impl Hotspot {
    fn next(&mut self, random: &mut Random) -> u64 {
        if self.since_move == self.every {
            self.since_move = 0;
            self.first = (self.first + self.hot) % self.keys;
        }
        self.since_move += 1;
        if random.next_f64() < self.share {
            (self.first + random.below(self.hot)) % self.keys
        } else {
            random.below(self.keys)
        }
    }
}
