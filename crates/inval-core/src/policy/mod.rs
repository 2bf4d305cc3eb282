//! The policies: state machines that say which entry goes first, behind one small trait.

mod fifo;
mod ghost;
mod lfu;
mod lru;
mod s3_fifo;
mod sieve;
mod sketch;
mod ttl;
mod w_tinylfu;

use crate::books::Books;
use crate::config::Config;
use crate::list::List;
use crate::slab::{Id, Queue};
use crate::strategy::Strategy;

/// What a policy is told, and the one thing it is asked. Hooks only keep the policy's own order; the
/// ledger does the rest. Every hook is amortised O(1).
pub(crate) trait Policy {
    /// What the ledger does by itself on a hit.
    fn hit_rule(&self) -> OnHit;

    /// A live entry was read, or overwritten in its place. Called only under [`OnHit::Reorder`].
    fn on_hit<K, V>(&mut self, _books: &mut Books<K, V>, _id: Id) {}

    /// A new entry is in the slab, in no queue yet. Room has been made for it.
    fn on_insert<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.list_of(books, id).push_back(&mut books.slab.nodes, id);
    }

    /// An entry is evicted, which policies with a memory note. It leaves its queue before or after.
    fn on_evict<K, V>(&mut self, _books: &mut Books<K, V>, _id: Id) {}

    /// An entry leaves its queue.
    fn on_remove<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.list_of(books, id).remove(&mut books.slab.nodes, id);
    }

    /// An entry that had left its queue as a victim stays after all: it is the next victim again, unless
    /// it was accessed.
    fn on_return<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        self.list_of(books, id).push_front(&mut books.slab.nodes, id);
    }

    /// The entry that should go next; `None` only if there is none at all. The caller removes it.
    fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id>;

    /// The list in which an entry stands.
    fn list_of<K, V>(&mut self, books: &Books<K, V>, id: Id) -> &mut List;

    /// All lists, each with the queue its entries must be marked with.
    fn lists(&self) -> Vec<(Queue, List)>;

    /// Whether what the policy keeps beside its lists is sound.
    fn is_consistent<K, V>(&self, _books: &Books<K, V>) -> bool {
        true
    }
}

/// What a hit does to the order of eviction. Most policies only note it, so that a hit is a read of
/// one cache line and not a walk through the policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnHit {
    /// The entry's `freq` goes up, to `most` at the most.
    Count { most: u8 },
    /// The policy is told.
    Reorder,
}

/// Any of the policies. The set is closed, so the choice costs a predictable branch, not a call.
#[derive(Debug)]
pub(crate) enum AnyPolicy {
    Ttl(ttl::Ttl),
    Lru(lru::Lru),
    Lfu(Box<lfu::Lfu>),
    Fifo(fifo::Fifo),
    Sieve(sieve::Sieve),
    S3Fifo(s3_fifo::S3Fifo),
    WTinyLfu(Box<w_tinylfu::WTinyLfu>),
}

impl AnyPolicy {
    pub(crate) fn new(config: &Config) -> Self {
        match config.strategy() {
            Strategy::Ttl => Self::Ttl(ttl::Ttl::new()),
            Strategy::Lru => Self::Lru(lru::Lru::new()),
            Strategy::Lfu => Self::Lfu(Box::new(lfu::Lfu::new())),
            Strategy::Fifo => Self::Fifo(fifo::Fifo::new()),
            Strategy::Sieve => Self::Sieve(sieve::Sieve::new()),
            Strategy::S3Fifo => Self::S3Fifo(s3_fifo::S3Fifo::new()),
            Strategy::WTinyLfu => Self::WTinyLfu(Box::new(w_tinylfu::WTinyLfu::new(config.seed()))),
        }
    }
}

macro_rules! each {
    ($self:expr, $policy:ident => $call:expr) => {
        match $self {
            AnyPolicy::Ttl($policy) => $call,
            AnyPolicy::Lru($policy) => $call,
            AnyPolicy::Lfu($policy) => $call,
            AnyPolicy::Fifo($policy) => $call,
            AnyPolicy::Sieve($policy) => $call,
            AnyPolicy::S3Fifo($policy) => $call,
            AnyPolicy::WTinyLfu($policy) => $call,
        }
    };
}

impl AnyPolicy {
    pub(crate) fn on_hit<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        each!(self, p => p.on_hit(books, id));
    }

    pub(crate) fn on_insert<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        each!(self, p => p.on_insert(books, id));
    }

    pub(crate) fn on_evict<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        each!(self, p => p.on_evict(books, id));
    }

    pub(crate) fn on_remove<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        each!(self, p => p.on_remove(books, id));
    }

    pub(crate) fn on_return<K, V>(&mut self, books: &mut Books<K, V>, id: Id) {
        each!(self, p => p.on_return(books, id));
    }

    pub(crate) fn victim<K, V>(&mut self, books: &mut Books<K, V>) -> Option<Id> {
        each!(self, p => p.victim(books))
    }

    pub(crate) fn list_of<K, V>(&mut self, books: &Books<K, V>, id: Id) -> &mut List {
        each!(self, p => p.list_of(books, id))
    }

    pub(crate) fn lists(&self) -> Vec<(Queue, List)> {
        each!(self, p => p.lists())
    }

    pub(crate) fn is_consistent<K, V>(&self, books: &Books<K, V>) -> bool {
        each!(self, p => p.is_consistent(books))
    }

    pub(crate) fn hit_rule(&self) -> OnHit {
        each!(self, p => p.hit_rule())
    }
}
