//! The hash index of a ledger: from the hash of a key to the id of its entry.

use crate::slab::{Id, NONE};

/// Open addressing with linear probing. A slot holds the hash beside the id, so that a look-up
/// touches one cache line here and one in the slab, and neither growing nor removing looks at a key.
///
/// `hashbrown` was measured first. Its control bytes lie apart from its buckets, which costs one more
/// cache miss for each look-up in a large cache; and its size is a power of two, while this one is
/// laid out for just the entries that the limit allows.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Index {
    slots: Vec<u64>,
    len: usize,
    /// The most entries there will ever be.
    most: usize,
}

const EMPTY: u64 = u64::MAX;

fn pack(hash: u32, id: Id) -> u64 {
    u64::from(hash) << 32 | u64::from(id)
}

fn hash_in(slot: u64) -> u32 {
    (slot >> 32) as u32
}

fn id_in(slot: u64) -> Id {
    slot as Id
}

/// Slots for `entries`: a quarter stays empty, and one at least, where every search ends.
fn slots_for(entries: usize) -> usize {
    entries.saturating_add(entries / 3).saturating_add(1)
}

impl Index {
    /// An index that will hold at most `most` ids and allocates nothing yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { slots: Vec::new(), len: 0, most }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The id under `hash` for which `is_it` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(Id) -> bool) -> Option<Id> {
        let mut at = self.home(hash);
        loop {
            let slot = *self.slots.get(at)?;
            if hash_in(slot) == hash && id_in(slot) != NONE && is_it(id_in(slot)) {
                return Some(id_in(slot));
            }
            if slot == EMPTY {
                return None;
            }
            at = self.after(at);
        }
    }

    /// Adds an id that is not in the index.
    pub(crate) fn insert(&mut self, hash: u32, id: Id) {
        if slots_for(self.len + 1) > self.slots.len() {
            self.grow();
        }
        self.put(pack(hash, id));
        self.len += 1;
    }

    /// Takes an id out. What was pushed away from its home by it moves up, so that no search ends too
    /// early.
    pub(crate) fn remove(&mut self, hash: u32, id: Id) {
        let Some(mut hole) = self.position(pack(hash, id)) else { return };
        let mut at = hole;
        loop {
            at = self.after(at);
            let slot = self.slots[at];
            if slot == EMPTY {
                break;
            }
            if self.distance(self.home(hash_in(slot)), at) >= self.distance(hole, at) {
                self.slots[hole] = slot;
                hole = at;
            }
        }
        self.slots[hole] = EMPTY;
        self.len -= 1;
    }

    fn position(&self, wanted: u64) -> Option<usize> {
        let mut at = self.home(hash_in(wanted));
        loop {
            match *self.slots.get(at)? {
                slot if slot == wanted => return Some(at),
                EMPTY => return None,
                _ => at = self.after(at),
            }
        }
    }

    fn put(&mut self, slot: u64) {
        let mut at = self.home(hash_in(slot));
        while self.slots[at] != EMPTY {
            at = self.after(at);
        }
        self.slots[at] = slot;
    }

    /// Doubles, but not beyond what the most entries need.
    fn grow(&mut self) {
        let doubled = (2 * self.slots.len()).max(slots_for(8));
        let wanted = slots_for(self.len + 1).max(doubled.min(slots_for(self.most)));
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; wanted]);
        old.into_iter().filter(|&slot| slot != EMPTY).for_each(|slot| self.put(slot));
    }

    /// Maps the whole range of hashes onto the slots (Lemire, "Fast random integer generation in an
    /// interval", 2019), so that their number need not be a power of two.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.slots.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 < self.slots.len() { at + 1 } else { 0 }
    }

    /// Steps from `from` on to `to`.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.slots.len() - from }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        /// Few hashes, so that they collide, around both ends of the table, so that runs wrap.
        #[test]
        fn finds_what_a_map_finds(
            steps in prop::collection::vec((any::<bool>(), 0..40_u32), 0..if cfg!(miri) { 60 } else { 400 }),
        ) {
            let hash = |id: u32| [0, 1, 5, u32::MAX, u32::MAX - 1, 1 << 31][id as usize % 6];
            let mut index = Index::new(30);
            let mut model = HashMap::new();
            for (insert, id) in steps {
                if !insert {
                    index.remove(hash(id), id);
                    model.remove(&id);
                } else if model.len() < 30 && model.insert(id, hash(id)).is_none() {
                    index.insert(hash(id), id);
                }
                prop_assert_eq!(index.len(), model.len());
                for id in 0..40 {
                    let found = index.find(hash(id), |other| other == id);
                    prop_assert_eq!(found, model.contains_key(&id).then_some(id));
                }
            }
        }
    }

    #[test]
    fn is_laid_out_for_the_most_entries_and_no_more() {
        let mut index = Index::new(1000);
        (0..1000_u32).for_each(|id| index.insert(id.wrapping_mul(0x9E37_79B9), id));
        assert_eq!(index.slots.len(), slots_for(1000));
    }
}
