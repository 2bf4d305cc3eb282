//! TTL: the entry that would expire soonest goes first; entries without a deadline last, oldest first.

use super::{OnHit, Policy};
use crate::books::Books;
use crate::list::List;
use crate::slab::{Id, Queue};

/// The order by deadline is the timing wheel's own; the list is for entries that have none.
#[derive(Debug)]
pub(crate) struct Ttl {
    list: List,
}

impl Ttl {
    pub(crate) fn new() -> Self {
        Self { list: List::EMPTY }
    }
}

impl Policy for Ttl {
    fn hit_rule(&self) -> OnHit {
        OnHit::Count { most: 0 }
    }

    fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        books.deadlines.soonest().or_else(|| self.list.front())
    }

    fn list_of<K, V>(&mut self, _: &Books<K, V>, _: Id) -> &mut List {
        &mut self.list
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        vec![(Queue::Main, self.list)]
    }
}
