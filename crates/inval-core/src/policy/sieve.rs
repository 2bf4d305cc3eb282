//! SIEVE (Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024): a FIFO whose hand spares what was read.

use super::{OnHit, Policy};
use crate::books::Books;
use crate::list::List;
use crate::slab::{Id, NONE, Queue};

/// `freq` is the visited bit. The hand moves from the oldest entry to the newest and wraps; survivors
/// keep their place.
#[derive(Debug)]
pub(crate) struct Sieve {
    list: List,
    hand: Id,
}

impl Sieve {
    pub(crate) fn new() -> Self {
        Self { list: List::EMPTY, hand: NONE }
    }
}

impl Policy for Sieve {
    fn hit_rule(&self) -> OnHit {
        OnHit::Count { most: 1 }
    }

    fn on_remove<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        if self.hand == id {
            self.hand = books.slab.node(id).next;
        }
        self.list.remove(&mut books.slab.nodes, id);
    }

    fn on_return<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.list.insert_before(&mut books.slab.nodes, self.hand, id);
        self.hand = id;
    }

    fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        let oldest = self.list.front()?;
        let mut id = if self.hand == NONE { oldest } else { self.hand };
        while std::mem::take(&mut books.slab.entry_mut(id).freq) > 0 {
            id = List::after(&books.slab.nodes, id).unwrap_or(oldest);
        }
        self.hand = id;
        Some(id)
    }

    fn list_of<K, V>(&mut self, _: &Books<K, V>, _: Id) -> &mut List {
        &mut self.list
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        vec![(Queue::Main, self.list)]
    }

    fn is_consistent<K, V>(&self, books: &Books<K, V>) -> bool {
        self.hand == NONE || books.slab.get(self.hand).is_some()
    }
}
