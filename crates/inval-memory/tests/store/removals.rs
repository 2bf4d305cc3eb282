//! The removal listener: told of each removal exactly once, with the right cause.

use inval_memory::ManualClock;
use inval_memory::RemovalCause::{Evicted, Expired, Invalidated, Replaced};

use crate::support::journal::{CAUSES, Journal, removals};
use crate::support::setup::{at, for_each_setup, ttl, weight};

#[test]
fn each_cause_has_its_name() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let clock = ManualClock::new();
        let config = setup.config().max_entries(64).max_bytes(64_000);
        let builder = setup.builder(config).clock(clock.clone());
        let cache = builder.on_removal(journal.listener()).build();
        let told = |want: &[_]| assert_eq!(journal.take_sorted(), want);

        cache.insert(1, 10);
        told(&[]);
        cache.insert(1, 11);
        told(&[(1, 10, Replaced)]);
        assert_eq!(cache.remove(&1), Some(11));
        told(&[(1, 11, Invalidated)]);
        assert_eq!(cache.remove(&1), None);
        told(&[]);

        for key in 2..=4 {
            cache.insert_with(key, key, ttl(10)).unwrap();
        }
        clock.set(at(10));
        assert_eq!(cache.get(&2), None);
        told(&[]);
        assert_eq!(cache.remove(&2), None);
        told(&[(2, 2, Expired)]);
        cache.insert(3, 30);
        assert!(journal.take_sorted().contains(&(3, 3, Expired)));
        cache.maintain(at(10));
        journal.take();

        cache.insert(4, 40);
        cache.insert_with(4, 41, ttl(0)).unwrap_err();
        told(&[(4, 40, Replaced)]);
        cache.insert_with(4, 42, weight(64_001)).unwrap_err();
        told(&[]);
        cache.insert(5, 50);
        cache.clear();
        told(&[(3, 30, Invalidated), (5, 50, Invalidated)]);

        let many = if cfg!(miri) { 200 } else { 1_000 };
        (100..100 + many).for_each(|key| cache.insert(key, key));
        let told = journal.take_sorted();
        assert!(told.iter().all(|(key, value, cause)| key == value && *cause == Evicted));
        assert_eq!(told.len() as u64, many - 64, "one for each beyond the limit");
    });
}

/// Each write has a value of its own, so a removal that is told twice shows.
#[test]
fn every_entry_that_leaves_is_told_once_and_the_sums_are_the_statistics() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let clock = ManualClock::new();
        let config = setup.config().max_entries(32).max_bytes(320);
        let builder = setup.builder(config).clock(clock.clone());
        let cache = builder.on_removal(journal.listener()).build();
        let mut kept = 0;
        for step in 0..if cfg!(miri) { 100 } else { 4_000_u64 } {
            let key = step * step % 127 % 80;
            let options = [weight((step % 23) as u32), ttl(1 + step % 40)][step as usize % 2];
            match step % 11 {
                0..7 => kept += usize::from(cache.insert_with(key, step, options).is_ok()),
                7 => drop(cache.remove(&key)),
                8 => drop(cache.maintain(at(step / 2))),
                _ => drop(cache.get(&key)),
            }
            clock.set(at(step / 2));
        }
        let left = cache.len();
        let told = journal.take();
        assert_eq!(told.len() + left, kept);
        let stats = cache.stats();
        let mut tallies = CAUSES.map(|_| inval_memory::Usage::default());
        let mut values: Vec<_> = cache.iter().map(|(_, value)| value).collect();
        for removed in &told {
            let cause = CAUSES.iter().position(|cause| *cause == removed.cause).unwrap();
            tallies[cause].entries += 1;
            tallies[cause].bytes += u64::from(removed.weight.bytes());
            values.push(removed.value);
        }
        assert_eq!(tallies, removals(&stats));
        let count = values.len();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), count, "told twice, or told and still there");
        assert_eq!(cache.validate(), Ok(()));
    });
}
