//! A client of the roomy namespace: reads, writes, deletions and clears of all kinds.

use std::ops::Range;
use std::time::Duration;

use inval_core::{Put, PutCondition, PutOptions, Store};

use super::{Caller, ROOMY_KEYS, bytes_of, key_of, outcome, outcome_of_many};
use crate::history::{Act, Event, Outcome, Seen, Value};
use crate::site::RESPONSE_TIMEOUT;

/// How often the first client clears everything.
const CLEAR_INTERVAL: Duration = Duration::from_millis(1700);
/// Of so many keys one has entries that expire where clocks jump, and no other has.
const ONE_EXPIRES_IN: u32 = 10;

/// Calls until the load ends.
pub(super) async fn work(mut caller: Caller) -> Vec<Event> {
    let mut cleared = caller.now();
    while !caller.is_over() {
        if caller.number == 0 && caller.now() > cleared + CLEAR_INTERVAL {
            cleared = caller.now();
            caller.clear().await;
        }
        caller.call().await;
        let pause = caller.shared.pace.pause;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    caller.events
}

impl Caller {
    async fn call(&mut self) {
        let key = self.any_key();
        match self.rng.u32(0..100) {
            0..50 => _ = self.get(key).await,
            50..70 => self.put(key, PutOptions::default()).await,
            70..77 => self.put_for_a_while(key).await,
            77..82 => {
                let condition = PutCondition::IfAbsent;
                self.put(key, PutOptions { condition, ..PutOptions::default() }).await;
            }
            82..90 => self.invalidate(key..key + 1).await,
            90..95 => {
                let keys: Vec<u32> = (0..8).map(|_| self.any_key()).collect();
                self.get_many(&keys).await;
            }
            95..98 => {
                let first = self.rng.u32(0..ROOMY_KEYS - 4);
                self.put_many(first..first + 4).await;
            }
            _ => {
                let first = self.rng.u32(0..ROOMY_KEYS - 3);
                self.invalidate(first..first + 3).await;
            }
        }
    }

    fn any_key(&mut self) -> u32 {
        self.rng.u32(0..ROOMY_KEYS)
    }

    /// What it found; `None` if it failed.
    pub(super) async fn get(&mut self, key: u32) -> Option<Seen> {
        let asked = self.now();
        let found = self.cache.get(&key_of(key)).await;
        let seen = found.as_ref().ok().map(|found| Value::decode(found.as_deref(), key));
        self.note(asked, found.is_ok(), seen.map(|seen| (key, Act::Read(seen))));
        seen
    }

    async fn get_many(&mut self, numbers: &[u32]) {
        let keys: Vec<_> = numbers.iter().map(|&number| key_of(number)).collect();
        let asked = self.now();
        let found = self.cache.get_many(&keys).await;
        let read = |(found, &key): (&Option<bytes::Bytes>, &u32)| {
            (key, Act::Read(Value::decode(found.as_deref(), key)))
        };
        let acts: Vec<_> = found.iter().flatten().zip(numbers).map(read).collect();
        self.note(asked, found.is_ok(), acts);
    }

    pub(super) async fn put(&mut self, key: u32, options: PutOptions) {
        let value = self.shared.chronicle.new_value();
        let asked = self.now();
        let put = self.cache.put(&key_of(key), bytes_of(value, key), options).await;
        let outcome = match put {
            Ok(Put::Unmet) => Outcome::Refused,
            _ => outcome(&put),
        };
        let write = Act::Write { value, ttl: options.ttl, outcome };
        self.note(asked, put.is_ok(), [(key, write)]);
    }

    /// Writes an entry that expires. Where clocks jump nobody can rely on when: as if it were deleted at any time.
    async fn put_for_a_while(&mut self, key: u32) {
        let ttl = Some(Duration::from_millis(self.rng.u64(50..400)));
        let options = PutOptions { ttl, ..PutOptions::default() };
        if !self.shared.pace.clocks_jump {
            return self.put(key, options).await;
        }
        let key = key - key % ONE_EXPIRES_IN;
        let asked = self.now();
        self.put(key, options).await;
        self.note(asked, true, [(key, Act::Invalidate(Outcome::Unknown))]);
    }

    pub(super) async fn put_many(&mut self, keys: Range<u32>) {
        let values: Vec<_> = keys.map(|key| (key, self.shared.chronicle.new_value())).collect();
        let entries: Vec<_> =
            values.iter().map(|&(key, value)| (key_of(key), bytes_of(value, key))).collect();
        let asked = self.now();
        let put = self.cache.put_many(&entries, None).await;
        let outcome = outcome_of_many(&put);
        let write = |(key, value)| (key, Act::Write { value, ttl: None, outcome });
        self.note(asked, put.is_ok(), values.into_iter().map(write));
    }

    async fn invalidate(&mut self, numbers: Range<u32>) {
        let keys: Vec<_> = numbers.clone().map(key_of).collect();
        let asked = self.now();
        let deleted = self.cache.invalidate(&keys).await;
        let outcome = if keys.len() == 1 { outcome(&deleted) } else { outcome_of_many(&deleted) };
        let acts = numbers.clone().map(|key| (key, Act::Invalidate(outcome)));
        self.note(asked, deleted.is_ok(), acts);
        if self.may_come_again(asked) {
            let again = numbers.map(|key| (key, Act::Invalidate(Outcome::Unknown)));
            self.note(asked, true, again);
        }
    }

    /// Whether a call that was asked then may have been sent twice, as invalidations are, and come late as well.
    fn may_come_again(&self, asked: Duration) -> bool {
        self.now().saturating_sub(asked) >= RESPONSE_TIMEOUT
    }

    async fn clear(&mut self) {
        let asked = self.now();
        let cleared = self.cache.clear().await;
        let outcome = outcome_of_many(&cleared);
        self.note(asked, cleared.is_ok(), [(0, Act::Clear(outcome))]);
        if self.may_come_again(asked) {
            self.note(asked, true, [(0, Act::Clear(Outcome::Unknown))]);
        }
    }
}
