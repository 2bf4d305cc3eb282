//! FIFO: the entry that was inserted first goes first. Reads and overwrites change nothing.

use super::{OnHit, Policy};
use crate::books::Books;
use crate::list::List;
use crate::slab::{Id, Queue};

#[derive(Debug)]
pub(crate) struct Fifo {
    list: List,
}

impl Fifo {
    pub(crate) fn new() -> Self {
        Self { list: List::EMPTY }
    }
}

impl Policy for Fifo {
    fn hit_rule(&self) -> OnHit {
        OnHit::Count { most: 0 }
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
