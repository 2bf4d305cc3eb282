//! A cache that is plainly right: every question is answered by a look at all entries of one vector.

use std::time::Duration;

use inval_core::{
    Config, Insertion, MAX_LIFETIME, Rejection, RemovalCause, Removed, Stats, Strategy, Usage,
    Weight,
};

/// Where time ends; a deadline beyond it is right after it.
const LAST_NOW: u64 = (1 << 48) - 2;
/// How many expired entries a write collects although their room is not needed.
const COLLECTED_BY_WRITE: usize = 2;
/// How many entries a write takes off what is above a lowered limit.
const RELEASED_BY_WRITE: usize = 16;
const MOST_COUNTED: u64 = 255;
const ACCESSES_PER_ENTRY: u64 = 10;

pub(crate) type Gone = Removed<u8, u64>;

/// An entry to be written. No two carry the same token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    pub(crate) key: u8,
    pub(crate) token: u64,
    pub(crate) weight: u32,
    pub(crate) ttl: Option<Duration>,
}

#[derive(Debug)]
struct Held {
    write: Write,
    /// When its TTL ends, and when it will have been idle for too long.
    ends: [Option<u64>; 2],
    /// Which write it was, counted from the first.
    nth: u64,
    born: u64,
    touched: u64,
    /// LFU's count, or whether SIEVE's hand will spare it.
    count: u64,
}

impl Held {
    fn deadline(&self) -> Option<u64> {
        self.ends.into_iter().flatten().min()
    }
}

/// What a ledger does, without its speed. Where the documentation leaves a choice (the victim of
/// S3-FIFO and W-TinyLFU, the order of equal deadlines with a time to idle), it does as the ledger
/// did, as long as that is among what may be chosen.
#[derive(Debug)]
pub(crate) struct Naive {
    config: Config,
    /// In the order of insertion; for LRU and LFU in the order of the last access.
    held: Vec<Held>,
    /// The key at which SIEVE's hand points.
    hand: Option<u8>,
    /// What was held when the limits were last changed, or at a write since, if that was less.
    before: Usage,
    accesses: u64,
    writes: u64,
    now: u64,
    stats: Stats,
}

impl Naive {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            config: *config,
            held: Vec::new(),
            hand: None,
            before: Usage::default(),
            accesses: 0,
            writes: 0,
            now: 0,
            stats: Stats::default(),
        }
    }

    /// Keeps to other limits and another TTL from now on.
    pub(crate) fn reconfigure(&mut self, config: &Config) {
        self.config = *config;
        self.before = self.usage();
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Keys and tokens that a read at `now` would find.
    pub(crate) fn live(&self, now: u64) -> Vec<(u8, u64)> {
        let now = now.min(LAST_NOW).max(self.now);
        let alive = |held: &&Held| held.deadline().is_none_or(|deadline| deadline > now);
        self.held.iter().filter(alive).map(|held| (held.write.key, held.write.token)).collect()
    }

    /// What is held above the limits.
    pub(crate) fn excess(&self) -> Usage {
        let (usage, config) = (self.usage(), &self.config);
        Usage {
            entries: usage.entries.saturating_sub(config.max_entries().unwrap_or(u64::MAX)),
            bytes: usage.bytes.saturating_sub(config.max_bytes().unwrap_or(u64::MAX)),
        }
    }

    /// The soonest deadline.
    pub(crate) fn soonest(&self) -> Option<u64> {
        self.held.iter().filter_map(Held::deadline).min()
    }

    pub(crate) fn get(&mut self, key: u8, now: u64) -> Option<u64> {
        self.advance(now);
        let Some(at) = self.find(key).filter(|&at| !self.has_expired(at)) else {
            self.stats.misses += 1;
            return None;
        };
        self.stats.hits += 1;
        let token = self.held[at].write.token;
        self.held[at].touched = self.now;
        self.held[at].ends[1] = self.idle_end();
        self.access(at);
        Some(token)
    }

    /// The outcome, and what has to leave, in order.
    pub(crate) fn insert(
        &mut self,
        write: Write,
        now: u64,
        hints: &[Gone],
    ) -> (Result<Insertion, Rejection>, Vec<Gone>) {
        self.advance(now);
        let usage = self.usage();
        self.before.entries = self.before.entries.min(usage.entries);
        self.before.bytes = self.before.bytes.min(usage.bytes);
        let mut gone = Vec::new();
        let found = self.find(write.key);
        let end = match self.check(write) {
            Ok(end) => end,
            Err(reason) => {
                gone.extend(found.map(|at| self.take_outdated(at)));
                self.stats.rejected += 1;
                return (Err(reason), gone);
            }
        };
        let fits = |at: usize| self.has_room_for(write.weight, &self.held[at]);
        let stays = found.filter(|&at| !self.has_expired(at) && fits(at));
        if let Some(at) = stays {
            gone.push(self.overwrite(at, write, end));
        } else {
            gone.extend(found.map(|at| self.take_outdated(at)));
            let mut released = 0;
            while self.is_crowded_by(write.weight) && released < RELEASED_BY_WRITE {
                released += usize::from(!self.would_grow_by(write.weight));
                let Some(next) = self.make_room(hints.get(gone.len())) else { break };
                gone.push(next);
            }
            let held = self.held_by(write, end, 1);
            self.held.push(held);
            self.note_access();
        }
        self.stats.inserted += one(write.weight);
        self.recount();
        for _ in 0..COLLECTED_BY_WRITE {
            gone.extend(self.expire(hints.get(gone.len())));
        }
        let replaced = gone.first().is_some_and(|first| first.cause == RemovalCause::Replaced);
        (Ok(if replaced { Insertion::Replaced } else { Insertion::Inserted }), gone)
    }

    pub(crate) fn remove(&mut self, key: u8, now: u64) -> Option<Gone> {
        self.advance(now);
        let at = self.find(key)?;
        let expired = self.has_expired(at);
        let cause = if expired { RemovalCause::Expired } else { RemovalCause::Invalidated };
        Some(self.take(at, cause))
    }

    pub(crate) fn maintain(&mut self, now: u64, most: usize, hints: &[Gone]) -> Vec<Gone> {
        self.advance(now);
        let next = |nth: usize| {
            let expired = self.expire(hints.get(nth));
            let is_above = self.exceeds_limits(self.usage());
            expired.or_else(|| is_above.then(|| self.make_room(hints.get(nth))).flatten())
        };
        (0..most).map_while(next).collect()
    }

    pub(crate) fn clear(&mut self) -> Vec<Gone> {
        (self.accesses, self.hand) = (0, None);
        let all = 0..self.held.len();
        all.map(|_| self.take(0, RemovalCause::Invalidated)).collect()
    }

    fn advance(&mut self, now: u64) {
        self.now = self.now.max(now.min(LAST_NOW));
    }

    fn find(&self, key: u8) -> Option<usize> {
        self.held.iter().position(|held| held.write.key == key)
    }

    fn has_expired(&self, at: usize) -> bool {
        self.held[at].deadline().is_some_and(|deadline| deadline <= self.now)
    }

    fn idle_end(&self) -> Option<u64> {
        self.config.time_to_idle().map(|idle| self.end_of(idle))
    }

    fn end_of(&self, lifetime: Duration) -> u64 {
        self.now.saturating_add(lifetime.as_millis() as u64).min(LAST_NOW + 1)
    }

    /// When the TTL of a write ends, if it does, or why it is refused.
    fn check(&self, write: Write) -> Result<Option<u64>, Rejection> {
        let weight = write.weight;
        match (self.config.max_bytes(), write.ttl.or(self.config.ttl())) {
            (Some(max_bytes), _) if u64::from(weight) > max_bytes => {
                Err(Rejection::TooHeavy { weight, max_bytes })
            }
            (_, Some(ttl)) if ttl < Duration::from_millis(1) => Err(Rejection::NoTimeToLive),
            (_, Some(ttl)) if ttl <= MAX_LIFETIME => Ok(Some(self.end_of(ttl))),
            _ => Ok(None),
        }
    }

    fn has_room_for(&self, weight: u32, instead: &Held) -> bool {
        let bytes = self.usage().bytes - u64::from(instead.write.weight) + u64::from(weight);
        self.config.max_bytes().is_none_or(|most| bytes <= most.max(self.before.bytes))
    }

    fn is_crowded_by(&self, weight: u32) -> bool {
        let mut usage = self.usage();
        usage += one(weight);
        self.exceeds_limits(usage)
    }

    fn exceeds_limits(&self, usage: Usage) -> bool {
        self.config.max_entries().is_some_and(|most| usage.entries > most)
            || self.config.max_bytes().is_some_and(|most| usage.bytes > most)
    }

    /// Whether an entry of `weight` would bring usage above a limit and above what it was.
    fn would_grow_by(&self, weight: u32) -> bool {
        let mut usage = self.usage();
        usage += one(weight);
        let Usage { entries, bytes } = self.before;
        self.config.max_entries().is_some_and(|most| usage.entries > most.max(entries))
            || self.config.max_bytes().is_some_and(|most| usage.bytes > most.max(bytes))
    }

    fn usage(&self) -> Usage {
        let mut usage = Usage::default();
        self.held.iter().for_each(|held| usage += one(held.write.weight));
        usage
    }

    fn recount(&mut self) {
        self.stats.usage = self.usage();
        self.stats.peak.entries = self.stats.peak.entries.max(self.stats.usage.entries);
        self.stats.peak.bytes = self.stats.peak.bytes.max(self.stats.usage.bytes);
    }

    fn held_by(&mut self, write: Write, end: Option<u64>, count: u64) -> Held {
        self.writes += 1;
        let (born, touched) = (self.now, self.now);
        let count = if self.config.strategy() == Strategy::Lfu { count } else { 0 };
        Held { write, ends: [end, self.idle_end()], nth: self.writes, born, touched, count }
    }

    /// Writes over an entry in its place, which counts as an access.
    fn overwrite(&mut self, at: usize, write: Write, end: Option<u64>) -> Gone {
        let new = self.held_by(write, end, self.held[at].count);
        let old = std::mem::replace(&mut self.held[at], new);
        self.held[at].count = old.count;
        self.stats.replaced += one(old.write.weight);
        self.access(at);
        handed_back(old, RemovalCause::Replaced)
    }

    fn take_outdated(&mut self, at: usize) -> Gone {
        let expired = self.has_expired(at);
        self.take(at, if expired { RemovalCause::Expired } else { RemovalCause::Replaced })
    }

    fn take(&mut self, at: usize, cause: RemovalCause) -> Gone {
        let old = self.held.remove(at);
        if self.hand == Some(old.write.key) {
            self.hand = self.held.get(at).map(|next| next.write.key);
        }
        let weight = old.write.weight;
        match cause {
            RemovalCause::Expired => self.stats.expired += one(weight),
            RemovalCause::Invalidated => self.stats.invalidated += one(weight),
            RemovalCause::Replaced => self.stats.replaced += one(weight),
            RemovalCause::Vanished => self.stats.vanished += one(weight),
            RemovalCause::Evicted => {
                self.stats.evicted += one(weight);
                self.stats.evicted_age.record(self.since(old.born));
                self.stats.evicted_idle.record(self.since(old.touched));
            }
        }
        self.recount();
        handed_back(old, cause)
    }

    /// To 16 ms, and modulo 2^36 ms.
    fn since(&self, then: u64) -> u64 {
        (((self.now >> 4) - (then >> 4)) % (1 << 32)) << 4
    }

    fn make_room(&mut self, hint: Option<&Gone>) -> Option<Gone> {
        if let Some(gone) = self.expire(hint) {
            return Some(gone);
        }
        let at = self.victim(hint)?;
        Some(self.take(at, RemovalCause::Evicted))
    }

    fn expire(&mut self, hint: Option<&Gone>) -> Option<Gone> {
        let at = self.first_to_expire(hint).filter(|&at| self.has_expired(at))?;
        Some(self.take(at, RemovalCause::Expired))
    }

    /// The entry with the soonest deadline, among equals the one that was written first.
    fn first_to_expire(&self, hint: Option<&Gone>) -> Option<usize> {
        let soonest = self.soonest()?;
        let is_soonest = |&at: &usize| self.held[at].deadline() == Some(soonest);
        let mut equals: Vec<usize> = (0..self.held.len()).filter(is_soonest).collect();
        equals.sort_by_key(|&at| self.held[at].nth);
        let any_will_do = self.config.time_to_idle().is_some();
        self.choose(if any_will_do { &equals } else { &equals[..1] }, hint)
    }

    /// The entry that its strategy would evict next.
    fn victim(&mut self, hint: Option<&Gone>) -> Option<usize> {
        let all: Vec<usize> = (0..self.held.len()).collect();
        match self.config.strategy() {
            Strategy::Ttl => self.first_to_expire(hint).or(all.first().copied()),
            Strategy::Lru | Strategy::Fifo => all.first().copied(),
            Strategy::Lfu => all.into_iter().min_by_key(|&at| self.held[at].count),
            Strategy::Sieve => self.sweep(),
            Strategy::S3Fifo | Strategy::WTinyLfu => self.choose(&all, hint),
        }
    }

    /// Moves the hand from the oldest to the newest until it meets an entry that was not read since
    /// it last passed.
    fn sweep(&mut self) -> Option<usize> {
        let mut at = self.hand.and_then(|key| self.find(key)).unwrap_or(0);
        while self.held.get(at)?.count > 0 {
            self.held[at].count = 0;
            at = (at + 1) % self.held.len();
        }
        self.hand = Some(self.held[at].write.key);
        Some(at)
    }

    /// What the ledger chose if that is among `candidates`, else the first of them.
    fn choose(&self, candidates: &[usize], hint: Option<&Gone>) -> Option<usize> {
        let is_hinted = |&at: &usize| hint.is_some_and(|gone| gone.key == self.held[at].write.key);
        candidates.iter().copied().find(is_hinted).or(candidates.first().copied())
    }

    fn access(&mut self, at: usize) {
        match self.config.strategy() {
            Strategy::Lru => self.move_to_back(at),
            Strategy::Lfu => {
                self.held[at].count = (self.held[at].count + 1).min(MOST_COUNTED);
                self.move_to_back(at);
                self.note_access();
            }
            Strategy::Sieve => self.held[at].count = 1,
            Strategy::Ttl | Strategy::Fifo | Strategy::S3Fifo | Strategy::WTinyLfu => {}
        }
    }

    fn move_to_back(&mut self, at: usize) {
        let held = self.held.remove(at);
        self.held.push(held);
    }

    /// Halves LFU's counts after ten accesses per entry; what comes down from a lower count then
    /// goes before what comes down from a higher one.
    fn note_access(&mut self) {
        self.accesses += 1;
        if self.config.strategy() == Strategy::Lfu
            && self.accesses >= ACCESSES_PER_ENTRY * self.held.len() as u64
        {
            self.accesses = 0;
            self.held.sort_by_key(|held| held.count);
            self.held.iter_mut().for_each(|held| held.count /= 2);
        }
    }
}

fn one(weight: u32) -> Usage {
    Usage { entries: 1, bytes: weight.into() }
}

fn handed_back(held: Held, cause: RemovalCause) -> Gone {
    let Write { key, token, weight, .. } = held.write;
    Removed { key, value: token, weight: Weight::new(weight), cause }
}
