//! A ledger and the naive cache side by side, and the operations that both have to answer alike.

use std::time::Duration;

use inval_core::{Arrival, Config, Ledger, Rejected, Timestamp, Weight};

use super::keys::{at, hash as mixed};
use super::naive::{Gone, Naive, Write};

/// Keys are below this.
pub(crate) const KEYS: u8 = 12;
/// Places that one step of a walk looks at.
const PAGE: u32 = 3;
/// Operations from one look at the whole state to the next.
const STRIDE: usize = if cfg!(miri) { 16 } else { 1 };

#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Op {
    Get(u8),
    Insert {
        key: u8,
        weight: u32,
        ttl: Option<Duration>,
    },
    Remove(u8),
    Maintain(usize),
    /// Limits in entries and in bytes, and a TTL in milliseconds; none of a sort that the builder rejects.
    Reconfigure([Option<u64>; 3]),
    Clear,
    Forward(u64),
    Back(u64),
}

/// Does every operation on both sides and panics where they differ.
#[derive(Debug)]
pub(crate) struct World {
    ledger: Ledger<u8, u64>,
    naive: Naive,
    clock: u64,
    tokens: u64,
    handed_back: Vec<u64>,
}

impl World {
    fn new(config: &Config) -> Self {
        let (ledger, naive) = (Ledger::new(config), Naive::new(config));
        Self { ledger, naive, clock: 0, tokens: 0, handed_back: Vec::new() }
    }

    pub(crate) fn run(config: &Config, ops: impl IntoIterator<Item = Op>) {
        let mut world = Self::new(config);
        for (nth, op) in ops.into_iter().enumerate() {
            world.apply(op);
            if nth.is_multiple_of(STRIDE) {
                world.check_state();
            }
        }
        world.finish();
    }

    /// Does an operation; usage does not grow in a dimension in which it is above its limit.
    fn apply(&mut self, op: Op) {
        let before = self.ledger.usage();
        self.call(op);
        let (config, usage) = (self.ledger.config(), self.ledger.usage());
        assert!(usage.entries <= config.max_entries().unwrap_or(u64::MAX).max(before.entries));
        assert!(usage.bytes <= config.max_bytes().unwrap_or(u64::MAX).max(before.bytes));
    }

    fn call(&mut self, op: Op) {
        let now = self.now();
        match op {
            Op::Get(key) => {
                let got = self.ledger.get(hash(key), &key, now).copied();
                assert_eq!(got, self.naive.get(key, self.clock), "get {key}");
            }
            Op::Insert { key, weight, ttl } => self.insert(key, weight, ttl),
            Op::Remove(key) => {
                let gone = self.ledger.remove(hash(key), &key, now);
                assert_eq!(gone, self.naive.remove(key, self.clock), "remove {key}");
                self.take_back(gone);
            }
            Op::Maintain(most) => {
                let mut gone = Vec::new();
                let count = self.ledger.maintain(now, most, &mut gone);
                assert_eq!(gone, self.naive.maintain(self.clock, most, &gone));
                assert_eq!(count, gone.len());
                self.take_back(gone);
            }
            Op::Reconfigure([entries, bytes, ttl]) => self.reconfigure(entries, bytes, ttl),
            Op::Clear => self.clear(),
            Op::Forward(by) => self.clock = self.clock.saturating_add(by),
            Op::Back(by) => self.clock = self.clock.saturating_sub(by),
        }
    }

    /// Takes everything out and checks that each token came back once.
    fn finish(mut self) {
        self.clear();
        self.check_state();
        self.handed_back.sort_unstable();
        assert!(self.handed_back.iter().copied().eq(0..self.tokens), "each token comes back once");
    }

    fn now(&self) -> Timestamp {
        at(self.clock)
    }

    fn insert(&mut self, key: u8, weight: u32, ttl: Option<Duration>) {
        let write = Write { key, token: self.tokens, weight, ttl };
        self.tokens += 1;
        let arrival =
            Arrival { hash: hash(key), key, value: write.token, weight: Weight::new(weight), ttl };
        let mut gone = Vec::new();
        let outcome = self.ledger.insert(arrival, self.now(), &mut gone);
        let (want, want_gone) = self.naive.insert(write, self.clock, &gone);
        let value = write.token;
        let want = want.map_err(|reason| Rejected { reason, key, value });
        assert_eq!((&outcome, &gone), (&want, &want_gone), "insert {write:?}");
        self.take_back(gone);
        self.handed_back.extend(outcome.err().map(|rejected| rejected.value));
    }

    fn reconfigure(&mut self, entries: Option<u64>, bytes: Option<u64>, ttl: Option<u64>) {
        let old = *self.ledger.config();
        let mut builder = Config::builder().strategy(old.strategy()).seed(old.seed());
        builder = old.time_to_idle().map_or(builder, |idle| builder.time_to_idle(idle));
        builder = entries.map_or(builder, |most| builder.max_entries(most));
        builder = bytes.map_or(builder, |most| builder.max_bytes(most));
        builder = ttl.map_or(builder, |ttl| builder.ttl(Duration::from_millis(ttl)));
        if let Ok(config) = builder.build() {
            assert_eq!(self.ledger.reconfigure(&config), Ok(()));
            assert_eq!(self.ledger.config(), &config);
            self.naive.reconfigure(&config);
        }
    }

    fn clear(&mut self) {
        let by_token = |mut gone: Vec<Gone>| {
            gone.sort_by_key(|gone| gone.value);
            gone
        };
        let gone = by_token(self.ledger.clear().collect());
        assert_eq!(gone, by_token(self.naive.clear()));
        self.take_back(gone);
    }

    fn take_back(&mut self, gone: impl IntoIterator<Item = Gone>) {
        self.handed_back.extend(gone.into_iter().map(|gone| gone.value));
    }

    fn check_state(&self) {
        let (ledger, now) = (&self.ledger, self.now());
        assert_eq!(ledger.validate(), Ok(()));
        assert_eq!(&ledger.stats(), self.naive.stats());
        assert_eq!(ledger.usage(), ledger.stats().usage);
        assert_eq!(ledger.len() as u64, ledger.stats().usage.entries);
        assert_eq!(ledger.is_empty(), ledger.stats().usage.entries == 0);
        assert_eq!(ledger.excess(), self.naive.excess());

        let mut live = self.naive.live(self.clock);
        live.sort_unstable();
        let peeked = (0..KEYS).filter_map(|key| Some((key, *ledger.peek(hash(key), &key, now)?)));
        assert_eq!(peeked.collect::<Vec<_>>(), live, "peek");
        assert_eq!(self.walk(), live, "page");

        let (wake, soonest) = (ledger.next_timeout(), self.naive.soonest());
        let lifetime = ledger.config().ttl().or(ledger.config().time_to_idle());
        assert_eq!(ledger.has_deadlines(), soonest.is_some());
        assert_eq!(ledger.may_expire(), soonest.is_some() || lifetime.is_some());
        assert_eq!(wake.is_some(), soonest.is_some());
        assert!(wake.map(Timestamp::as_millis) <= soonest, "{wake:?} is after {soonest:?}");
    }

    fn walk(&self) -> Vec<(u8, u64)> {
        let (mut seen, mut from) = (Vec::new(), Some(0));
        while let Some(place) = from {
            let (entries, next) = self.ledger.page(place, PAGE, self.now());
            seen.extend(entries.map(|(&key, &token)| (key, token)));
            from = next;
        }
        seen.sort_unstable();
        seen
    }
}

/// Every two keys share a hash, so that they collide wherever hashes are compared.
fn hash(key: u8) -> u64 {
    mixed(u64::from(key / 2))
}
