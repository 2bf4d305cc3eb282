//! Upkeep of one shard at a time, within a budget.

use std::time::Duration;

use inval_core::testing::Harness;
use inval_memory::{Budget, Config, Key, Slice, Store, Usage};

use super::harness::{ByteCache, Memory};
use crate::support::setup::{ms, ttl};
use crate::support::tasks::Task;

fn maintain(cache: &ByteCache, partition: u32, budget: Duration) -> Slice {
    Task::new(Store::maintain(cache, partition, Budget::within(budget))).finish().unwrap()
}

fn filled(memory: &Memory, entries: u32) -> ByteCache {
    let config = Config::builder().max_entries(1_000_000).build().unwrap();
    let cache = memory.builder(config, memory.partitions()).build();
    for n in 0..entries {
        let key = Key::new(&n.to_le_bytes()).unwrap();
        cache.insert_with(key, bytes::Bytes::new(), ttl(10)).unwrap();
    }
    cache
}

#[test]
fn a_spent_budget_leaves_the_rest_for_a_call_at_once() {
    let memory = Memory::new(1);
    let cache = filled(&memory, 1_000);
    Task::new(memory.pass(ms(10))).finish();
    let first = maintain(&cache, 0, Duration::ZERO);
    assert!(first.expired > 0 && first.expired < 1_000, "{first:?}");
    assert_eq!(first.next, Duration::ZERO);
    let rest = maintain(&cache, 0, Duration::from_secs(60));
    assert_eq!(first.expired + rest.expired, 1_000);
    assert!(rest.next > Duration::ZERO && cache.is_empty());
}

#[test]
fn a_budget_in_entries_is_kept_to() {
    let memory = Memory::new(1);
    let cache = filled(&memory, 1_000);
    Task::new(memory.pass(ms(10))).finish();
    let slice = |entries: u64| {
        let budget = Budget { entries, ..Budget::within(Duration::from_secs(60)) };
        Task::new(Store::maintain(&cache, 0, budget)).finish().unwrap()
    };
    let first = slice(700);
    assert_eq!((first.expired, first.next), (700, Duration::ZERO));
    assert_eq!(slice(0).expired, 1, "something is done in any case");
    let rest = slice(u64::MAX);
    assert!(rest.expired == 299 && rest.next > Duration::ZERO && cache.is_empty());
}

#[test]
fn what_is_above_a_lowered_limit_is_evicted_in_slices() {
    let memory = Memory::new(1);
    let cache = filled(&memory, 1_000);
    cache.reconfigure(&Config::builder().max_entries(300).build().unwrap()).unwrap();
    let budget = Budget { entries: 600, ..Budget::within(Duration::from_secs(60)) };
    let first = Task::new(Store::maintain(&cache, 0, budget)).finish().unwrap();
    assert_eq!((first.evicted, first.expired, first.next), (600, 0, Duration::ZERO));
    assert_eq!(first.excess, Usage { entries: 100, bytes: 0 });
    assert!(first.held >= first.longest && first.longest > Duration::ZERO);
    let rest = maintain(&cache, 0, Duration::from_secs(60));
    assert_eq!((rest.evicted, rest.excess, cache.len()), (100, Usage::default(), 300));
}

#[test]
fn a_slice_tells_how_late_it_came() {
    let memory = Memory::new(1);
    let cache = filled(&memory, 1_000);
    Task::new(memory.pass(ms(25))).finish();
    let first = maintain(&cache, 0, Duration::ZERO);
    assert_eq!((first.overdue, first.latency), (ms(15), None));
    Task::new(memory.pass(ms(5))).finish();
    assert_eq!(maintain(&cache, 0, Duration::from_secs(60)).overdue, ms(20));
    assert_eq!(maintain(&cache, 0, Duration::from_secs(60)).overdue, Duration::ZERO);
}

#[test]
fn the_next_call_is_due_when_something_expires_and_within_seconds() {
    let memory = Memory::new(4);
    let cache = filled(&memory, 100);
    for shard in 0..4 {
        let slice = maintain(&cache, shard, ms(10));
        assert!(slice.next > Duration::ZERO && slice.next <= ms(10), "{slice:?}");
    }
    let idle = maintain(&filled(&memory, 0), 0, ms(10));
    assert!(idle.next >= ms(100) && idle.next <= ms(10_000), "{idle:?}");
}

#[test]
fn a_shard_is_maintained_alone_and_one_that_is_not_there_is_none() {
    let memory = Memory::new(4);
    let cache = filled(&memory, 100);
    Task::new(memory.pass(ms(10))).finish();
    assert_eq!(maintain(&cache, 4, ms(10)).expired, 0);
    let expired: Vec<u64> = (0..4).map(|shard| maintain(&cache, shard, ms(10)).expired).collect();
    assert!(expired.iter().all(|expired| *expired > 0 && *expired < 100), "{expired:?}");
    assert_eq!(expired.iter().sum::<u64>(), 100);
    assert!((0..4).all(|shard| maintain(&cache, shard, ms(10)).expired == 0));
}
