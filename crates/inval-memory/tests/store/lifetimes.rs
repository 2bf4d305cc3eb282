//! TTL, time to idle and upkeep, on a clock that moves when told.

use std::time::Duration;

use inval_core::{ConfigBuilder, MAX_LIFETIME};
use inval_memory::RemovalCause::{Expired, Replaced};
use inval_memory::{Clock, InsertOptions, ManualClock, MonotonicClock, Rejection, Timestamp};

use crate::support::journal::Journal;
use crate::support::setup::{FixedCache, Setup, at, for_each_setup, ms, ttl};

fn cache(setup: Setup, config: ConfigBuilder) -> (FixedCache<u64, u64>, ManualClock) {
    let clock = ManualClock::new();
    (setup.builder(config).clock(clock.clone()).build(), clock)
}

#[test]
fn an_entry_has_expired_at_its_deadline() {
    let check = |setup: Setup, config: ConfigBuilder, options: InsertOptions| {
        let (cache, clock) = cache(setup, config);
        let is_there = |key| (cache.contains(&key), cache.iter().count() == 1, cache.get(&key));
        cache.insert_with(1, 7, options).unwrap();
        assert!(cache.next_timeout().is_some_and(|time| time <= at(10)));
        clock.set(at(9));
        assert!(cache.contains(&1) && cache.iter().count() == 1);
        clock.set(at(10));
        assert_eq!(is_there(1), (false, false, None));
        assert_eq!((cache.len(), cache.remove(&1)), (1, None), "held until it is collected");
        assert_eq!((cache.len(), cache.stats().expired.entries), (0, 1));
        cache.insert_with(1, 8, options).unwrap();
        assert_eq!(is_there(1), (true, true, Some(8)));
        assert_eq!(cache.validate(), Ok(()));
    };
    for_each_setup(|setup| {
        let none = InsertOptions::default();
        check(setup, setup.config().ttl(ms(10)), none);
        check(setup, setup.config().time_to_idle(ms(10)), none);
        check(setup, setup.config().ttl(ms(5)), ttl(10));
        check(setup, setup.config().ttl(ms(500)), ttl(10));
        check(setup, setup.roomy(), ttl(10));
        check(setup, setup.config().time_to_idle(ms(10)).ttl(ms(20)), ttl(50));
    });
}

#[test]
fn a_read_starts_the_time_to_idle_anew_and_a_look_does_not() {
    for_each_setup(|setup| {
        let (cache, clock) = cache(setup, setup.config().time_to_idle(ms(10)).ttl(ms(25)));
        (1..=2).for_each(|key| cache.insert(key, key));
        for now in [6, 12, 18, 24] {
            clock.set(at(now));
            assert_eq!(cache.get(&1), Some(1), "read in time at {now}");
            assert_eq!(cache.contains(&2), now < 10);
            assert_eq!(cache.iter().count(), if now < 10 { 2 } else { 1 });
        }
        clock.set(at(25));
        assert_eq!(cache.get(&1), None, "no read moves the TTL");
        assert_eq!((cache.maintain(at(25)), cache.len()), (2, 0));
    });
}

#[test]
fn a_lifetime_of_its_own_may_be_none_and_may_not_be_nothing() {
    for_each_setup(|setup| {
        let (cache, clock) = cache(setup, setup.config().ttl(ms(10)));
        for (key, ttl) in [(1, MAX_LIFETIME), (2, MAX_LIFETIME + ms(1)), (3, Duration::MAX)] {
            let options = InsertOptions { ttl: Some(ttl), weight: None };
            cache.insert_with(key, key, options).unwrap();
        }
        for (key, ttl) in [(1, Duration::ZERO), (4, Duration::from_micros(999))] {
            let options = InsertOptions { ttl: Some(ttl), weight: None };
            let rejected = cache.insert_with(key, 9, options).unwrap_err();
            assert_eq!((rejected.reason, rejected.key), (Rejection::NoTimeToLive, key));
        }
        clock.advance(2 * MAX_LIFETIME);
        assert_eq!(cache.maintain(clock.now()), 0);
        assert_eq!([1, 2, 3, 4].map(|key| cache.get(&key)), [None, Some(2), Some(3), None]);
        assert_eq!(cache.next_timeout(), None);
    });
}

#[test]
fn jitter_only_shortens_a_ttl_and_by_no_more_than_its_share() {
    for_each_setup(|setup| {
        let (cache, clock) = cache(setup, setup.config().ttl(ms(1_000)).ttl_jitter(0.5));
        (0..100).for_each(|key| cache.insert(key, key));
        clock.set(at(500));
        assert_eq!(cache.maintain(at(500)), 0);
        clock.set(at(750));
        assert!((20..80).contains(&cache.maintain(at(750))));
        clock.set(at(1_000));
        cache.maintain(at(1_000));
        assert!(cache.is_empty());
    });
}

#[test]
fn a_clock_that_runs_back_is_ignored() {
    for_each_setup(|setup| {
        let (cache, clock) = cache(setup, setup.config().ttl(ms(10)));
        cache.insert(1, 1);
        clock.set(at(10));
        assert_eq!(cache.get(&1), None);
        clock.set(at(0));
        assert_eq!((cache.get(&1), cache.contains(&1), cache.iter().count()), (None, false, 0));
    });
}

#[test]
fn upkeep_takes_all_that_has_expired_however_much_it_is() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let clock = ManualClock::new();
        let builder = setup.builder(setup.roomy()).clock(clock.clone());
        let cache = builder.on_removal(journal.listener()).build();
        let mortal = if cfg!(miri) { 30 } else { 3_000 };
        for key in 0..mortal {
            cache.insert_with(key, 0, ttl(10 + key % 50)).unwrap();
        }
        (mortal..mortal + 10).for_each(|key| cache.insert(key, 1));
        assert_eq!((cache.maintain(at(9)), journal.take_sorted()), (0, vec![]));
        clock.set(at(60));
        assert_eq!(cache.maintain(at(60)), mortal as usize);
        let want: Vec<_> = (0..mortal).map(|key| (key, 0, Expired)).collect();
        assert_eq!(journal.take_sorted(), want);
        assert_eq!((cache.maintain(at(60)), cache.len()), (0, 10));
        assert_eq!((cache.next_timeout(), cache.validate()), (None, Ok(())));
    });
}

/// Jumps from one `next_timeout` to the next, as a driver without a timer of its own would.
#[test]
fn waking_at_each_timeout_collects_everything_on_time() {
    for_each_setup(|setup| {
        let (cache, clock) = cache(setup, setup.config().time_to_idle(ms(400)));
        assert_eq!(cache.next_timeout(), None);
        let ttls = [1, 2, 63, 64, 65, 300, 5_000];
        for (key, ttl_ms) in (0..).zip(ttls) {
            cache.insert_with(key, ttl_ms, ttl(ttl_ms)).unwrap();
        }
        let mut wakes = 0;
        while let Some(time) = cache.next_timeout() {
            assert!(time >= clock.now(), "time stands still");
            clock.set(time);
            cache.maintain(time);
            let late = |(_, ttl_ms): (u64, u64)| at(ttl_ms.min(400)) <= time;
            assert!(!cache.iter().any(late) && cache.len() == cache.iter().count());
            wakes += 1;
            assert!(wakes < 100, "wakes without getting anywhere");
        }
        assert_eq!((cache.len(), clock.now()), (0, at(400)));
    });
}

#[test]
fn a_write_collects_what_has_expired_under_its_key() {
    for_each_setup(|setup| {
        let journal = Journal::new();
        let clock = ManualClock::new();
        let builder = setup.builder(setup.config().ttl(ms(10))).clock(clock.clone());
        let cache = builder.on_removal(journal.listener()).build();
        cache.insert(1, 1);
        cache.insert(1, 2);
        assert_eq!(journal.take_sorted(), [(1, 1, Replaced)]);
        clock.set(at(10));
        cache.insert(1, 3);
        assert_eq!(journal.take_sorted(), [(1, 2, Expired)]);
    });
}

#[test]
fn the_machines_clock_starts_at_the_origin_and_goes_forward() {
    let clock = MonotonicClock::default();
    let times: [Timestamp; 3] = std::array::from_fn(|_| clock.now());
    assert!(times.is_sorted() && times[0] < at(3_600_000));
}

/// Were it ahead, what is written by it would outlive its TTL.
#[test]
fn the_machines_coarse_clock_is_never_ahead_of_the_fine_one() {
    let clock = MonotonicClock::default();
    while clock.now() < at(if cfg!(miri) { 2 } else { 30 }) {
        let coarse = clock.coarse_now();
        assert!(coarse <= clock.now(), "{coarse:?}");
    }
}
