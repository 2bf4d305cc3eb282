//! What a manager promises when something goes wrong: nothing is deleted on doubt, nothing is lost from the books.

use std::time::Duration;

use inval_core::engine::{EngineSettings, Reply, Request, Standing, Step, StepReply};
use inval_core::record::Record;
use inval_core::{Config, Strategy, Usage};

use super::world::World;

const LEASE_MS: u64 = 5_000;

fn key(n: u64) -> Vec<u8> {
    format!("{n:08}").into_bytes()
}

fn lru(max_entries: u64) -> Config {
    Config::builder().strategy(Strategy::Lru).max_entries(max_entries).build().unwrap()
}

/// Reads the journal rarely while nothing comes.
fn unhurried() -> EngineSettings {
    let (idle_interval, lease) = (Duration::from_secs(5), Duration::from_secs(60));
    EngineSettings { idle_interval, lease, ..EngineSettings::default() }
}

/// Reads one of the first forty entries, which it tells, and writes one that nobody reads, 200 times a second; whether what it
/// read was there.
fn read_and_write(world: &mut World, n: u64) -> bool {
    let is_there = world.server.get(&key(n % 40));
    world.server.tell_reads([&key(n % 40)]);
    world.server.put(&key(2_000 + n), 10, None);
    world.run(5);
    is_there
}

/// Managers of a partition with room for 100 entries, in which there are `entries`.
fn world(managers: u32, entries: u64) -> World {
    let mut world = World::new(lru(100), EngineSettings::default(), managers, 11);
    world.run_until(1_000, |world| world.steady().is_some());
    (0..entries).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(2_000);
    world
}

fn steady_one(world: &World) -> usize {
    let is_steady = |m: &super::manager::Manager| m.engine.standing() == Standing::Steady;
    world.managers.iter().position(is_steady).unwrap()
}

#[test]
fn a_lost_reply_is_repeated_and_counted_once() {
    let mut world = world(1, 100);
    world.network.loses_once_in = 2;
    (100..160).for_each(|n| {
        world.server.put(&key(n), 10, None);
        world.run(30);
    });
    world.settle(5_000);
    assert_eq!(world.accounted("evicted").entries, 60);
    assert_eq!(world.accounted("vanished"), Usage::default());
    assert_eq!(world.server.truth.evicted, 60);
}

#[test]
fn a_manager_killed_is_replaced_within_its_lease() {
    for at in 0..40 {
        let mut world = world(2, 90);
        (90..120).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(at);
        let killed = steady_one(&world);
        world.crash(killed);
        let took = world.run_until(2 * LEASE_MS, |world| world.steady().is_some());
        assert!(took <= LEASE_MS + 500, "{took} ms");
        world.settle(3_000);
    }
}

#[test]
fn a_manager_that_waits_for_the_lease_asks_seldom() {
    let requests = |managers| {
        let mut world = world(managers, 90);
        let before = world.requests;
        world.run(60_000);
        world.requests - before
    };
    let by_the_second = requests(2) - requests(1);
    assert!((12..60).contains(&by_the_second), "{by_the_second} requests in a minute");
}

#[test]
fn a_paused_manager_does_no_harm() {
    let mut world = world(2, 100);
    let paused = steady_one(&world);
    (100..110).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.run(8);
    world.pause(paused, 3_600_000);
    world.run_until(2 * LEASE_MS, |world| {
        world.managers[1 - paused].engine.standing() == Standing::Steady
    });
    (110..150).for_each(|n| {
        world.server.put(&key(n), 10, None);
        world.run(1_000);
    });
    let alive = world.server.values.clone();
    world.run(3_600_000);
    assert_eq!(world.server.values, alive);
    assert_eq!(world.managers[paused].engine.standing(), Standing::Vacant);
    world.settle(2_000);
}

#[test]
fn a_short_pause_costs_no_rebuild() {
    let mut world = world(1, 50);
    world.pause(0, 2 * LEASE_MS);
    (0..10).for_each(|n| _ = world.server.put(&key(n), 20, None));
    world.run(2 * LEASE_MS);
    // The lease is lost, but nobody else had it, so the books stand.
    let took = world.run_until(1_000, |world| {
        world.steady().is_some() && world.server.lease.is_some_and(|(token, ..)| token == 2)
    });
    assert!(took < 300, "{took} ms");
    world.settle(1_000);
    assert_eq!(world.accounted("replaced").entries, 10);
}

#[test]
fn two_managers_take_turns_without_losing_a_record() {
    let mut world = world(2, 0);
    for n in 0..40 {
        world.server.put(&key(n), 10, None);
        let manager = steady_one(&world);
        world.run(n % 10);
        world.pause(manager, LEASE_MS + 2_000);
        world.run_until(3 * LEASE_MS, |world| {
            world.managers[1 - manager].engine.standing() == Standing::Steady
        });
        world.run(3_000);
    }
    world.settle(10_000);
    assert_eq!(world.accounted("").entries, 40);
    assert_eq!(world.accounted("inserted").entries, 40);
    assert_eq!(world.accounted("vanished").entries, 0);
}

#[test]
fn a_dropped_journal_is_rebuilt_from() {
    let mut world = world(1, 50);
    let books = world.managers[0].engine.books();
    world.pause(0, 2_000);
    (0..1_000).for_each(|n| {
        world.server.put(&key(n % 70), 10 + (n % 7) as u32, None);
        world.server.overflow(300);
    });
    (60..70).for_each(|n| _ = world.server.delete(&key(n)));
    world.server.overflow(0);
    assert_eq!(world.server.journal.len(), 0);
    world.settle(4_000);
    assert_eq!(world.accounted("").entries, 60);
    assert_ne!(world.managers[0].engine.books(), books);
}

#[test]
fn a_failover_that_lost_writes_is_noticed() {
    let mut world = world(1, 50);
    for lost_ms in [0, 3, 10, 30, 100, 1_000] {
        world.remember();
        (0..100).for_each(|n| {
            world.server.put(&key(n * 7 % 60 + lost_ms), 10, None);
            world.run(1 + lost_ms / 80);
            if n % 10 == 0 {
                world.remember();
            }
        });
        world.fail_over(lost_ms);
        world.settle(8_000);
    }
}

#[test]
fn a_failover_that_lost_evictions_is_noticed_at_once() {
    let scrub_interval = Duration::from_secs(1 << 30);
    let settings = EngineSettings { scrub_interval, ..EngineSettings::default() };
    let config = Config::builder().strategy(Strategy::Lru).max_entries(100).build().unwrap();
    let mut world = World::new(config, settings, 1, 11);
    (0..5_000).for_each(|n| world.server.set(&key(n), 10, None));
    // The journal is empty; nothing but evictions goes on.
    world.run_until(3_000, |world| world.server.values.len() < 5_000);
    world.remember();
    let before = world.server.values.len();
    world.run(6);
    assert!(world.server.values.len() < before && before > 1_000);
    world.fail_over(5);
    world.settle(3_000);
}

/// Found by breaking it on purpose: a replica does not know what was read, so that to the looks of the rebuild after it took
/// over all that is only read was cold.
#[test]
fn what_is_read_all_the_while_survives_a_failover() {
    for lost_ms in [20, 150, 400] {
        for seed in 0..10 {
            let mut world = World::new(lru(1_000), EngineSettings::default(), 1, seed);
            world.run_until(1_000, |world| world.steady().is_some());
            (1_000..1_960).for_each(|n| _ = world.server.put(&key(n), 10, None));
            world.run(3_000 + 77 * seed);
            (0..40).for_each(|n| _ = world.server.put(&key(n), 10, None));
            for n in 0..2_000 {
                assert!(read_and_write(&mut world, n), "{lost_ms} ms, seed {seed}, {n}");
                if n == 1_200 {
                    world.remember();
                }
                if n == 1_200 + lost_ms / 5 {
                    world.fail_over(lost_ms);
                }
            }
            world.settle(10_000);
        }
    }
}

/// What a failover has undone is numbered anew, so that an attempt from before it could pass for the next step.
#[test]
fn a_late_attempt_from_before_a_failover_is_fenced() {
    let mut world = world(1, 100);
    world.run(1_000);
    world.remember();
    let account = |world: &World, field| world.server.account(field);
    let (steps, token) = (account(&world, "steps"), account(&world, "token"));
    let late = Step {
        number: steps + 1,
        token,
        lease: Duration::from_secs(5),
        generation: account(&world, "generation"),
        position: account(&world, "drained"),
        accounts: vec![("entries", 7)],
        ..Step::default()
    };
    (0..50).for_each(|n| {
        world.server.put(&key(100 + n), 10, None);
        world.run(10);
    });
    world.fail_over(500);
    assert_eq!(account(&world, "steps"), steps);
    while world.steady().is_some() {
        world.run(1);
    }
    while world.managers[0].engine.standing() == Standing::Vacant {
        world.run(1);
    }
    assert_eq!(account(&world, "steps"), steps, "it has the lease and has done nothing yet");
    let holder = world.managers[0].holder;
    let reply = world.server.perform(&Request::Step(late), holder);
    assert!(matches!(reply, Reply::Stepped(StepReply::Fenced)));
    world.settle(5_000);
}

#[test]
fn what_was_under_way_when_a_lease_ended_is_done_later() {
    let mut world = world(1, 100);
    for round in 0..20 {
        for n in 0..30 {
            let key = key(1_000 + 30 * round + n);
            world.server.put(&key, 10, None);
            // Somebody says that it is another value, but not which.
            world.server.set(&key, 11 + n, None);
            world.server.tell(&Record::Look { key: &key });
        }
        while world.managers[0].engine.usage().1.entries == 0 {
            world.run(1);
        }
        world.run(round % 4);
        world.server.lease = None;
        world.settle(2_000);
    }
}

#[test]
fn one_that_leaves_asks_for_nothing_more() {
    let mut world = world(1, 50);
    while world.managers[0].flight.is_some() {
        world.run(1);
    }
    let before = world.requests;
    world.managers[0].engine.leave();
    world.run(1_000);
    assert_eq!((world.server.lease, world.requests - before), (None, 1));
}

#[test]
fn an_access_that_may_be_later_than_the_record_of_a_write_counts() {
    for phase in 0..20 {
        let mut world = World::new(lru(100), unhurried(), 1, phase);
        world.run_until(1_000, |world| world.steady().is_some());
        (1..100).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.run(30_000 + 130 * phase);
        // Nobody knows when in five seconds it was written.
        world.server.put(&key(0), 10, None);
        world.run_until(5_500, |world| world.server.journal.is_empty());
        assert!(world.server.get(&key(0)));
        world.server.tell_reads(&(1..100).map(key).collect::<Vec<_>>());
        world.run(30);
        world.server.put(&key(100), 10, None);
        world.run(500);
        let there = [0, 1].map(|n| world.server.values.contains_key(&key(n)));
        assert_eq!(there, [true, false], "phase {phase}");
    }
}

#[test]
fn flushall_empties_the_books() {
    let mut world = world(2, 100);
    world.server.flush_all();
    world.settle(3_000);
    assert_eq!(world.accounted("").entries, 0);
    world.server.put(&key(1), 10, None);
    world.settle(1_000);
    assert_eq!(world.accounted("").entries, 1);
}

#[test]
fn a_poisoned_record_hurries_the_scrub() {
    let mut world = world(1, 90);
    // Written by a program that knows another version of the record.
    world.server.set(&key(3), 77, None);
    world.server.set(&key(1_000), 5, None);
    world.server.drop_value(&key(4));
    world.server.journal.push_back(b"9z what is this".to_vec());
    world.settle(2_500);
    assert_eq!(world.server.account("poisoned"), 1);
    assert_eq!(world.accounted("vanished").entries, 1);
}

#[test]
fn a_poisoned_record_hurries_the_scrub_of_many_entries() {
    let config = Config::builder().strategy(Strategy::Lru).max_entries(20_000).build().unwrap();
    let mut world = World::new(config, EngineSettings::default(), 1, 11);
    world.audits = false;
    (0..10_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
    world.settle(30_000);
    (0..10_000).step_by(1_000).for_each(|n| _ = world.server.drop_value(&key(n)));
    world.server.journal.push_back(b"9z what is this".to_vec());
    world.settle(5_000);
    assert_eq!(world.accounted("vanished").entries, 10);
}

#[test]
fn what_is_deleted_before_its_time_has_not_expired() {
    let mut world = world(1, 0);
    (0..20).for_each(|n| _ = world.server.put(&key(n), 10, Some(60_000 + n)));
    world.run(1_000);
    (0..20).for_each(|n| _ = world.server.delete(&key(n)));
    world.settle(1_000);
    assert_eq!(world.accounted("invalidated").entries, 20);
    assert_eq!(world.accounted("expired").entries, 0);
}

#[test]
fn poison_without_end_does_not_make_the_scrub_run_without_end() {
    let mut world = world(1, 90);
    let requests = world.requests;
    for _ in 0..600 {
        world.server.journal.push_back(b"2p ? - k".to_vec());
        world.run(100);
    }
    let each_second = (world.requests - requests) / 60;
    assert!(each_second < 60, "{each_second} requests a second");
}

#[test]
fn foreign_deletes_vanish_and_foreign_writes_are_found() {
    let mut world = world(1, 80);
    (0..10).for_each(|n| _ = world.server.drop_value(&key(n)));
    (200..210).for_each(|n| world.server.set(&key(n), 30, None));
    world.server.set_expiry(&key(50), Some(1));
    world.settle(6_000);
    assert_eq!(world.accounted("vanished").entries, 11);
    assert_eq!(world.server.account("repaired"), 21);
    assert_eq!(world.accounted("").entries, 79);
}

#[test]
fn a_server_clock_jump_changes_nothing() {
    for hours in [-30, -1, 1, 30] {
        let mut world = world(1, 50);
        (50..100).for_each(|n| _ = world.server.put(&key(n), 10, Some(200 * 3_600_000)));
        world.run(1_000);
        world.set_clock(hours * 3_600_000);
        world.run(5_000);
        world.settle(1_000);
        assert_eq!(world.server.values.len(), 100);
        let gone = ["evicted", "expired", "vanished"].map(|cause| world.accounted(cause).entries);
        assert_eq!(gone, [0, 0, 0], "{hours} h");
    }
}

#[test]
fn after_the_clock_was_set_back_what_is_read_still_survives() {
    let mut world = world(1, 100);
    world.set_clock(-3_600_000);
    world.run(10_000);
    assert!(world.server.get(&key(0)));
    world.run(3_000);
    world.server.put(&key(100), 10, None);
    world.settle(2_000);
    assert!(world.server.get(&key(0)));
    assert_eq!((1..100).filter(|n| !world.server.get(&key(*n))).count(), 1);
}

/// Found by breaking it on purpose: an access from before is one in the future, for which the idle clock tells 194 days.
#[test]
fn what_was_read_before_the_clock_was_set_back_survives() {
    for back_ms in [1_500, 60_000, 3_600_000] {
        let mut world = world(1, 100);
        world.run(10_000);
        assert!(world.server.get(&key(0)));
        world.set_clock(-back_ms);
        (100..110).for_each(|n| _ = world.server.put(&key(n), 10, None));
        world.settle(5_000);
        assert!(world.server.get(&key(0)), "set back by {back_ms} ms");
        // What nobody has read goes, and nothing else.
        let gone = (1..100).filter(|n| !world.server.get(&key(*n))).count();
        assert_eq!(gone, 10, "set back by {back_ms} ms");
    }
}

/// Found by breaking it on purpose: what the manager knew was in the future until it heard of it.
#[test]
fn what_is_read_all_the_while_survives_when_the_clock_is_set() {
    for by_ms in [-3_600_000, -60_000, -1_500, 1_500, 60_000, 3_600_000] {
        let mut world = world(1, 100);
        world.run(10_000);
        for n in 100..500 {
            world.server.put(&key(n), 10, None);
            world.run(50);
            if n % 150 == 0 {
                world.set_clock(by_ms);
            }
            assert!(world.server.get(&key(99)), "set by {by_ms} ms, {n}");
        }
        world.settle(5_000);
    }
}

/// Found by breaking it on purpose: a jump ahead ended how long the last look was distrusted, and the lease with it, so that
/// another manager took over who knew of nothing.
#[test]
fn what_is_read_all_the_while_survives_when_the_clock_jumps_to_and_fro() {
    const JUMPS_MS: [i64; 6] = [50, 1_000, 5_000, 60_000, 3_600_000, 86_400_000];
    let scrub_interval = Duration::from_millis(100);
    let lease = Duration::from_secs(1);
    let settings = EngineSettings { lease, scrub_interval, ..EngineSettings::default() };
    for seed in crate::seeds(3).chain([13, 28, 863]) {
        let _seed = crate::Seed(seed);
        let mut world = World::new(lru(1_000), settings, 2, seed);
        world.audits = false;
        world.network.delay_ms = 1..3 + seed % 20;
        world.run_until(1_000, |world| world.steady().is_some());
        (0..40).for_each(|n| _ = world.server.put(&key(n), 10, None));
        let (mut jumps_at, mut set_ms) = (7_000, 0);
        for n in 0..3_200 {
            if world.now() >= jumps_at {
                let to_ms = world.random.pick(&JUMPS_MS) * world.random.pick(&[-1, 1]);
                world.set_clock(to_ms - set_ms);
                (set_ms, jumps_at) = (to_ms, world.now() + world.random.within(100..700));
            }
            assert!(world.server.get(&key(n % 40)), "at {}", world.now());
            world.server.put(&key(100 + n), 10, None);
            world.run(5);
        }
        world.settle(10_000);
    }
}

/// Found by breaking it on purpose: entries whose records had waited for seconds were spared, for they may have been written
/// before they were; and that counted as an access, so that what is read all the while was older then.
#[test]
fn what_is_read_all_the_while_survives_when_records_wait_for_long() {
    let mut late = 0;
    for phase in 0..25 {
        let mut world = World::new(lru(1_000), unhurried(), 1, phase);
        world.run(30_000 + 200 * phase);
        (1_000..2_000).for_each(|n| _ = world.server.put(&key(n), 10, None));
        let waited = world.run_until(5_000, |world| world.server.journal.is_empty());
        if waited < 2_500 {
            continue;
        }
        late += 1;
        (0..40).for_each(|n| _ = world.server.put(&key(n), 10, None));
        for n in 0..1_600 {
            assert!(read_and_write(&mut world, n), "phase {phase}, {n}");
        }
        world.settle(10_000);
    }
    assert!(late > 5, "{late}");
}

/// Found by breaking it on purpose: what the server took for accessed in the future was spared for ever.
#[test]
fn what_was_accessed_before_the_clock_was_set_back_does_not_stay_for_ever() {
    let mut world = world(1, 100);
    world.run(10_000);
    // While it forks, looks leave the idle clock alone.
    world.server.is_forking = true;
    world.set_clock(-3_600_000);
    world.run(60_000);
    world.server.is_forking = false;
    world.reconfigure(lru(50));
    world.settle(10_000);
}

/// Found by breaking it on purpose: what was older than the step was marked as older than the server takes it for, and
/// spared for ever.
#[test]
fn what_was_spared_after_the_clock_was_set_back_does_not_stay_for_ever() {
    let mut world = world(1, 100);
    world.run(600_000);
    world.server.is_forking = true;
    world.set_clock(-10_000);
    world.run(20_000);
    world.server.drop_value(&key(99));
    world.run_until(20_000, |world| world.accounted("vanished").entries == 1);
    world.reconfigure(lru(50));
    world.settle(10_000);
}

#[test]
fn a_lease_from_before_the_clock_was_set_back_ends_in_time() {
    let mut world = world(2, 10);
    let killed = steady_one(&world);
    world.crash(killed);
    world.set_clock(-3_600_000);
    world.run_until(2 * LEASE_MS, |world| world.steady().is_some());
}

#[test]
fn a_late_attempt_does_not_undo_what_was_done_since() {
    let mut world = world(1, 100);
    for n in 100..400 {
        world.network.loses_once_in = 3;
        world.server.put(&key(n % 130), 10, None);
        world.run(20);
        // While the latest attempts arrive, nobody writes: the accounts must stay true.
        if n % 50 == 0 {
            world.settle(2_000);
        }
    }
    world.settle(2_000);
    assert_eq!(world.accounted("vanished"), Usage::default());
}

#[test]
fn while_the_server_forks_nothing_is_deleted_that_was_told_of() {
    let mut world = world(1, 100);
    world.run(5_000);
    world.server.is_forking = true;
    assert!(world.server.get(&key(0)));
    world.server.tell_reads(&[key(0)]);
    world.run(500);
    world.server.put(&key(100), 10, None);
    world.settle(2_000);
    assert!(world.server.get(&key(0)) && !world.server.get(&key(1)));
}

/// The walk that compares the books with the server comes by where entries expire.
#[test]
fn what_expires_while_it_is_compared_has_expired_and_not_vanished() {
    let settings = EngineSettings { scrub_interval: Duration::ZERO, ..EngineSettings::default() };
    let config = Config::builder().max_entries(10_000).build().unwrap();
    let mut world = World::new(config, settings, 1, 11);
    world.run_until(1_000, |world| world.steady().is_some());
    // What was written while nobody looked is taken to be older than it is, and found still there.
    world.pause(0, 1_000);
    for n in 0..2_000 {
        world.server.put(&key(n), 10, Some(1_000 + n));
        world.run(n % 2);
    }
    world.run_until(10_000, |world| world.server.values.is_empty());
    world.settle(10_000);
    assert_eq!(world.accounted("vanished").entries, 0);
    assert_eq!(world.accounted("expired").entries, 2_000);
}
