//! W-TinyLFU (Einziger et al., ACM ToS 2017) with an adaptive window (Einziger et al., Middleware 2018).

use super::{Limits, OnHit, Policy, sketch::Sketch};
use crate::ledger::Books;
use crate::list::List;
use crate::slab::{Id, Queue};
use crate::stats::RemovalCause;
use crate::units::Random;

/// The least and the most of the cache that the window may be.
const WINDOW: std::ops::RangeInclusive<f64> = 0.01..=0.8;
/// The protected segment's part of what is not window.
const PROTECTED: f64 = 0.8;
/// From this estimate on, a candidate that lost is let in now and then, so that nobody can lock the
/// cache by raising the counts of a few keys.
const WARM: u8 = 6;

/// New entries stay in an LRU window. When it overflows, its oldest competes with the oldest entry
/// on probation: the one that the sketch saw less often goes. A hit on probation earns protection.
#[derive(Debug)]
pub(crate) struct WTinyLfu {
    window: List,
    probation: List,
    protected: List,
    sketch: Sketch,
    climber: Climber,
    random: Random,
}

impl WTinyLfu {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            window: List::EMPTY,
            probation: List::EMPTY,
            protected: List::EMPTY,
            sketch: Sketch::new(),
            climber: Climber::new(),
            random: Random::new(seed),
        }
    }

    fn window_limits(&self, limits: Limits) -> Limits {
        limits.share(self.climber.window)
    }

    fn protected_limits(&self, limits: Limits) -> Limits {
        limits.share((1.0 - self.climber.window) * PROTECTED)
    }

    fn admits<K, V>(&mut self, books: &Books<K, V>, candidate: Id, victim: Id) -> bool {
        let estimate = |id| self.sketch.estimate(books.slab.node(id).hash);
        let (new, old) = (estimate(candidate), estimate(victim));
        new > old || (new >= WARM && self.random.next_u64() & 127 == 0)
    }

    fn demote<K, V>(&mut self, books: &mut Books<K, V>) {
        let limits = self.protected_limits(books.limits);
        while limits.are_below(self.protected.usage())
            && let Some(id) = self.protected.front()
        {
            self.protected.remove(&mut books.slab.nodes, id);
            put(&mut self.probation, books, id, Queue::Main);
        }
    }
}

fn put<K, V>(list: &mut List, books: &mut Books<K, V>, id: Id, queue: Queue) {
    books.slab.entry_mut(id).queue = queue;
    list.push_back(&mut books.slab.nodes, id);
}

impl Policy for WTinyLfu {
    fn hit_rule(&self) -> OnHit {
        OnHit::Reorder
    }

    fn on_miss(&mut self) {
        self.climber.misses += 1;
    }

    fn on_hit<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.sketch.add(books.slab.node(id).hash);
        self.climber.hits += 1;
        self.climber.climb(u64::from(books.slab.len()));
        match books.slab.entry(id).queue {
            Queue::Entrance => self.window.move_to_back(&mut books.slab.nodes, id),
            Queue::Protected => self.protected.move_to_back(&mut books.slab.nodes, id),
            Queue::Main => {
                self.probation.remove(&mut books.slab.nodes, id);
                put(&mut self.protected, books, id, Queue::Protected);
                self.demote(books);
            }
        }
    }

    fn on_insert<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.sketch.ensure(u64::from(books.slab.len()));
        self.sketch.add(books.slab.node(id).hash);
        self.climber.climb(u64::from(books.slab.len()));
        put(&mut self.window, books, id, Queue::Entrance);
        let limits = self.window_limits(books.limits);
        while limits.are_below(self.window.usage())
            && let Some(oldest) = self.window.front()
            && oldest != id
        {
            self.window.remove(&mut books.slab.nodes, oldest);
            put(&mut self.probation, books, oldest, Queue::Main);
        }
    }

    fn on_remove<K, V>(&mut self, books: &mut Books<K, V>, id: Id, _: RemovalCause) {
        self.list_of(books, id).remove(&mut books.slab.nodes, id);
    }

    fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        let victim = self.probation.front().or_else(|| self.protected.front());
        let Some(candidate) = self.window.front() else {
            return victim;
        };
        let Some(victim) = victim else {
            return Some(candidate);
        };
        if !self.window_limits(books.limits).are_reached_by(self.window.usage()) {
            return Some(victim);
        }
        if !self.admits(books, candidate, victim) {
            return Some(candidate);
        }
        self.window.remove(&mut books.slab.nodes, candidate);
        put(&mut self.probation, books, candidate, Queue::Main);
        Some(victim)
    }

    fn list_of<K, V>(&mut self, books: &Books<K, V>, id: Id) -> &mut List {
        match books.slab.entry(id).queue {
            Queue::Entrance => &mut self.window,
            Queue::Main => &mut self.probation,
            Queue::Protected => &mut self.protected,
        }
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        vec![
            (Queue::Entrance, self.window),
            (Queue::Main, self.probation),
            (Queue::Protected, self.protected),
        ]
    }
}

/// Moves the window's share up or down, goes on while the hit ratio rises and turns when it falls.
#[derive(Debug)]
struct Climber {
    /// The window's share of the cache.
    window: f64,
    step: f64,
    hits: u64,
    misses: u64,
    last_hit_ratio: f64,
}

impl Climber {
    const FIRST_STEP: f64 = 0.0625;
    const DECAY: f64 = 0.98;
    /// A change of the hit ratio that tells of a new workload: strides become long again.
    const RESTART: f64 = 0.05;
    const READS_PER_ENTRY: u64 = 10;

    fn new() -> Self {
        Self {
            window: *WINDOW.start(),
            step: Self::FIRST_STEP,
            hits: 0,
            misses: 0,
            last_hit_ratio: 0.0,
        }
    }

    fn climb(&mut self, entries: u64) {
        let reads = self.hits + self.misses;
        if reads < Self::READS_PER_ENTRY * entries {
            return;
        }
        let hit_ratio = self.hits as f64 / reads as f64;
        let change = hit_ratio - self.last_hit_ratio;
        let stride = if change >= 0.0 { self.step } else { -self.step };
        self.window = (self.window + stride).clamp(*WINDOW.start(), *WINDOW.end());
        self.step = if change.abs() >= Self::RESTART {
            Self::FIRST_STEP.copysign(stride)
        } else {
            Self::DECAY * stride
        };
        self.last_hit_ratio = hit_ratio;
        (self.hits, self.misses) = (0, 0);
    }
}
