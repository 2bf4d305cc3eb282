//! S3-FIFO (Yang et al., "FIFO Queues are All You Need for Cache Eviction", SOSP 2023).

use super::{OnHit, Policy, ghost::Ghost};
use crate::books::{Books, Limits};
use crate::list::List;
use crate::slab::{Id, Queue};

/// Accesses, counted up to three, that move an entry from the small to the main queue.
const ACCESSES_TO_STAY: u8 = 2;

/// New entries queue in `small` (a tenth of the cache). Those read twice there move on to `main`, the
/// others leave and are remembered as ghosts; a key that comes back while remembered goes straight
/// to `main`. Entries of `main` go round once more for every access, up to three. While a new cache
/// fills up, what `small` has no room for goes to `main`, as in the authors' simulator.
#[derive(Debug)]
pub(crate) struct S3Fifo {
    small: List,
    main: List,
    ghosts: Ghost,
    /// Whether there never was a need to evict.
    is_filling: bool,
}

impl S3Fifo {
    pub(crate) fn new() -> Self {
        Self { small: List::EMPTY, main: List::EMPTY, ghosts: Ghost::new(), is_filling: true }
    }

    /// How many ghosts count: as many as `main` is meant to hold.
    fn window<K, V>(books: &Books<K, V>) -> u64 {
        u64::from(books.slab.len()) * 9 / 10
    }

    /// The first entry of `small` that did not earn its place in `main`; those before it move there.
    fn victim_in_small<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        while let Some(id) = self.small.front() {
            let entry = books.slab.entry_mut(id);
            if entry.freq < ACCESSES_TO_STAY {
                return Some(id);
            }
            (entry.freq, entry.queue) = (0, Queue::Main);
            self.small.remove(&mut books.slab.nodes, id);
            self.main.push_back(&mut books.slab.nodes, id);
        }
        None
    }

    /// The first entry of `main` that has used up its accesses.
    fn victim_in_main<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        while let Some(id) = self.main.front() {
            let entry = books.slab.entry_mut(id);
            if entry.freq == 0 {
                return Some(id);
            }
            entry.freq -= 1;
            self.main.move_to_back(&mut books.slab.nodes, id);
        }
        None
    }
}

/// The part of the limits that is `small`'s.
fn small_limits(Limits { entries, bytes }: Limits) -> Limits {
    Limits { entries: entries / 10, bytes: bytes / 10 }
}

/// The part of the limits that is `main`'s.
fn main_limits(Limits { entries, bytes }: Limits) -> Limits {
    Limits { entries: entries - entries / 10, bytes: bytes - bytes / 10 }
}

impl Policy for S3Fifo {
    fn hit_rule(&self) -> OnHit {
        OnHit::Count { most: 3 }
    }

    fn on_insert<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        let hash = books.slab.node(id).hash;
        let fills_main =
            self.is_filling && small_limits(books.limits).are_reached_by(self.small.usage());
        if fills_main || self.ghosts.take(hash) {
            self.main.push_back(&mut books.slab.nodes, id);
        } else {
            books.slab.entry_mut(id).queue = Queue::Entrance;
            self.small.push_back(&mut books.slab.nodes, id);
        }
    }

    fn on_evict<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        if books.slab.entry(id).queue == Queue::Entrance {
            self.ghosts.insert(books.slab.node(id).hash, Self::window(books));
        }
    }

    fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        self.is_filling = false;
        if main_limits(books.limits).are_below(self.main.usage()) {
            return self.victim_in_main(books);
        }
        self.victim_in_small(books).or_else(|| self.victim_in_main(books))
    }

    fn list_of<K, V>(&mut self, books: &Books<K, V>, id: Id) -> &mut List {
        match books.slab.entry(id).queue {
            Queue::Entrance => &mut self.small,
            Queue::Main | Queue::Protected => &mut self.main,
        }
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        vec![(Queue::Entrance, self.small), (Queue::Main, self.main)]
    }

    fn is_consistent<K, V>(&self, _: &Books<K, V>) -> bool {
        self.ghosts.is_consistent()
    }
}
