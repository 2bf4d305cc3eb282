//! W-TinyLFU (Einziger et al., ACM ToS 2017), its window balanced by what comes back.

use super::{OnHit, Policy, ghost::Ghost, sketch::Sketch};
use crate::books::{Books, Limits};
use crate::list::List;
use crate::slab::{Id, Queue};
use crate::units::Random;

/// The protected segment's part of what is not window.
const PROTECTED: f64 = 0.8;
/// From this estimate on, a candidate that lost is let in once in `LUCK` times, so that nobody can
/// lock the cache by raising the counts of a few keys.
const WARM: u8 = 6;
const LUCK: u64 = 64;
/// How many entries are moved on at once from a segment that is above its share. There are more to be moved
/// only if a limit was lowered or if an entry is much heavier than others; they go next time.
const MOVED_AT_ONCE: usize = 256;

/// New entries stay in an LRU window. When it overflows, its oldest competes with the oldest entry
/// on probation: the one that the sketch saw less often goes. A hit on probation earns protection.
#[derive(Debug)]
pub(crate) struct WTinyLfu {
    window: List,
    probation: List,
    protected: List,
    sketch: Sketch,
    balance: Balance,
    random: Random,
}

impl WTinyLfu {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            window: List::EMPTY,
            probation: List::EMPTY,
            protected: List::EMPTY,
            sketch: Sketch::new(),
            balance: Balance::new(),
            random: Random::new(seed),
        }
    }

    fn window_limits(&self, limits: Limits) -> Limits {
        limits.share(self.balance.window)
    }

    fn protected_limits(&self, limits: Limits) -> Limits {
        limits.share((1.0 - self.balance.window) * PROTECTED)
    }

    fn admits<K, V>(&mut self, books: &Books<K, V>, candidate: Id, victim: Id) -> bool {
        let estimate = |id| self.sketch.estimate(books.slab.node(id).hash);
        let (new, old) = (estimate(candidate), estimate(victim));
        new > old || (new >= WARM && self.random.next_u64().is_multiple_of(LUCK))
    }

    /// Moves what the window has no room for on to probation, but not the entry that just came in.
    fn narrow_window<K, V>(&mut self, books: &mut Books<K, V>, newest: Id) {
        let limits = self.window_limits(books.limits);
        for _ in 0..MOVED_AT_ONCE {
            if !limits.are_below(self.window.usage()) {
                return;
            }
            let Some(oldest) = self.window.front().filter(|&id| id != newest) else { return };
            self.window.remove(&mut books.slab.nodes, oldest);
            put(&mut self.probation, books, oldest, Queue::Main);
        }
    }

    fn demote<K, V>(&mut self, books: &mut Books<K, V>) {
        let limits = self.protected_limits(books.limits);
        for _ in 0..MOVED_AT_ONCE {
            if !limits.are_below(self.protected.usage()) {
                return;
            }
            let Some(id) = self.protected.front() else { return };
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

    fn on_hit<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.sketch.add(books.slab.node(id).hash);
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
        let (hash, entries) = (books.slab.node(id).hash, u64::from(books.slab.len()));
        self.sketch.ensure(entries);
        self.sketch.add(hash);
        self.balance.on_insert(hash, entries);
        put(&mut self.window, books, id, Queue::Entrance);
        self.narrow_window(books, id);
    }

    fn on_evict<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        let entries = u64::from(books.slab.len());
        self.balance.on_evict(books.slab.entry(id).queue, books.slab.node(id).hash, entries);
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

    fn is_consistent<K, V>(&self, _: &Books<K, V>) -> bool {
        self.balance.rejected.ghosts.is_consistent()
            && self.balance.displaced.ghosts.is_consistent()
    }
}

/// Finds the window's share of the cache. Entries that the window gave up without their being let
/// in, and entries that were let in and evicted later, are both remembered as ghosts. If more of the
/// first kind come back, the window is too small; if more of the second kind, it is too large.
///
/// The hill climbing of the authors (Einziger et al., Middleware 2018) compares hit ratios at different
/// times instead, and takes what is noise or a change of the workload for the effect of its last
/// move. docs/decisions/0002-w-tinylfu-window.md has the measurements.
#[derive(Debug)]
struct Balance {
    /// The window's share of the cache.
    window: f64,
    rejected: Evictions,
    displaced: Evictions,
    /// Insertions since the last move.
    insertions: u64,
}

/// How many entries left one side, and how many of them came back, both fading with time.
#[derive(Debug)]
struct Evictions {
    ghosts: Ghost,
    gone: f64,
    returned: f64,
}

impl Balance {
    /// The least and the most of the cache that the window may be.
    const LEAST: f64 = 0.01;
    const MOST: f64 = 0.8;
    /// The factor by which the window grows or shrinks at each move, and by which one side must lead
    /// for a move to be made.
    const STEP: f64 = 1.1;
    const LEAD: f64 = 1.1;
    /// What is left of the counts after each move.
    const FADE: f64 = 0.9;

    fn new() -> Self {
        let evictions = || Evictions { ghosts: Ghost::new(), gone: 0.0, returned: 0.0 };
        Self { window: Self::LEAST, rejected: evictions(), displaced: evictions(), insertions: 0 }
    }

    fn on_insert(&mut self, hash: u32, entries: u64) {
        self.rejected.count_return(hash);
        self.displaced.count_return(hash);
        self.insertions += 1;
        if self.insertions >= (entries / 10).max(10) {
            self.insertions = 0;
            self.move_window();
        }
    }

    fn on_evict(&mut self, from: Queue, hash: u32, entries: u64) {
        let side = if from == Queue::Entrance { &mut self.rejected } else { &mut self.displaced };
        side.gone += 1.0;
        side.ghosts.insert(hash, entries);
    }

    fn move_window(&mut self) {
        let (rejected, displaced) = (self.rejected.return_ratio(), self.displaced.return_ratio());
        if rejected > displaced * Self::LEAD {
            self.window = (self.window * Self::STEP).min(Self::MOST);
        } else if displaced > rejected * Self::LEAD {
            self.window = (self.window / Self::STEP).max(Self::LEAST);
        }
        self.rejected.fade();
        self.displaced.fade();
    }
}

impl Evictions {
    fn count_return(&mut self, hash: u32) {
        if self.ghosts.take(hash) {
            self.returned += 1.0;
        }
    }

    fn return_ratio(&self) -> f64 {
        self.returned / (self.gone + 1.0)
    }

    fn fade(&mut self) {
        self.gone *= Balance::FADE;
        self.returned *= Balance::FADE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The window after `gone` entries left each side, the rejected and the displaced, of which `back` returned.
    fn window(gone: [u32; 2], back: [u32; 2]) -> f64 {
        let mut balance = Balance::new();
        balance.window = 0.1;
        // Far enough apart for their ghosts not to be taken for each other.
        let hash = |side: u32, n: u32| ((side * 1_000 + n) << 20) | (side * 1_000 + n);
        for (side, queue) in [(0, Queue::Entrance), (1, Queue::Main)] {
            let left = gone[side as usize];
            (0..left).for_each(|n| balance.on_evict(queue, hash(side, n), 2_000));
        }
        for side in 0..2 {
            (0..back[side as usize]).for_each(|n| balance.on_insert(hash(side, n), 2_000));
        }
        let others = 200 - back[0] - back[1];
        (0..others).for_each(|n| balance.on_insert(hash(3, n), 2_000));
        balance.window
    }

    #[test]
    fn the_window_grows_or_shrinks_for_the_side_of_which_the_larger_part_comes_back() {
        let check = |gone, back, want: f64| {
            let window = window(gone, back);
            assert!((window - want).abs() < 1e-9, "{window}: {gone:?} left, {back:?} came back");
        };
        check([40, 40], [0, 0], 0.1);
        check([40, 40], [20, 20], 0.1);
        check([40, 40], [20, 19], 0.1);
        check([40, 40], [20, 0], 0.1 * 1.1);
        check([40, 40], [0, 20], 0.1 / 1.1);
        check([20, 200], [10, 40], 0.1 * 1.1);
        check([200, 20], [40, 10], 0.1 / 1.1);
    }
}
