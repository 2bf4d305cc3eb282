//! LRU: the entry that was read or written least recently goes first.

use super::{OnHit, Policy};
use crate::books::Books;
use crate::list::List;
use crate::slab::{Id, Queue};

#[derive(Debug)]
pub(crate) struct Lru {
    list: List,
}

impl Lru {
    pub(crate) fn new() -> Self {
        Self { list: List::EMPTY }
    }
}

impl Policy for Lru {
    fn hit_rule(&self) -> OnHit {
        OnHit::Reorder
    }

    #[inline]
    fn on_hit<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.list.move_to_back(&mut books.slab.nodes, id);
    }

    fn victim<K, V>(&mut self, _: &mut Books<K, V>) -> Option<Id> {
        self.list.front()
    }

    fn list_of<K, V>(&mut self, _: &Books<K, V>, _: Id) -> &mut List {
        &mut self.list
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        vec![(Queue::Main, self.list)]
    }
}
