//! A ledger with a clock beside it, so that a test reads as a list of calls.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::time::Duration;

use inval_core::{
    Arrival, ConfigBuilder, Insertion, Ledger, Rejection, RemovalCause, Removed, Strategy, Weight,
};

use super::keys::{at, hash, ms};

/// What a write does to the books: its outcome, and which keys left and why.
#[derive(PartialEq, Debug)]
pub(crate) struct Written(
    pub(crate) Result<Insertion, Rejection>,
    pub(crate) Vec<(u64, RemovalCause)>,
);

#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) ledger: Ledger<u64, u64>,
    pub(crate) now: u64,
    writes: u64,
}

impl Cache {
    #[expect(clippy::unwrap_used, reason = "a contradiction is a mistake in the test")]
    pub(crate) fn new(builder: ConfigBuilder) -> Self {
        Self { ledger: Ledger::new(&builder.build().unwrap()), now: 0, writes: 0 }
    }

    /// Writes one byte that lives as long as the configuration lets it; the value is the number of
    /// the write, counted from 0.
    pub(crate) fn put(&mut self, key: u64) -> Written {
        self.write(key, 1, None)
    }

    pub(crate) fn put_for(&mut self, key: u64, ttl_ms: u64) -> Written {
        self.write(key, 1, Some(ms(ttl_ms)))
    }

    pub(crate) fn put_heavy(&mut self, key: u64, weight: u32) -> Written {
        self.write(key, weight, None)
    }

    /// Whether a read finds the key.
    pub(crate) fn read(&mut self, key: u64) -> bool {
        self.ledger.get(hash(key), &key, at(self.now)).is_some()
    }

    /// Reads the key, and writes it if it is not there; whether it was there.
    pub(crate) fn fetch(&mut self, key: u64) -> bool {
        let hit = self.read(key);
        if !hit {
            self.put(key);
        }
        hit
    }

    /// The share of `keys` that was there when each was fetched.
    pub(crate) fn hit_ratio(&mut self, keys: impl IntoIterator<Item = u64>) -> f64 {
        let (mut hits, mut reads) = (0_u32, 0_u32);
        for key in keys {
            hits += u32::from(self.fetch(key));
            reads += 1;
        }
        f64::from(hits) / f64::from(reads)
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<(u64, RemovalCause)> {
        self.ledger.remove(hash(key), &key, at(self.now)).map(brief)
    }

    pub(crate) fn maintain(&mut self, most: usize) -> Vec<(u64, RemovalCause)> {
        let mut gone = Vec::new();
        self.ledger.maintain(at(self.now), most, &mut gone);
        gone.into_iter().map(brief).collect()
    }

    /// The keys below `end` that a read would find, without reading them.
    pub(crate) fn live(&self, end: u64) -> Vec<u64> {
        (0..end).filter(|key| self.ledger.peek(hash(*key), key, at(self.now)).is_some()).collect()
    }

    pub(crate) fn write(&mut self, key: u64, weight: u32, ttl: Option<Duration>) -> Written {
        let (value, weight) = (self.writes, Weight::new(weight));
        self.writes += 1;
        let arrival = Arrival { hash: hash(key), key, value, weight, ttl };
        let mut gone = Vec::new();
        let outcome = self.ledger.insert(arrival, at(self.now), &mut gone);
        Written(outcome.map_err(|rejected| rejected.reason), gone.into_iter().map(brief).collect())
    }
}

/// Runs `check` once for each strategy and names the one with which it fails.
#[expect(clippy::print_stderr, reason = "shown only if the test fails")]
pub(crate) fn for_each_strategy(check: impl Fn(Strategy)) {
    for strategy in Strategy::ALL {
        eprintln!("strategy {strategy}");
        check(strategy);
    }
}

fn brief(gone: Removed<u64, u64>) -> (u64, RemovalCause) {
    (gone.key, gone.cause)
}
