//! The ledger: the books of one partition, kept by one policy within its limits.

mod entry;
mod audit;
mod questions;
mod remote;

use std::borrow::Borrow;
use std::fmt;

use crate::books::{Books, Limits};
use crate::config::{ChangeError, Config};
use crate::deadlines::{Deadlines, LAST_NOW};
use crate::index::Index;
use crate::policy::{AnyPolicy, OnHit};
use crate::slab::{Entry, Id, NONE, Node, Queue, Slab};
use crate::stats::{RemovalCause, Stats, Usage};
use crate::units::{Random, Timestamp, Weight, millis};
pub use audit::Inconsistency;
pub use entry::{Arrival, Insertion, Refusal, Rejected, Rejection, Removed};
pub(crate) use remote::Held;

/// Ages at eviction are kept to 2^4 ms, so that 32 bits last for two years.
const TICK_BITS: u32 = 4;
/// How many expired entries a write collects although their room is not needed.
const COLLECTED_BY_WRITE: usize = 2;
/// How many entries a write takes off what is above a lowered limit, besides those whose room it needs.
const RELEASED_BY_WRITE: usize = 16;

/// The books of one partition of a cache. See the crate's documentation for an example.
///
/// Every operation takes `now`; a `now` before an earlier one counts as that one, and time stands still
/// from 2^48 ms (8,900 years) after the origin. Operations on a key take its hash as well, 64
/// well-mixed bits that are the same for equal keys: a sharded store has to compute it anyway to find
/// the ledger.
// In this order, so that what a read needs lies together on the first cache lines.
#[repr(C)]
pub struct Ledger<K, V> {
    now: u64,
    reads: u64,
    misses: u64,
    hit_rule: OnHit,
    index: Index,
    books: Books<K, V>,
    policy: AnyPolicy,
    stats: Stats,
    /// What stands in no queue because a remote store decides over it.
    held: Usage,
    /// What usage must not grow beyond: the limits or, while a lowered limit is not reached yet, what was
    /// held at the last write.
    ceiling: Limits,
    random: Random,
    config: Config,
}

impl<K: Eq, V> Ledger<K, V> {
    /// An empty ledger that keeps to `config`. It allocates as entries come in.
    pub fn new(config: &Config) -> Self {
        let limits = Limits::of(config);
        let books = Books {
            slab: Slab::new(limits.entries),
            deadlines: Deadlines::new(config.time_to_idle().map(millis)),
            limits,
        };
        let policy = AnyPolicy::new(config);
        Self {
            now: 0,
            reads: 0,
            misses: 0,
            hit_rule: policy.hit_rule(),
            index: Index::new(books.slab.most()),
            books,
            policy,
            stats: Stats::default(),
            held: Usage::default(),
            ceiling: limits,
            random: Random::new(config.seed()),
            config: *config,
        }
    }

    /// The configuration it keeps to.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Keeps to the limits, the TTL and the jitter of `config` from now on; its strategy and time to idle must
    /// be those there are, and the seed stays. Entries keep the deadlines they have.
    ///
    /// Nothing is evicted yet. While more is held than a lowered limit allows, usage does not grow in that
    /// dimension: a write evicts what it needs and a few entries more, [`maintain`](Self::maintain) the rest.
    /// Memory that was allocated for more entries stays allocated.
    pub fn reconfigure(&mut self, config: &Config) -> Result<(), ChangeError> {
        self.config = self.config.changed_to(config)?;
        let limits = Limits::of(&self.config);
        self.books.limits = limits;
        self.books.slab.plan(limits.entries);
        self.index.plan(self.books.slab.most());
        self.ceiling = limits.raised_to(self.stats.usage);
        Ok(())
    }

    /// Entries held, expired ones that still await collection included.
    pub fn len(&self) -> usize {
        self.books.slab.len() as usize
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything counted so far.
    pub fn stats(&self) -> Stats {
        Stats { hits: self.reads - self.misses, misses: self.misses, ..self.stats.clone() }
    }

    /// What is held now, expired entries that still await collection included.
    pub fn usage(&self) -> Usage {
        self.stats.usage
    }

    /// Whether reads depend on the time: an entry has a deadline now.
    #[inline]
    pub fn has_deadlines(&self) -> bool {
        self.books.deadlines.are_used()
    }

    /// Whether an entry has a deadline now, or a new one that names no TTL will get one.
    #[inline]
    pub fn may_expire(&self) -> bool {
        self.has_deadlines() || self.config.ttl().or(self.config.time_to_idle()).is_some()
    }

    /// The value under `key`, unless there is none or it has expired. Counts a hit or a miss and
    /// tells the policy.
    #[inline(always)]
    pub fn get<Q>(&mut self, hash: u64, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        self.reads += 1;
        let now = self.advance(now);
        let hash = hash as u32;
        let Some(id) = self.find(hash, key).filter(|&id| self.is_readable(id, now)) else {
            self.misses += 1;
            return None;
        };
        Some(&self.note_access(id, now).value)
    }

    /// The value under `key`, unless there is none or it has expired. Counts nothing and leaves the
    /// order of eviction as it is.
    pub fn peek<Q>(&self, hash: u64, key: &Q, now: Timestamp) -> Option<&V>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let now = self.not_before(now);
        let id = self.find(hash as u32, key).filter(|&id| !self.has_expired(id, now))?;
        Some(&self.books.slab.entry(id).value)
    }

    /// Writes an entry. What it overwrites, and what has to go for it, is handed to `removed`:
    /// expired entries first, others only as far as the limits demand. The new entry itself stays. Above a
    /// lowered limit, some entries more go.
    pub fn insert(
        &mut self,
        arrival: Arrival<K, V>,
        now: Timestamp,
        removed: &mut impl Extend<Removed<K, V>>,
    ) -> Result<Insertion, Rejected<K, V>> {
        let now = self.advance(now);
        self.lower_ceiling();
        let found = self.find(arrival.hash as u32, &arrival.key);
        let deadline = match self.check(&arrival, now) {
            Ok(deadline) => deadline,
            Err(reason) => {
                removed.extend(found.and_then(|id| self.take_outdated(id, now)));
                self.stats.rejected += 1;
                let Arrival { key, value, .. } = arrival;
                return Err(Rejected { reason, key, value });
            }
        };
        let outcome = match found {
            Some(id) if self.can_stay(id, arrival.weight, now) => {
                removed.extend([self.overwrite(id, arrival, deadline, now)]);
                Insertion::Replaced
            }
            found => {
                let outdated = found.and_then(|id| self.take_outdated(id, now));
                let replaced = outdated.as_ref().is_some_and(|r| r.cause == RemovalCause::Replaced);
                removed.extend(outdated);
                self.make_room(arrival.weight, now, removed);
                self.admit(arrival, deadline, now);
                if replaced { Insertion::Replaced } else { Insertion::Inserted }
            }
        };
        self.expire(now, COLLECTED_BY_WRITE, removed);
        Ok(outcome)
    }

    /// Takes the entry under `key` out, if there is one. Its cause is `Invalidated`, or `Expired` if
    /// its time had passed already.
    pub fn remove<Q>(&mut self, hash: u64, key: &Q, now: Timestamp) -> Option<Removed<K, V>>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let now = self.advance(now);
        let id = self.find(hash as u32, key)?;
        self.take_unless_expired(id, RemovalCause::Invalidated, now)
    }

    /// Takes up to `most` entries off the books and hands them to `removed`: those whose time has passed,
    /// soonest deadline first, then what is above a lowered limit. Returns how many; fewer than `most`
    /// means that none is left.
    pub fn maintain(
        &mut self,
        now: Timestamp,
        most: usize,
        removed: &mut impl Extend<Removed<K, V>>,
    ) -> usize {
        let now = self.advance(now);
        let mut count = self.expire(now, most, removed);
        while count < most
            && self.books.limits.are_below(self.stats.usage)
            && self.yield_one(now, removed)
        {
            count += 1;
        }
        count
    }

    /// No entry expires before this point; `None` if none will. A good time to call
    /// [`maintain`](Self::maintain), and calling it early does no harm.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        self.books.deadlines.next_wake().map(Timestamp::from_millis)
    }

    /// Invalidates everything at once and hands it back; what had expired and was not yet collected
    /// counts as invalidated too. What the policy had learnt is forgotten.
    pub fn clear(&mut self) -> impl Iterator<Item = Removed<K, V>> + use<K, V> {
        let fresh = Self::new(&self.config);
        let old = std::mem::replace(&mut self.books, fresh.books);
        self.index = fresh.index;
        self.policy = fresh.policy;
        self.ceiling = fresh.ceiling;
        self.stats.invalidated += std::mem::take(&mut self.stats.usage);
        let cause = RemovalCause::Invalidated;
        old.slab.into_entries().map(move |(entry, node)| removed(entry, node, cause))
    }

    /// Up to `most` places of the ledger from place `from` on, as the entries alive in them and the
    /// place to go on from; `None` when that was the last. An entry keeps its place, so one that
    /// is there throughout a walk is seen exactly once, unless it is overwritten by a value for which
    /// others have to go.
    pub fn page(
        &self,
        from: u32,
        most: u32,
        now: Timestamp,
    ) -> (impl Iterator<Item = (&K, &V)>, Option<u32>) {
        let now = self.not_before(now);
        let end = from.saturating_add(most.max(1)).min(self.books.slab.end());
        let live = (from..end).filter(move |&id| !self.has_expired(id, now));
        let entries = live.filter_map(|id| self.books.slab.get(id));
        (entries.map(|e| (&e.key, &e.value)), (end < self.books.slab.end()).then_some(end))
    }

    /// Moves the ledger's time on to `now`, but neither back nor beyond the end of time.
    #[inline]
    fn advance(&mut self, now: Timestamp) -> u64 {
        if now.as_millis() > self.now {
            self.now = now.as_millis().min(LAST_NOW);
        }
        self.now
    }

    /// What `now` is to an operation that leaves the ledger as it is.
    fn not_before(&self, now: Timestamp) -> u64 {
        now.as_millis().min(LAST_NOW).max(self.now)
    }

    #[inline]
    fn find<Q>(&self, hash: u32, key: &Q) -> Option<Id>
    where
        K: Borrow<Q>,
        Q: Eq + ?Sized,
    {
        let is_it = |id: Id| self.books.slab.get(id).is_some_and(|e| e.key.borrow() == key);
        self.index.find(hash, is_it)
    }

    /// Does on a hit what the policy wants done.
    #[inline]
    fn note_access(&mut self, id: Id, now: u64) -> &Entry<K, V> {
        let OnHit::Count { most } = self.hit_rule else { return self.reorder(id, now) };
        let entry = self.books.slab.entry_mut(id);
        entry.touch(tick(now));
        if entry.freq < most {
            entry.freq += 1;
        }
        entry
    }

    #[inline(never)]
    fn reorder(&mut self, id: Id, now: u64) -> &Entry<K, V> {
        self.policy.on_hit(&mut self.books, id);
        let entry = self.books.slab.entry_mut(id);
        entry.touch(tick(now));
        entry
    }

    /// Whether an entry is alive; if so, this read starts its time to idle anew.
    #[inline]
    fn is_readable(&mut self, id: Id, now: u64) -> bool {
        !self.has_deadlines() || self.read_deadline(id, now)
    }

    #[inline(never)]
    fn read_deadline(&mut self, id: Id, now: u64) -> bool {
        self.books.deadlines.read(id, now)
    }

    #[inline]
    fn has_expired(&self, id: Id, now: u64) -> bool {
        self.has_deadlines() && self.books.deadlines.has_passed(id, now)
    }

    /// The deadline of an arrival, or why it cannot be taken in.
    fn check(&mut self, arrival: &Arrival<K, V>, now: u64) -> Result<Option<u64>, Rejection> {
        self.check_weight(arrival.weight)?;
        let luck = if self.config.ttl_jitter() == 0.0 { 0.0 } else { self.random.next_share() };
        let ttl = self.config.time_to_live(arrival.ttl, luck)?;
        Ok(ttl.map(|ttl| now.saturating_add(millis(ttl))))
    }

    #[inline]
    fn check_weight(&self, weight: Weight) -> Result<(), Rejection> {
        let (weight, max_bytes) = (weight.bytes(), self.books.limits.bytes);
        if u64::from(weight) > max_bytes {
            return Err(Rejection::TooHeavy { weight, max_bytes });
        }
        Ok(())
    }

    /// Whether the entry is alive and may take on `weight` without another having to go.
    fn can_stay(&self, id: Id, weight: Weight, now: u64) -> bool {
        let others = self.stats.usage.bytes - u64::from(self.books.slab.node(id).weight);
        let bytes = others + u64::from(weight.bytes());
        bytes <= self.ceiling.bytes && !self.has_expired(id, now)
    }

    /// Writes over a live entry in its place, which counts as an access to it.
    fn overwrite(
        &mut self,
        id: Id,
        arrival: Arrival<K, V>,
        deadline: Option<u64>,
        now: u64,
    ) -> Removed<K, V> {
        let node = self.books.slab.node(id);
        let (old, new) = (node.weight, arrival.weight.bytes());
        self.policy.list_of(&self.books, id).reweigh(old, new);
        let node = self.books.slab.node_mut(id);
        (node.weight, node.born) = (new, tick(now));
        let entry = self.books.slab.entry_mut(id);
        let key = std::mem::replace(&mut entry.key, arrival.key);
        let value = std::mem::replace(&mut entry.value, arrival.value);
        entry.is_found = false;
        self.books.deadlines.set(id, deadline, now);
        self.note_access(id, now);
        self.stats.count_removal(RemovalCause::Replaced, old);
        self.stats.usage.subtract(old);
        self.count_arrival(new);
        Removed { key, value, weight: Weight::new(old), cause: RemovalCause::Replaced }
    }

    /// Takes an entry out for this cause, or as expired if its time had passed before.
    fn take_unless_expired(
        &mut self,
        id: Id,
        cause: RemovalCause,
        now: u64,
    ) -> Option<Removed<K, V>> {
        let expired = self.has_expired(id, now);
        self.take(id, if expired { RemovalCause::Expired } else { cause }, now)
    }

    fn take_outdated(&mut self, id: Id, now: u64) -> Option<Removed<K, V>> {
        self.take_unless_expired(id, RemovalCause::Replaced, now)
    }

    /// Lets go what an entry of `weight` needs the room of, and a few entries more while a lowered limit is
    /// not reached yet.
    fn make_room(&mut self, weight: Weight, now: u64, removed: &mut impl Extend<Removed<K, V>>) {
        let mut released = 0;
        loop {
            let mut usage = self.stats.usage;
            usage.add(weight.bytes());
            if !self.books.limits.are_below(usage) {
                return;
            }
            if !self.ceiling.are_below(usage) {
                if released == RELEASED_BY_WRITE {
                    return;
                }
                released += 1;
            }
            if !self.yield_one(now, removed) {
                return;
            }
        }
    }

    /// Lets go one entry that has expired, or else the policy's victim; `false` if there is none.
    fn yield_one(&mut self, now: u64, removed: &mut impl Extend<Removed<K, V>>) -> bool {
        let (id, cause) = match self.books.deadlines.first_due(now) {
            Some(id) => (Some(id), RemovalCause::Expired),
            None => (self.policy.victim(&mut self.books), RemovalCause::Evicted),
        };
        let gone = id.and_then(|id| self.take(id, cause, now));
        let is_gone = gone.is_some();
        removed.extend(gone);
        is_gone
    }

    /// Brings the ceiling down to what is held now, but not below the limits.
    fn lower_ceiling(&mut self) {
        let Limits { entries, bytes } = self.books.limits.raised_to(self.stats.usage);
        let Limits { entries: most_entries, bytes: most_bytes } = self.ceiling;
        self.ceiling = Limits { entries: entries.min(most_entries), bytes: bytes.min(most_bytes) };
    }

    fn admit(&mut self, arrival: Arrival<K, V>, deadline: Option<u64>, now: u64) -> Id {
        let Arrival { hash, key, value, weight, .. } = arrival;
        let (hash, weight) = (hash as u32, weight.bytes());
        let (touched, queue, is_held, is_found) = (tick(now), Queue::Main, false, false);
        let entry = Entry { key, value, touched, freq: 0, queue, is_held, is_found };
        let node = Node { prev: NONE, next: NONE, weight, born: tick(now), hash };
        let id = self.books.slab.insert(entry, node);
        let nodes = &self.books.slab.nodes;
        self.index.insert(hash, id, |id| nodes[id as usize].hash);
        self.books.deadlines.set(id, deadline, now);
        self.policy.on_insert(&mut self.books, id);
        self.count_arrival(weight);
        id
    }

    fn count_arrival(&mut self, weight: u32) {
        self.stats.inserted.add(weight);
        self.stats.usage.add(weight);
        self.stats.peak = self.stats.peak.max(self.stats.usage);
    }

    fn expire(&mut self, now: u64, most: usize, removed: &mut impl Extend<Removed<K, V>>) -> usize {
        for count in 0..most {
            let due = self.books.deadlines.first_due(now);
            match due.and_then(|id| self.take(id, RemovalCause::Expired, now)) {
                Some(gone) => removed.extend([gone]),
                None => return count,
            }
        }
        most
    }

    /// Takes an entry off all books.
    fn take(&mut self, id: Id, cause: RemovalCause, now: u64) -> Option<Removed<K, V>> {
        if cause == RemovalCause::Evicted {
            self.note_age(id, now);
            let idle = since(now, self.books.slab.entry(id).touched);
            self.stats.evicted_idle.record(idle);
            self.policy.on_evict(&mut self.books, id);
        }
        self.policy.on_remove(&mut self.books, id);
        self.strike(id, cause)
    }

    /// Notes how old an entry is that is evicted, if anybody knows.
    fn note_age(&mut self, id: Id, now: u64) {
        if !self.books.slab.entry(id).is_found {
            self.stats.evicted_age.record(since(now, self.books.slab.node(id).born));
        }
    }

    /// Takes an entry that stands in no queue any more off all other books.
    fn strike(&mut self, id: Id, cause: RemovalCause) -> Option<Removed<K, V>> {
        self.books.deadlines.forget(id);
        let (entry, node) = self.books.slab.remove(id)?;
        self.index.remove(node.hash, id);
        self.stats.usage.subtract(node.weight);
        self.stats.count_removal(cause, node.weight);
        Some(removed(entry, node, cause))
    }
}

/// Without keys and values, which may be personal or secret.
impl<K, V> fmt::Debug for Ledger<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usage = &self.stats.usage;
        f.debug_struct("Ledger")
            .field("config", &self.config)
            .field("usage", usage)
            .finish_non_exhaustive()
    }
}

fn removed<K, V>(entry: Entry<K, V>, node: Node, cause: RemovalCause) -> Removed<K, V> {
    let Entry { key, value, .. } = entry;
    Removed { key, value, weight: Weight::new(node.weight), cause }
}

/// How long before `now` a tick was, in milliseconds.
fn since(now: u64, then: u32) -> u64 {
    u64::from(tick(now).wrapping_sub(then)) << TICK_BITS
}

fn tick(now: u64) -> u32 {
    (now >> TICK_BITS) as u32
}
