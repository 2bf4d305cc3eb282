//! The largest entries, in a heap of bounded size.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::units::{Key, Weight};

/// One of the largest entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LargeEntry<'a> {
    /// Its key.
    pub key: &'a Key,
    /// What it weighs.
    pub weight: Weight,
}

/// What is ordered: a larger entry is greater, and of equal ones that whose key comes first.
type Ranked = (Weight, Reverse<Key>);

/// As many of the entries noted as there is room for, the largest of them.
#[derive(Clone)]
pub(super) struct Largest {
    /// The least of them on top.
    heap: BinaryHeap<Reverse<Ranked>>,
    room: usize,
}

impl Largest {
    pub(super) fn new(room: u32) -> Self {
        Self { heap: BinaryHeap::new(), room: room as usize }
    }

    pub(super) fn note(&mut self, key: &Key, weight: Weight) {
        let is_full = self.heap.len() >= self.room;
        // Most entries are turned away here, before their keys are looked at.
        let least = self.heap.peek().map(|Reverse((weight, _))| *weight);
        if is_full && least.is_some_and(|least| weight < least) {
            return;
        }
        if self.heap.iter().any(|Reverse((_, Reverse(known)))| known == key) {
            self.heap.retain(|Reverse((_, Reverse(known)))| known != key);
        }
        self.heap.push(Reverse((weight, Reverse(key.clone()))));
        if self.heap.len() > self.room {
            self.heap.pop();
        }
    }

    /// The largest first.
    pub(super) fn sorted<'a>(&'a self) -> Vec<LargeEntry<'a>> {
        let mut ranked: Vec<&'a Ranked> = self.heap.iter().map(|Reverse(ranked)| ranked).collect();
        ranked.sort_unstable_by(|one, other| other.cmp(one));
        let entry = |(weight, Reverse(key)): &'a Ranked| LargeEntry { key, weight: *weight };
        ranked.into_iter().map(entry).collect()
    }
}
