//! An intrusive doubly linked list over the slab: the queue that every policy is made of.

use crate::slab::{Id, NONE, Node};
use crate::stats::Usage;

/// A queue of entries. New ones come in at the back; `front` is the oldest. An entry stands in at
/// most one list, for its links live in its node.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    front: Id,
    back: Id,
    usage: Usage,
}

impl List {
    pub(crate) const EMPTY: Self =
        Self { front: NONE, back: NONE, usage: Usage { entries: 0, bytes: 0 } };

    /// What stands in the list.
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    pub(crate) fn front(&self) -> Option<Id> {
        (self.front != NONE).then_some(self.front)
    }

    /// The entry that came in after `id`.
    pub(crate) fn after(nodes: &[Node], id: Id) -> Option<Id> {
        let next = nodes[id as usize].next;
        (next != NONE).then_some(next)
    }

    pub(crate) fn push_back(&mut self, nodes: &mut [Node], id: Id) {
        let node = &mut nodes[id as usize];
        (node.prev, node.next) = (self.back, NONE);
        self.usage.add(node.weight);
        match self.back {
            NONE => self.front = id,
            back => nodes[back as usize].next = id,
        }
        self.back = id;
    }

    pub(crate) fn push_front(&mut self, nodes: &mut [Node], id: Id) {
        self.insert_before(nodes, self.front, id);
    }

    /// Puts `id` in before `next`, which stands in this list; at the back if `next` is no entry.
    pub(crate) fn insert_before(&mut self, nodes: &mut [Node], next: Id, id: Id) {
        if next == NONE {
            return self.push_back(nodes, id);
        }
        let prev = std::mem::replace(&mut nodes[next as usize].prev, id);
        let node = &mut nodes[id as usize];
        (node.prev, node.next) = (prev, next);
        self.usage.add(node.weight);
        match prev {
            NONE => self.front = id,
            prev => nodes[prev as usize].next = id,
        }
    }

    /// Takes out an entry that stands in this list.
    pub(crate) fn remove(&mut self, nodes: &mut [Node], id: Id) {
        let Node { prev, next, weight, .. } = nodes[id as usize];
        match prev {
            NONE => self.front = next,
            prev => nodes[prev as usize].next = next,
        }
        match next {
            NONE => self.back = prev,
            next => nodes[next as usize].prev = prev,
        }
        self.usage.subtract(weight);
    }

    pub(crate) fn move_to_back(&mut self, nodes: &mut [Node], id: Id) {
        if self.back != id {
            self.remove(nodes, id);
            self.push_back(nodes, id);
        }
    }

    /// Appends all of `other` in its order.
    pub(crate) fn append(&mut self, nodes: &mut [Node], other: Self) {
        if other.front == NONE {
            return;
        }
        match self.back {
            NONE => self.front = other.front,
            back => {
                nodes[back as usize].next = other.front;
                nodes[other.front as usize].prev = back;
            }
        }
        self.back = other.back;
        self.usage += other.usage;
    }

    /// Notes that an entry of this list changed its weight from `old` to `new`.
    pub(crate) fn reweigh(&mut self, old: u32, new: u32) {
        self.usage.bytes = self.usage.bytes - u64::from(old) + u64::from(new);
    }

    /// The ids from front to back; ends early, after one more than it should hold, if the links run
    /// in a circle.
    pub(crate) fn ids<'a>(&self, nodes: &'a [Node]) -> impl Iterator<Item = Id> + use<'a> {
        let most = self.usage.entries as usize + 1;
        std::iter::successors(self.front(), |&id| Self::after(nodes, id)).take(most)
    }
}
