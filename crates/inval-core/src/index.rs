//! The hash index of a ledger: from the hash of a key to the id of its entry.

use wide::u8x16;

use crate::slab::Id;

/// Ids in chunks of one cache line each, found by a tag of eight bits (the layout of F14, Bronson and
/// Shi, 2019). A chunk that is full sends what it has no place for on to the next, and counts it.
///
/// `hashbrown` was measured first. Its tags lie apart from its ids, which costs one more cache miss for
/// each look-up in a large cache; and its size is a power of two, while this one is laid out for
/// just the entries that the limit allows: about 7 bytes for each.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Index {
    chunks: Vec<Chunk>,
    len: usize,
    /// The most ids that are planned for.
    most: usize,
}

/// Ids a chunk has places for, and how many it gets on average when the index is full.
const PLACES: usize = 12;
const PLANNED: usize = 9;

#[derive(Clone, Debug)]
#[repr(C, align(64))]
struct Chunk {
    /// The tag of each place, 0 where there is no id; then, in the last four bytes, how many ids went
    /// past this chunk because it was full.
    head: [u8; 16],
    ids: [Id; PLACES],
}

impl Chunk {
    const EMPTY: Self = Self { head: [0; 16], ids: [0; PLACES] };

    /// The places with this tag.
    #[inline]
    fn places(&self, tag: u8) -> Places {
        let same = u8x16::new(self.head).simd_eq(u8x16::splat(tag));
        Places(same.to_bitmask() & ((1 << PLACES) - 1))
    }

    #[inline]
    fn passed(&self) -> u32 {
        let [.., a, b, c, d] = self.head;
        u32::from_le_bytes([a, b, c, d])
    }

    fn set_passed(&mut self, passed: u32) {
        self.head[PLACES..].copy_from_slice(&passed.to_le_bytes());
    }
}

/// A set of places, one bit each.
struct Places(u32);

impl Iterator for Places {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let place = self.0.trailing_zeros() as usize;
        // Not `self.0 == 0`: this tells the compiler that the place is within the chunk.
        if place >= PLACES {
            return None;
        }
        self.0 &= self.0 - 1;
        Some(place)
    }
}

/// The tag of a hash: its low byte, but never 0. The chunk is chosen by the hash's high bits.
#[inline]
fn tag(hash: u32) -> u8 {
    (hash as u8).max(1)
}

impl Index {
    /// An index planned for `most` ids, which allocates nothing yet.
    pub(crate) fn new(most: usize) -> Self {
        Self { chunks: Vec::new(), len: 0, most }
    }

    /// Plans for `most` ids from now on. What is allocated stays.
    pub(crate) fn plan(&mut self, most: usize) {
        self.most = most;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The id under `hash` for which `is_it` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(Id) -> bool) -> Option<Id> {
        self.locate(hash, is_it).map(|(_, _, id)| id)
    }

    /// Chunk and place of the id under `hash` for which `is_it` holds, and the id.
    #[inline]
    fn locate(&self, hash: u32, is_it: impl Fn(Id) -> bool) -> Option<(usize, usize, Id)> {
        let home = self.home(hash);
        let mut at = home;
        loop {
            let chunk = self.chunks.get(at)?;
            for place in chunk.places(tag(hash)) {
                let id = chunk.ids[place];
                if is_it(id) {
                    return Some((at, place, id));
                }
            }
            if chunk.passed() == 0 {
                return None;
            }
            at = self.after(at);
            // In a small index every chunk may have been passed.
            if at == home {
                return None;
            }
        }
    }

    /// Adds an id that is not in the index. `hash_of` gives the hash of any id that is.
    pub(crate) fn insert(&mut self, hash: u32, id: Id, hash_of: impl Fn(Id) -> u32) {
        if self.len >= self.chunks.len() * PLANNED {
            self.grow(hash_of);
        }
        self.put(hash, id);
        self.len += 1;
    }

    /// Takes an id out, if it is in the index.
    pub(crate) fn remove(&mut self, hash: u32, id: Id) {
        let Some((at, place, _)) = self.locate(hash, |other| other == id) else { return };
        self.chunks[at].head[place] = 0;
        self.len -= 1;
        let mut passed = self.home(hash);
        while passed != at {
            let chunk = &mut self.chunks[passed];
            chunk.set_passed(chunk.passed() - 1);
            passed = self.after(passed);
        }
    }

    fn put(&mut self, hash: u32, id: Id) {
        let mut at = self.home(hash);
        loop {
            let chunk = &mut self.chunks[at];
            if let Some(place) = chunk.places(0).next() {
                chunk.head[place] = tag(hash);
                chunk.ids[place] = id;
                return;
            }
            chunk.set_passed(chunk.passed() + 1);
            at = self.after(at);
        }
    }

    /// Doubles up to what the most ids need. Where there come more for a while, it grows by an eighth.
    fn grow(&mut self, hash_of: impl Fn(Id) -> u32) {
        let (chunks, planned) = (self.chunks.len(), self.most.div_ceil(PLANNED));
        let chunks =
            if chunks < planned { (2 * chunks).clamp(1, planned) } else { chunks + chunks / 8 + 1 };
        let old = std::mem::replace(&mut self.chunks, vec![Chunk::EMPTY; chunks]);
        for chunk in old {
            let taken = (0..PLACES).filter(|&place| chunk.head[place] != 0);
            taken.map(|place| chunk.ids[place]).for_each(|id| self.put(hash_of(id), id));
        }
    }

    /// Maps the whole range of hashes onto the chunks (Lemire, "Fast random integer generation in an
    /// interval", 2019), so that their number need not be a power of two.
    #[inline]
    fn home(&self, hash: u32) -> usize {
        ((u64::from(hash) * self.chunks.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 < self.chunks.len() { at + 1 } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// Few hashes, so that chunks overflow and tags collide; the last one runs on to the first.
    fn hash(id: Id) -> u32 {
        [0, 1, 1 << 31, u32::MAX, u32::MAX - 1, 0x100][id as usize % 6]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn finds_what_a_map_finds(
            steps in prop::collection::vec((0..3_u8, 0..90_u32), 0..if cfg!(miri) { 30 } else { 400 }),
        ) {
            let mut index = Index::new(70);
            let mut model = HashMap::new();
            for (kind, id) in steps {
                if kind == 0 {
                    index.remove(hash(id), id);
                    model.remove(&id);
                } else if model.len() < 70 && model.insert(id, hash(id)).is_none() {
                    index.insert(hash(id), id, hash);
                }
                prop_assert_eq!(index.len(), model.len());
                for id in 0..90 {
                    let found = index.find(hash(id), |other| other == id);
                    prop_assert_eq!(found, model.contains_key(&id).then_some(id));
                }
            }
            for id in 0..90 {
                index.remove(hash(id), id);
            }
            prop_assert!(index.chunks.iter().all(|chunk| chunk.passed() == 0), "every passing was undone");
        }
    }

    #[test]
    fn a_search_ends_where_every_chunk_was_passed() {
        let (mut index, spread) = (Index::new(27), |id: Id| id << 31);
        (0..27).for_each(|id| index.insert(spread(id), id, spread));
        (0..27).filter(|id| id % 3 > 0).for_each(|id| index.remove(spread(id), id));
        let mixed = |id| if id < 100 { spread(id) } else { u32::MAX };
        (100..118).for_each(|id| index.insert(u32::MAX, id, mixed));
        assert!(index.chunks.iter().all(|chunk| chunk.passed() > 0));
        for hash in [0, 1 << 30, 1 << 31, u32::MAX] {
            assert_eq!(index.find(hash, |_| false), None);
            index.remove(hash, 999);
        }
        assert_eq!(index.len(), 27);
    }

    #[test]
    fn is_laid_out_for_the_most_ids_and_no_more() {
        let mut index = Index::new(1000);
        let spread = |id: Id| id.wrapping_mul(0x9E37_79B9);
        (0..1000).for_each(|id| index.insert(spread(id), id, spread));
        assert_eq!(index.chunks.len(), 112);
        assert_eq!(size_of::<Chunk>(), 64);
    }

    #[test]
    fn more_than_was_planned_for_is_taken_in_without_growing_each_time() {
        let spread = |id: Id| id.wrapping_mul(0x9E37_79B9);
        let mut index = Index::new(3);
        let mut growths = 0;
        for id in 0..10_000 {
            let before = index.chunks.len();
            index.insert(spread(id), id, spread);
            growths += usize::from(index.chunks.len() != before);
            assert!(index.chunks.len() <= before + before / 8 + 1, "an eighth at once");
        }
        assert!(growths < 100, "{growths}");
        assert!((0..10_000).all(|id| index.find(spread(id), |other| other == id) == Some(id)));
    }
}
