//! What has been counted stays counted, whoever manages, and nobody makes up what is not known.

use inval_core::engine::EngineSettings;
use inval_core::{Config, Strategy, Usage};

use super::world::World;

fn key(n: u64) -> Vec<u8> {
    format!("{n:08}").into_bytes()
}

/// One manager, steady, with room for 50 entries.
fn world() -> World {
    let config = Config::builder().strategy(Strategy::Lru).max_entries(50).build().unwrap();
    let mut world = World::new(config, EngineSettings::default(), 1, 7);
    world.run_until(1_000, |world| world.steady().is_some());
    world
}

/// Writes entries, one each 100 ms.
fn write(world: &mut World, numbers: std::ops::Range<u64>) {
    for n in numbers {
        world.server.put(&key(n), 10, None);
        world.run(100);
    }
    world.settle(2_000);
}

fn replace_the_manager(world: &mut World) {
    world.crash(0);
    world.start(0);
    world.run_until(30_000, |world| world.steady().is_some());
    world.settle(5_000);
}

fn ages(world: &World) -> (u64, u64) {
    let stats = world.managers[0].engine.stats();
    (stats.evicted_age.count(), stats.evicted_idle.count())
}

#[test]
fn what_was_counted_survives_a_change_of_manager() {
    let mut world = world();
    write(&mut world, 0..200);
    let before = world.managers[0].engine.stats();
    assert_eq!((before.evicted.entries, ages(&world)), (150, (150, 150)));
    // Each was evicted when the fiftieth after it was written.
    let mean_ms = before.evicted_age.sum() / 150;
    assert!((5_000..5_300).contains(&mean_ms), "{mean_ms} ms");
    assert!((50..=52).contains(&before.peak.entries), "{:?}", before.peak);
    for _ in 0..3 {
        replace_the_manager(&mut world);
        assert_eq!(world.managers[0].engine.stats(), before);
    }
}

#[test]
fn what_a_manager_has_found_has_no_age_until_it_is_written_again() {
    let mut world = world();
    write(&mut world, 0..50);
    replace_the_manager(&mut world);
    // Until then it keeps what it has just looked at.
    world.run(3_000);
    write(&mut world, 0..10);
    write(&mut world, 100..140);
    assert_eq!(ages(&world), (0, 40), "those that were found are evicted first");
    write(&mut world, 140..150);
    assert_eq!(ages(&world), (10, 50), "these were written under its eyes");
}

#[test]
fn a_record_from_before_a_manager_came_tells_no_age() {
    let mut world = world();
    world.crash(0);
    (0..50).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(60_000);
    world.start(0);
    world.run_until(30_000, |world| world.steady().is_some());
    world.settle(5_000);
    world.run(3_000);
    write(&mut world, 100..150);
    assert_eq!(ages(&world), (0, 50));
}

#[test]
fn what_nobody_told_of_has_no_age() {
    let mut world = world();
    write(&mut world, 0..40);
    (200..210).for_each(|n| world.server.set(&key(n), 10, None));
    world.settle(6_000);
    assert_eq!(world.server.account("repaired"), 10);
    write(&mut world, 100..150);
    assert_eq!(ages(&world), (40, 50));
}

#[test]
fn where_a_server_tells_no_idle_times_none_are_counted() {
    let mut world = world();
    world.server.has_lfu = true;
    write(&mut world, 0..100);
    let (age, idle) = ages(&world);
    // Until the first is to go, what the server tells is not known.
    assert!(age == 50 && idle <= 1, "{age} {idle}");
    // Nor is what it tells again known before it has told it of one.
    world.server.has_lfu = false;
    write(&mut world, 100..200);
    let (age, idle) = ages(&world);
    assert!(age == 150 && idle >= 95, "{age} {idle}");
}

#[test]
fn the_peak_is_the_highest_there_was_and_a_rebuild_is_none() {
    let mut world = world();
    write(&mut world, 0..40);
    let want = Usage { entries: 40, bytes: 40 * 18 };
    (0..30).for_each(|n| _ = world.server.delete(&key(n)));
    world.settle(2_000);
    // Records of what is long gone wait for the next manager.
    world.crash(0);
    (100..148).for_each(|n| _ = world.server.put(&key(n), 10, None));
    (100..148).for_each(|n| _ = world.server.delete(&key(n)));
    world.start(0);
    world.run_until(30_000, |world| world.steady().is_some());
    world.settle(5_000);
    let stats = world.managers[0].engine.stats();
    assert_eq!((stats.peak, stats.usage.entries), (want, 10));
}

#[test]
fn whatever_the_accounts_say_a_manager_takes_over() {
    let mut world = world();
    write(&mut world, 0..60);
    world.crash(0);
    let counts = ["hits", "evicted_entries", "peak_bytes", "age_3", "age_sum", "idle_41", "idle_9"];
    for field in counts.into_iter().chain(["age_42", "age_none", "peak_", "idle_"]) {
        world.server.accounts.insert(field.to_owned(), u64::MAX);
    }
    world.start(0);
    world.run_until(30_000, |world| world.steady().is_some());
    (60..120).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run_until(5_000, |world| {
        let usage = world.managers[0].engine.stats().usage;
        (usage.entries, world.accounted("")) == (50, usage)
    });
}

#[test]
fn a_rebuild_tells_how_far_it_is() {
    let config = Config::builder().strategy(Strategy::Lru).max_entries(5_000).build().unwrap();
    let settings = EngineSettings { scan_count: 100, ..EngineSettings::default() };
    let mut world = World::new(config, settings, 1, 7);
    (0..2_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.audits = false;
    world.run_until(30_000, |world| world.managers[0].engine.rebuilt().is_none());
    world.settle(20_000);
    world.crash(0);
    world.start(0);
    let mut shares = Vec::new();
    while world.steady().is_none() {
        world.run(5);
        shares.extend(world.managers[0].engine.rebuilt());
    }
    assert!(shares.is_sorted() && shares.len() > 10, "{shares:?}");
    assert!(shares[0] < 0.2 && shares.last().is_some_and(|last| *last > 0.9), "{shares:?}");
    assert!(shares.iter().all(|share| (0.0..1.0).contains(share)));
    assert_eq!(world.managers[0].engine.rebuilt(), None);
}
