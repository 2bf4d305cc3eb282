//! The arena of a ledger: entries under stable 32-bit ids, what a hit needs apart from what it does not.

/// Where an entry lives in the slab, for as long as it lives.
pub(crate) type Id = u32;

/// The id of no entry.
pub(crate) const NONE: Id = Id::MAX;

/// One more than the highest id the slab gives out; the wheel needs the top bit.
pub(crate) const MAX_ENTRIES: u64 = 1 << 31;

/// The queue of its policy in which an entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Queue {
    /// The only queue, or the main one.
    Main,
    /// Where new entries prove themselves: S3-FIFO's small queue, W-TinyLFU's window.
    Entrance,
    /// W-TinyLFU's protected segment.
    Protected,
}

/// The half of an entry that a hit touches: 24 bytes for an 8-byte key and value. `queue` leaves room
/// for the `Option` around it.
pub(crate) struct Entry<K, V> {
    pub(crate) key: K,
    pub(crate) value: V,
    /// When it was last read or written, in coarse ticks.
    pub(crate) touched: u32,
    /// Accesses as far as the policy counts them.
    pub(crate) freq: u8,
    pub(crate) queue: Queue,
    /// Whether it is out of its queue while a remote store decides over it.
    pub(crate) is_held: bool,
    /// Whether it was found rather than written, so that nobody knows how old it is.
    pub(crate) is_found: bool,
}

impl<K, V> Entry<K, V> {
    /// Notes an access. Only what changes is stored: a line that stays clean can stay in the cache of
    /// every processor.
    #[inline]
    pub(crate) fn touch(&mut self, tick: u32) {
        if self.touched != tick {
            self.touched = tick;
        }
    }
}

/// The half of an entry that only writes and removals touch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) prev: Id,
    pub(crate) next: Id,
    pub(crate) weight: u32,
    /// When its value was written, in coarse ticks.
    pub(crate) born: u32,
    /// The low half of the key's hash.
    pub(crate) hash: u32,
}

/// Entries and their nodes, both indexed by id; free places are chained through `Node::next`.
#[repr(C)]
pub(crate) struct Slab<K, V> {
    entries: Vec<Option<Entry<K, V>>>,
    pub(crate) nodes: Vec<Node>,
    free: Id,
    len: u32,
    most: usize,
}

impl<K, V> Slab<K, V> {
    /// A slab planned for `most` entries, which allocates nothing yet.
    pub(crate) fn new(most: u64) -> Self {
        Self { entries: Vec::new(), nodes: Vec::new(), free: NONE, len: 0, most: planned(most) }
    }

    /// The most entries that are planned for.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Plans for `most` entries from now on. What is allocated stays.
    pub(crate) fn plan(&mut self, most: u64) {
        self.most = planned(most);
    }

    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// One more than the highest id ever given out.
    pub(crate) fn end(&self) -> Id {
        self.nodes.len() as Id
    }

    pub(crate) fn get(&self, id: Id) -> Option<&Entry<K, V>> {
        self.entries.get(id as usize)?.as_ref()
    }

    /// The entry under an id that is known to be live.
    #[expect(
        clippy::expect_used,
        reason = "ids come from the index or a list, which hold live ones"
    )]
    #[inline]
    pub(crate) fn entry(&self, id: Id) -> &Entry<K, V> {
        self.entries[id as usize].as_ref().expect("id is live")
    }

    /// The entry under an id that is known to be live.
    #[expect(
        clippy::expect_used,
        reason = "ids come from the index or a list, which hold live ones"
    )]
    #[inline]
    pub(crate) fn entry_mut(&mut self, id: Id) -> &mut Entry<K, V> {
        self.entries[id as usize].as_mut().expect("id is live")
    }

    #[inline]
    pub(crate) fn node(&self, id: Id) -> &Node {
        &self.nodes[id as usize]
    }

    #[inline]
    pub(crate) fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id as usize]
    }

    /// Takes an entry in and returns its id.
    pub(crate) fn insert(&mut self, entry: Entry<K, V>, node: Node) -> Id {
        self.len += 1;
        if self.free == NONE {
            self.reserve();
            self.entries.push(Some(entry));
            self.nodes.push(node);
            return self.nodes.len() as Id - 1;
        }
        let id = self.free;
        self.free = self.node(id).next;
        self.entries[id as usize] = Some(entry);
        self.nodes[id as usize] = node;
        id
    }

    /// Gives up the entry under `id`.
    pub(crate) fn remove(&mut self, id: Id) -> Option<(Entry<K, V>, Node)> {
        let entry = self.entries.get_mut(id as usize)?.take()?;
        let node = *self.node(id);
        self.node_mut(id).next = self.free;
        self.free = id;
        self.len -= 1;
        Some((entry, node))
    }

    /// The ids of all live entries, in no order that means anything.
    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + '_ {
        (0..self.end()).filter(|&id| self.get(id).is_some())
    }

    /// All live entries.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Entry<K, V>, Node)> {
        self.entries.into_iter().zip(self.nodes).filter_map(|(entry, node)| Some((entry?, node)))
    }

    /// Doubles like a `Vec` up to the most planned for. Where there come more for a while, as on a remote
    /// store, it grows by an eighth.
    fn reserve(&mut self) {
        let len = self.nodes.len();
        if len == self.nodes.capacity() {
            let more = if len < self.most { len.max(8).min(self.most - len) } else { len / 8 + 1 };
            self.entries.reserve_exact(more);
            self.nodes.reserve_exact(more);
        }
    }
}

fn planned(most: u64) -> usize {
    usize::try_from(most.min(MAX_ENTRIES)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u64) -> (Entry<u64, u64>, Node) {
        let node = Node { prev: NONE, next: NONE, weight: 0, born: 0, hash: 0 };
        let (queue, is_held, is_found) = (Queue::Main, false, false);
        (Entry { key, value: 0, touched: 0, freq: 0, queue, is_held, is_found }, node)
    }

    #[test]
    fn an_entry_of_two_words_takes_three() {
        assert_eq!(size_of::<Option<Entry<u64, u64>>>(), 24);
        assert_eq!(size_of::<Node>(), 20);
    }

    #[test]
    fn places_are_used_again_and_ids_stay() {
        let mut slab = Slab::new(3);
        let ids: Vec<_> = (0..3).map(entry).map(|(e, n)| slab.insert(e, n)).collect();
        assert!(slab.remove(ids[1]).is_some());
        assert!(slab.remove(ids[1]).is_none());
        let (e, n) = entry(9);
        assert_eq!(slab.insert(e, n), ids[1]);
        assert_eq!(slab.entry(ids[2]).key, 2);
        assert_eq!((slab.len(), slab.end()), (3, 3));
        assert_eq!(slab.nodes.capacity(), 3, "no more than the most there can be");
    }

    #[test]
    fn plans_change_in_either_direction() {
        let mut slab = Slab::new(3);
        let fill = |slab: &mut Slab<u64, u64>, ids: std::ops::Range<u64>| {
            ids.map(entry).for_each(|(e, n)| _ = slab.insert(e, n));
            slab.nodes.capacity()
        };
        fill(&mut slab, 0..3);
        slab.plan(20);
        assert_eq!(fill(&mut slab, 3..20), 20, "no more than the most there can be");
        slab.plan(2);
        assert_eq!(fill(&mut slab, 20..21), 23, "an eighth more");
        let mut full = Slab::new(20);
        assert_eq!(fill(&mut full, 0..20), 20);
        assert_eq!(fill(&mut full, 20..21), 23, "an eighth more, and not twice as many");
    }

    #[test]
    fn more_than_was_planned_for_is_taken_in_without_growing_each_time() {
        let mut slab = Slab::new(3);
        let mut growths = 0;
        for n in 0..10_000 {
            let before = slab.nodes.capacity();
            let (e, node) = entry(n);
            slab.insert(e, node);
            growths += usize::from(slab.nodes.capacity() != before);
        }
        assert!(growths < 100, "{growths}");
    }
}
