//! LFU in constant time (Shah, Mitra and Matani, 2010) with ageing: all counts are halved now and then.

use super::{OnHit, Policy};
use crate::books::Books;
use crate::list::List;
use crate::slab::{Id, Queue};

const COUNTS: usize = 256;
/// Counts are halved after this many accesses per entry, so that what was hot once does not stay for
/// ever. The period is TinyLFU's sample (Einziger et al., 2017).
const ACCESSES_PER_ENTRY: u64 = 10;

/// One list for each access count. Within a count the least recently used goes first, and what came
/// down from a lower count before what came down from a higher one.
///
/// Halving joins pairs of lists and touches no entry: `freq` is the count as of the age in which the
/// entry was last touched, and one shift brings it up to date.
#[derive(Debug)]
pub(crate) struct Lfu {
    lists: [List; COUNTS],
    /// One bit for each list that is not empty.
    filled: [u64; COUNTS / 64],
    /// How often counts have been halved.
    age: u32,
    /// The age in which each entry was last touched, by id.
    ages: Vec<u32>,
    accesses: u64,
}

impl Lfu {
    pub(crate) fn new() -> Self {
        Self {
            lists: [List::EMPTY; COUNTS],
            filled: [0; COUNTS / 64],
            age: 0,
            ages: Vec::new(),
            accesses: 0,
        }
    }

    fn count<K, V>(&self, books: &Books<K, V>, id: Id) -> usize {
        let halvings = self.age - self.ages[id as usize];
        usize::from(books.slab.entry(id).freq.checked_shr(halvings).unwrap_or(0))
    }

    fn put<K, V>(&mut self, books: &mut Books<K, V>, id: Id, count: usize) {
        let count = count.min(COUNTS - 1);
        books.slab.entry_mut(id).freq = count as u8;
        self.ages[id as usize] = self.age;
        self.lists[count].push_back(&mut books.slab.nodes, id);
        self.filled[count / 64] |= 1 << (count % 64);
    }

    fn take<K, V>(&mut self, books: &mut Books<K, V>, id: Id) -> usize {
        let count = self.count(books, id);
        self.lists[count].remove(&mut books.slab.nodes, id);
        if self.lists[count].front().is_none() {
            self.filled[count / 64] &= !(1 << (count % 64));
        }
        count
    }

    fn note_access<K, V>(&mut self, books: &mut Books<K, V>) {
        self.accesses += 1;
        if self.accesses >= ACCESSES_PER_ENTRY * u64::from(books.slab.len().max(1)) {
            self.halve(books);
        }
    }

    fn halve<K, V>(&mut self, books: &mut Books<K, V>) {
        self.accesses = 0;
        self.age += 1;
        self.filled = [0; COUNTS / 64];
        for count in 0..COUNTS / 2 {
            let (mut low, high) = (self.lists[2 * count], self.lists[2 * count + 1]);
            low.append(&mut books.slab.nodes, high);
            self.lists[count] = low;
            if low.front().is_some() {
                self.filled[count / 64] |= 1 << (count % 64);
            }
        }
        self.lists[COUNTS / 2..].fill(List::EMPTY);
    }
}

impl Policy for Lfu {
    fn hit_rule(&self) -> OnHit {
        OnHit::Reorder
    }

    fn on_hit<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        let count = self.take(books, id);
        self.put(books, id, count + 1);
        self.note_access(books);
    }

    fn on_insert<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        let ids = books.slab.end() as usize;
        self.ages.resize(ids.max(self.ages.len()), 0);
        self.put(books, id, 1);
        self.note_access(books);
    }

    fn on_remove<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.take(books, id);
    }

    fn on_return<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        let count = self.count(books, id);
        self.lists[count].push_front(&mut books.slab.nodes, id);
        self.filled[count / 64] |= 1 << (count % 64);
    }

    fn victim<K, V>(&mut self, _: &mut Books<K, V>) -> Option<Id> {
        let word = self.filled.iter().position(|&bits| bits != 0)?;
        let count = word * 64 + self.filled[word].trailing_zeros() as usize;
        self.lists[count].front()
    }

    fn list_of<K, V>(&mut self, books: &Books<K, V>, id: Id) -> &mut List {
        let count = self.count(books, id);
        &mut self.lists[count]
    }

    fn lists(&self) -> Vec<(Queue, List)> {
        self.lists.iter().map(|&list| (Queue::Main, list)).collect()
    }

    fn is_consistent<K, V>(&self, books: &Books<K, V>) -> bool {
        self.lists.iter().enumerate().all(|(count, list)| {
            let bit = self.filled[count / 64] >> (count % 64) & 1 == 1;
            bit == list.front().is_some()
                && list.ids(&books.slab.nodes).all(|id| self.count(books, id) == count)
        })
    }
}
