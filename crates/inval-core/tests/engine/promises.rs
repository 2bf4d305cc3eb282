//! What a manager promises while nothing goes wrong: limits, expiry, order of eviction, little work.

use std::time::Duration;

use inval_core::engine::EngineSettings;
use inval_core::record::Record;
use inval_core::{ChangeError, Config, ConfigBuilder, Strategy, Usage};

use super::world::World;

fn key(n: u64) -> Vec<u8> {
    format!("{n:08}").into_bytes()
}

/// One manager, steady.
fn steady(builder: ConfigBuilder, settings: EngineSettings) -> World {
    let mut world = World::new(builder.build().unwrap(), settings, 1, 7);
    world.run_until(1_000, |world| world.steady().is_some());
    world
}

fn lru(max_entries: u64) -> World {
    let builder = Config::builder().strategy(Strategy::Lru).max_entries(max_entries);
    steady(builder, EngineSettings::default())
}

fn each_strategy(check: impl Fn(Strategy)) {
    Strategy::ALL.into_iter().for_each(check);
}

#[test]
fn an_overwrite_at_the_limit_evicts_nothing() {
    each_strategy(|strategy| {
        let builder = Config::builder().strategy(strategy).max_entries(50).max_bytes(50 * 108);
        let mut world = steady(builder, EngineSettings::default());
        for n in 0..2_000 {
            world.server.put(&key(n % 50), 100, None);
            world.run(n % 4);
        }
        world.settle(2_000);
        assert_eq!((world.server.truth.evicted, world.server.values.len()), (0, 50));
    });
}

#[test]
fn an_expired_entry_never_displaces_a_live_one() {
    each_strategy(|strategy| {
        let mut world =
            steady(Config::builder().strategy(strategy).max_entries(50), EngineSettings::default());
        // The first wave has expired when the next one comes, and stands on the books all the same.
        for wave in 0..20 {
            for n in 0..50 {
                world.server.put(&key(wave * 50 + n), 10, Some(100 + n));
            }
            world.run(160);
        }
        world.settle(2_000);
        assert_eq!((world.server.truth.evicted, world.server.truth.expired), (0, 1_000));
    });
}

#[test]
fn a_burst_of_expiry_leaves_the_books_in_a_few_steps_and_displaces_nothing() {
    let settings = EngineSettings { drain_batch: 10_000, ..EngineSettings::default() };
    let builder = Config::builder().strategy(Strategy::Lru).max_entries(100_100);
    let mut world = steady(builder, settings);
    world.audits = false;
    (0..100).for_each(|n| _ = world.server.put(&key(n), 10, None));
    (100..100_100).for_each(|n| _ = world.server.put(&key(n), 10, Some(60_000)));
    world.run_until(10_000, |world| world.managers[0].engine.usage().0.entries == 100_100);
    world.run(52_000);
    let before = world.steps;
    // Still booked, but gone: what is written now needs no room that they have.
    world.server.true_ms += 8_000;
    (200_000..205_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run_until(5_000, |world| world.managers[0].engine.usage().0.entries == 5_100);
    assert!(world.steps - before < 250, "{} steps", world.steps - before);
    assert_eq!(world.server.truth.evicted, 0);
    world.settle(2_000);
}

#[test]
fn every_strategy_keeps_the_limit_but_for_what_was_just_written() {
    each_strategy(|strategy| {
        let mut world = steady(
            Config::builder().strategy(strategy).max_entries(500),
            EngineSettings::default(),
        );
        world.audits = false;
        let mut most = 0;
        for n in 0..6_000 {
            world.server.put(&key(n), 10, None);
            world.server.get(&key(n / 2));
            world.run(u64::from(n % 2 == 0));
            most = most.max(world.server.values.len());
        }
        // 2,000 writes a second, and a step every few milliseconds.
        assert!(most <= 540, "{strategy:?}: {most}");
        world.settle(2_000);
        assert_eq!(world.server.values.len(), 500, "{strategy:?}");
    });
}

#[test]
fn with_headroom_the_limit_is_never_passed() {
    let settings = EngineSettings { headroom: 0.1, ..EngineSettings::default() };
    let mut world = steady(Config::builder().strategy(Strategy::Lru).max_entries(1_000), settings);
    for n in 0..5_000 {
        // A writer that slows down where the journal is longer than half of the headroom.
        while world.server.journal.len() > 50 {
            world.run(1);
        }
        world.server.put(&key(n), 10, None);
        assert!(world.server.values.len() <= 1_000);
    }
    world.settle(2_000);
    assert_eq!(world.server.values.len(), 900);
}

#[test]
fn a_lowered_limit_is_reached_step_by_step_and_not_passed() {
    each_strategy(|strategy| {
        let entries = |most| Config::builder().strategy(strategy).max_entries(most);
        let mut world = steady(entries(5_000), EngineSettings::default());
        world.audits = false;
        (0..5_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.settle(5_000);
        world.reconfigure(entries(500).build().unwrap());
        let mut least = 5_000;
        for n in 5_000..6_000 {
            world.server.put(&key(n), 10, None);
            world.run(2);
            least = world.server.values.len().min(least);
            assert!(least >= 500 && world.server.values.len() <= 5_010);
        }
        world.settle(2_000);
        assert_eq!((world.server.values.len(), world.server.truth.evicted), (500, 5_500));
    });
}

#[test]
fn a_raised_limit_lets_more_in() {
    let mut world = lru(50);
    (0..50).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(100);
    world.reconfigure(Config::builder().strategy(Strategy::Lru).max_entries(90).build().unwrap());
    world.run(1_000);
    (50..100).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    assert_eq!((world.server.values.len(), world.server.truth.evicted), (90, 10));
}

/// The most that is on the books while a burst of writes that fills an empty cache many times over is read.
fn most_booked(builder: ConfigBuilder, settings: EngineSettings) -> u64 {
    let mut world = steady(builder.strategy(Strategy::Lru), settings);
    world.audits = false;
    (0..20_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
    let mut most = 0;
    while !world.server.journal.is_empty() {
        world.run(1);
        most = most.max(world.managers[0].engine.usage().0.entries);
    }
    most
}

#[test]
fn what_is_above_the_limits_waits_in_the_journal_and_not_on_the_books() {
    let check = |headroom: f64, most: u64| {
        let settings = EngineSettings { headroom, ..EngineSettings::default() };
        for builder in [Config::builder().max_entries(1_000), Config::builder().max_bytes(18_000)] {
            let booked = most_booked(builder, settings);
            assert!(booked <= most, "{booked} with a headroom of {headroom}");
            // No more slowly than in batches of evictions where nothing bounds them.
            assert!(headroom > 0.0 || booked >= 1_100, "{booked}");
        }
    };
    // A quarter of what is 100 less than the limit, or a batch as large as one may be.
    check(0.1, 926);
    check(0.0, 1_200);
}

#[test]
fn with_headroom_writers_go_on_while_a_lowered_limit_is_reached() {
    let settings = EngineSettings { headroom: 0.1, ..EngineSettings::default() };
    let mut world = steady(Config::builder().strategy(Strategy::Lru).max_entries(20_000), settings);
    world.audits = false;
    for n in 0..18_000 {
        world.server.put(&key(n), 10, None);
        world.run(u64::from(n % 20 == 0));
    }
    world.settle(5_000);
    let config = Config::builder().strategy(Strategy::Lru).max_entries(1_000).build().unwrap();
    world.managers[0].reconfigure(&config);
    world.config = config;
    let mut waited = 0;
    for n in 18_000..18_200 {
        while world.server.journal.len() >= 50 {
            world.run(1);
            waited += 1;
        }
        world.server.put(&key(n), 10, None);
    }
    assert!(waited < 100 && world.server.values.len() > 10_000, "{waited} ms");
    world.settle(5_000);
    assert_eq!(world.server.values.len(), 900);
}

#[test]
fn another_strategy_is_refused_and_the_books_stay() {
    let mut world = lru(50);
    (0..50).for_each(|n| _ = world.server.put(&key(n), 10, None));
    let other = Config::builder().strategy(Strategy::Fifo).max_entries(5).build().unwrap();
    let outcome = world.managers[0].engine.reconfigure(&other);
    assert_eq!(outcome, Err(ChangeError::Fixed { field: "strategy" }));
    world.settle(2_000);
    assert_eq!(world.server.values.len(), 50);
}

#[test]
fn a_lifetime_that_was_changed_is_kept_to_once_it_is_told() {
    let mut world = lru(50);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(1_000);
    for n in 0..20 {
        world.server.set_expiry(&key(n), Some(1_000));
        world.server.tell(&Record::Look { key: &key(n) });
    }
    world.run(500);
    world.settle(3_000);
    world.run(2_000);
    world.settle(100);
    let gone = ["expired", "vanished"].map(|cause| world.accounted(cause).entries);
    assert_eq!((gone, world.server.account("repaired")), ([20, 0], 0));
}

#[test]
fn where_all_is_that_of_others_the_scrub_asks_ever_more_rarely() {
    let pages = |entries: u64| {
        let mut world = lru(100);
        world.audits = false;
        (0..entries).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(600_000);
        let before = world.pages;
        world.run(3_600_000);
        world.pages - before
    };
    // One in two seconds, and in two minutes.
    let (one, none) = (pages(1), pages(0));
    assert!(one > 1_600 && none < 40, "{one} pages with an entry, {none} without");
    // What somebody writes without a word is found all the same, as soon as it is known that something is wrong.
    let mut world = lru(100);
    world.run(600_000);
    world.server.set(&key(1), 10, None);
    world.server.journal.push_back(b"2p nobody can read this".to_vec());
    world.settle(5_000);
}

#[test]
fn the_scrub_goes_over_the_books_slowly() {
    let mut world = lru(1_000);
    (0..1_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    let before = world.server.truth.counted;
    world.run(60_000);
    // A page of 128 of the books each other second, the last of a round with fewer.
    let counted = world.server.truth.counted - before;
    assert!((3_000..4_000).contains(&counted), "{counted} in a minute");
}

#[test]
fn the_engine_knows_the_servers_clock() {
    let mut world = lru(50);
    world.run(10_000);
    let manager = &world.managers[0];
    let known = manager.engine.clock().now(manager.local(world.now())).unwrap();
    let truth = world.server.now();
    assert!(known.as_millis().abs_diff(truth) <= 3, "{known:?} for {truth}");
}

#[test]
fn reads_are_to_be_told_once_half_is_full_and_only_where_they_matter() {
    let check = |builder: ConfigBuilder, strategy, entries, want| {
        let mut world = steady(builder.strategy(strategy), EngineSettings::default());
        (0..entries).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(2_000);
        assert_eq!(world.server.account("touch_permille"), want, "{strategy:?}, {entries}");
    };
    for limits in [Config::builder().max_entries(100), Config::builder().max_bytes(1_800)] {
        for strategy in [Strategy::Lru, Strategy::Sieve, Strategy::Lfu] {
            check(limits, strategy, 49, 0);
            check(limits, strategy, 50, 1_000);
            check(limits, strategy, 150, 1_000);
        }
        check(limits, Strategy::Fifo, 150, 0);
        check(limits, Strategy::Ttl, 150, 0);
    }
    check(Config::builder().max_entries(1_000).max_bytes(1_800), Strategy::Lfu, 60, 1_000);
}

#[test]
fn work_tells_how_late_it_is() {
    let mut world = lru(5_000);
    let overdue = |world: &mut World| world.managers[0].engine.take_work().overdue_ms;
    (0..1_000).for_each(|n| _ = world.server.put(&key(n), 10, Some(1_000)));
    world.settle(5_000);
    world.run(2_000);
    assert!(overdue(&mut world) <= 20);
    (0..1_000).for_each(|n| _ = world.server.put(&key(n), 10, Some(1_000)));
    world.run(500);
    world.pause(0, 3_500);
    world.run(3_510);
    let late = overdue(&mut world);
    assert!((2_900..=3_100).contains(&late), "{late} ms after their time");
    world.run(100);
    assert_eq!(overdue(&mut world), 0);

    // While writes go on at the limit something is always above it, but never the same for long.
    for n in 0..7_000 {
        world.server.put(&key(n), 10, None);
        world.run(u64::from(n % 4 == 0));
    }
    assert!(overdue(&mut world) <= 60);
    let config = Config::builder().strategy(Strategy::Lru).max_entries(1_000).build().unwrap();
    world.managers[0].reconfigure(&config);
    world.config = config;
    world.run(10);
    let before = world.now();
    world.run_until(5_000, |world| world.managers[0].engine.usage().1 == Usage::default());
    let took = world.now() - before;
    let late = overdue(&mut world);
    assert!(late + 10 >= took && late <= took + 30, "{late} ms above the limit, not {took}");
}

#[test]
fn a_hot_entry_survives_stale_knowledge() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(10_000);
    // Read, but the manager has not been told: for it this is the entry that goes first.
    assert!(world.server.get(&key(0)));
    world.run(3_000);
    world.server.put(&key(20), 10, None);
    world.settle(2_000);
    assert!(world.server.get(&key(0)) && !world.server.get(&key(1)));
    assert_eq!(world.managers[0].engine.take_work().spared, 1);
}

/// A look tells of the read, and is an access itself: what is known of the entry is then the look.
#[test]
fn a_hot_entry_survives_a_look() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(10_000);
    assert!(world.server.get(&key(0)));
    world.run(3_000);
    world.server.tell(&Record::Look { key: &key(0) });
    world.run(3_000);
    world.server.put(&key(20), 10, None);
    world.settle(2_000);
    assert!(world.server.get(&key(0)) && !world.server.get(&key(1)));
}

#[test]
fn what_was_told_of_reads_decides_where_the_clock_is_too_coarse() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(300);
    world.server.tell_reads(&[key(0)]);
    world.run(300);
    world.server.put(&key(20), 10, None);
    world.settle(2_000);
    assert!(world.server.get(&key(0)) && !world.server.get(&key(1)));
}

#[test]
fn where_the_server_keeps_counters_they_are_used() {
    let mut world = lru(20);
    world.server.has_lfu = true;
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    (0..50).for_each(|_| assert!(world.server.get(&key(0))));
    world.run(500);
    (20..30).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    assert!(world.server.get(&key(0)), "it was read fifty times");
    assert_eq!(world.server.truth.evicted, 10);
}

#[test]
fn where_the_server_stops_to_keep_counters_idle_times_are_used() {
    let mut world = lru(20);
    world.server.has_lfu = true;
    (0..30).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    world.server.has_lfu = false;
    (30..40).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
}

#[test]
fn an_idle_engine_makes_few_requests() {
    let mut world = lru(100);
    (0..100).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(10_000);
    world.audits = false;
    let before = world.requests;
    world.run(3_600_000);
    let requests = world.requests - before;
    // A step each `idle_interval` of 200 ms, and a page of the scrub each second.
    assert!(requests <= 3_600 * 7, "{requests} in an hour");
}

#[test]
fn a_long_lived_backlog_does_not_make_deadlines_too_early() {
    let mut world = lru(10_000);
    world.audits = false;
    // Faster than the manager reads, for ten seconds.
    for n in 0..10_000 {
        (0..2).for_each(|i| _ = world.server.put(&key((2 * n + i) % 1_000), 10, Some(5_000)));
        world.run(1);
    }
    let requests = world.requests;
    world.run(4_000);
    // Nothing is due for another four seconds, so little is asked.
    assert!(world.requests - requests < 60, "{}", world.requests - requests);
    world.settle(5_000);
}

#[test]
fn leaving_gives_up_the_lease_at_once() {
    let mut world = lru(10);
    world.server.put(&key(1), 10, None);
    world.run(50);
    world.managers[0].engine.leave();
    let left = world.run_until(500, |world| world.server.lease.is_none());
    assert!(left < 300);
    world.run(5);
    assert_eq!(world.managers[0].engine.next_timeout(), None);
}

#[test]
fn a_look_does_not_make_an_entry_look_accessed() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(20_000);
    // A new manager looks at everything, which the idle clock takes for reads.
    world.crash(0);
    world.start(0);
    world.run_until(10_000, |world| world.steady().is_some());
    world.run(5_000);
    (20..25).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    assert_eq!(world.managers[0].engine.take_work().spared, 0);
}

/// What is read right after `look` has had a manager look at it survives, whenever in a second that is.
#[track_caller]
fn check_reads_after(look: impl Fn(&mut World)) {
    for moment in 0..10 {
        let mut world = lru(20);
        (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(20_000 + moment * 100);
        look(&mut world);
        assert!((0..15).all(|n| world.server.get(&key(n))));
        (20..25).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(500);
        let survives = |n| world.server.values.contains_key(&key(n));
        assert!((0..15).all(survives), "read half a second ago, {moment}");
        world.settle(3_000);
    }
}

/// Found by breaking it on purpose: within a second the idle clock does not tell a read from a look before it.
#[test]
fn what_is_read_in_the_second_of_a_new_managers_look_survives() {
    check_reads_after(|world| {
        world.crash(0);
        world.start(0);
        world.run_until(10_000, |world| world.steady().is_some());
        world.run(50);
    });
}

/// The same where the manager looks because the scrub has missed something.
#[test]
fn what_is_read_in_the_second_of_the_scrubs_look_survives() {
    check_reads_after(|world| {
        world.server.drop_value(&key(19));
        world.run_until(20_000, |world| world.accounted("vanished").entries == 1);
    });
}

#[test]
fn whoever_follows_one_that_left_keeps_the_limit_at_once() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(1_000);
    world.managers[0].engine.leave();
    world.run_until(1_000, |world| world.server.lease.is_none());
    world.start(0);
    world.run_until(1_000, |world| world.steady().is_some());
    (20..40).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(500);
}

#[test]
fn what_takes_the_place_of_what_was_looked_at_is_evicted_in_its_turn() {
    let mut world = lru(20);
    world.server.put(&key(0), 10, None);
    world.run(3_000);
    world.server.tell(&Record::Look { key: &key(0) });
    world.run_until(2_000, |world| world.looks == 1);
    world.server.delete(&key(0));
    world.run(20);
    (1..22).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(1_000);
    let first = world.server.values.keys().next().unwrap();
    assert_eq!(*first, key(2), "the oldest had to go");
}

#[test]
fn the_scrub_does_not_miss_what_is_evicted_in_the_same_step() {
    let settings =
        EngineSettings { scrub_interval: Duration::from_millis(5), ..EngineSettings::default() };
    let builder = Config::builder().strategy(Strategy::Lru).max_entries(50);
    let mut world = steady(builder, settings);
    for n in 0..500 {
        world.server.put(&key(n), 10, None);
        world.run(7);
    }
    world.settle(2_000);
    // It may come by a new one before the journal tells of that.
    assert!(world.looks < 500, "{}", world.looks);
}

#[test]
fn nor_does_a_look_at_what_did_not_expire_after_all() {
    let mut world = lru(20);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, Some(10_000)));
    (0..20).for_each(|n| world.server.set_expiry(&key(n), None));
    // When its time has passed the manager looks, and finds it there.
    world.run(30_000);
    (20..25).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(2_000);
    assert_eq!(world.managers[0].engine.take_work().spared, 0);
}

#[test]
fn while_many_pages_are_empty_the_lease_is_kept() {
    let settings = EngineSettings::default();
    let config = Config::builder().strategy(Strategy::Lru).max_entries(1_000).build().unwrap();
    let mut world = World::new(config, settings, 2, 3);
    (0..10).for_each(|n| world.server.set(&key(n), 10, None));
    world.server.empty_pages = 10_000;
    world.run_until(100_000, |world| world.steady().is_some());
    assert_eq!(world.server.lease.map(|(token, ..)| token), Some(1));
    assert!(Duration::from_millis(world.now()) > settings.lease * 2);
}

#[test]
fn what_was_done_is_told() {
    let mut world = lru(10);
    world.managers[0].engine.take_work();
    (0..30).for_each(|n| _ = world.server.put(&key(n), 10, None));
    (30..35).for_each(|n| _ = world.server.put(&key(n), 10, Some(100)));
    world.settle(2_000);
    world.run(1_500);
    let work = world.managers[0].engine.take_work();
    let truth = &world.server.truth;
    assert_eq!((work.records, work.evicted, work.expired), (35, truth.evicted, truth.expired));
    assert!(truth.evicted >= 20 && truth.expired > 0);
}

#[test]
fn what_is_gone_when_it_is_to_be_evicted_is_taken_off_the_books() {
    let scrub_interval = Duration::from_secs(1 << 30);
    let builder = Config::builder().strategy(Strategy::Lru).max_entries(100);
    let settings = EngineSettings { scrub_interval, ..EngineSettings::default() };
    let mut world = steady(builder, settings);
    (0..100).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(1_000);
    world.server.drop_value(&key(0));
    world.server.put(&key(100), 10, None);
    world.run(1_000);
    world.settle(1_000);
    assert_eq!((world.server.truth.evicted, world.server.values.len()), (0, 100));
}

#[test]
fn clients_tell_of_reads_where_entries_live_too_short_for_the_idle_clock() {
    let mut world = lru(100);
    let mut n = 0;
    let mut check = |pause_ms: u64, puts: u32, want: u64| {
        for _ in 0..puts {
            world.server.put(&key(n), 10, None);
            world.run(pause_ms);
            n += 1;
        }
        assert_eq!(world.server.account("touch_permille"), want, "{pause_ms}");
    };
    // Not while half of the limit is free.
    check(10, 40, 0);
    check(100, 200, 1_000);
    // Entries that are evicted after more than a minute, and after less again.
    check(2_000, 200, 0);
    check(100, 200, 1_000);
}

#[test]
fn a_look_at_everything_leaves_the_order_as_it_is() {
    let mut world = lru(100);
    for n in 0..100 {
        world.server.put(&key(n), 10, None);
        world.run(100);
    }
    world.server.journal.push_back(b"9z what is this".to_vec());
    world.run(8_000);
    assert!(world.looks >= 100);
    for n in 100..150 {
        world.server.put(&key(n), 10, None);
        world.run(20);
    }
    world.settle(5_000);
    let left: Vec<_> = (0..100).filter(|n| world.server.values.contains_key(&key(*n))).collect();
    assert_eq!(left, (50..100).collect::<Vec<_>>());
}
