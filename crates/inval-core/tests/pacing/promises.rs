//! What is due is gone in time, what is idle costs next to nothing, and nobody starves.

use inval_core::pacing::PacingSettings;

use super::arrivals::{Arrivals, MICRO, MILLI, SECOND, burst, flow, merged};
use super::partition::Partition;
use super::server::{Costs, Server};
use super::world::World;

const MAX_LAG: u64 = SECOND;

/// Partitions that share a load equally, on a server of which clients take a share.
fn world(costs: Costs, clients: f64, parts: Vec<Partition>) -> World {
    World::new(PacingSettings::default(), Server::new(costs, clients), parts)
}

fn expiring(expiries: Arrivals) -> Partition {
    Partition { expiries, ..Partition::default() }
}

/// A million entries in `parts` partitions expire at once, beside 10,000 a second that do all the time.
fn burst_world(costs: Costs, clients: f64, parts: u64) -> World {
    let part = |_| {
        let always = flow(0, 4_000, |_| 10_000.0 / parts as f64);
        expiring(merged(always, burst(1_000, 1_000_000 / parts)))
    };
    world(costs, clients, (0..parts).map(part).collect())
}

#[test]
fn a_million_expiries_at_once_are_gone_in_time_and_clients_hardly_notice() {
    let check = |costs: Costs, clients: f64, parts: u64| {
        let mut world = burst_world(costs, clients, parts);
        world.run(5_000);
        let lag = world.worst_lag();
        assert!(lag <= MAX_LAG, "{costs:?} {clients} {parts}: {} ms", lag / MILLI);
        // At the worst a script, and what piled up behind it.
        let client = world.server.take_worst_client(world.now);
        assert!(client <= MILLI, "{costs:?} {clients} {parts}: {} us", client / MICRO);
        assert_eq!(world.waiting().0, 0);
    };
    for clients in [0.03, 0.3] {
        for parts in [1, 4, 16, 64] {
            check(Costs::REMOTE, clients, parts);
            check(Costs::embedded(200), clients, parts);
            check(Costs::embedded(500), clients, parts);
        }
    }
}

#[test]
fn what_the_cap_does_not_allow_takes_as_long_as_the_cap_says() {
    // A second of work, of which the cap allows 0.6 in a second.
    let mut world = burst_world(Costs::embedded(1_000), 0.03, 1);
    world.run(5_000);
    let work = 1_017.0 * MILLI as f64;
    assert!(world.worst_lag() < (work / 0.6) as u64 + 100 * MILLI, "{}", world.worst_lag());
}

#[test]
fn an_idle_partition_costs_next_to_nothing() {
    const HOUR: u64 = 3_600_000;
    let check = |costs: Costs, most_slices: usize, most_held: u64| {
        let mut world = world(costs, 0.1, vec![Partition::default(); 5]);
        world.run(HOUR);
        for part in 0..5 {
            let ran: Vec<_> = world.slices.iter().filter(|ran| ran.part == part).collect();
            assert!(ran.len() <= most_slices, "{costs:?}: {} slices", ran.len());
            let held: u64 = ran.iter().map(|ran| ran.held).sum();
            assert!(held <= most_held, "{costs:?}: {} us", held / MICRO);
        }
        assert!(world.slices.iter().all(|ran| !ran.plan.is_urgent()));
    };
    // Every `max_interval`, and some at the beginning.
    check(Costs::embedded(500), 7_200 + 10, 8 * MILLI);
    // Every 200 ms, as this store asks for: 0.0075 % of the server.
    check(Costs::REMOTE, 18_000 + 10, 271 * MILLI);
}

#[test]
fn after_a_burst_a_partition_is_soon_idle_again() {
    let mut world = world(Costs::REMOTE, 0.1, vec![expiring(burst(1_000, 1_000_000))]);
    world.run(3_000);
    let since = world.slices.len();
    world.run(4_000);
    assert!(world.slices.len() - since <= 5, "{} slices", world.slices.len() - since);
}

#[test]
fn a_trickle_is_gathered() {
    let mut world = world(Costs::REMOTE, 0.1, vec![expiring(flow(0, 60_000, |_| 100.0))]);
    world.run(60_000);
    assert!(world.slices.len() <= 60 * 9, "{} slices for 6,000 entries", world.slices.len());
    assert!(world.worst_lag() <= MAX_LAG / 8 + 2 * MILLI, "{} ms", world.worst_lag() / MILLI);
}

#[test]
fn by_day_and_by_night_it_keeps_to_the_normal_share() {
    // A day in a minute; at noon 20,000 entries a second, for which the normal share just suffices.
    let day = |ms: u64| (ms as f64 / 60_000.0 * std::f64::consts::TAU).cos();
    let rate = |ms| 10_000.0 - 10_000.0 * day(ms);
    let mut world = world(Costs::REMOTE, 0.1, vec![expiring(flow(0, 120_000, rate))]);
    world.run(120_000);
    assert!(world.worst_lag() <= MAX_LAG / 4, "{} ms", world.worst_lag() / MILLI);
    assert!(world.slices.iter().all(|ran| !ran.plan.is_urgent()));
}

#[test]
fn writes_at_the_limit_are_booked_and_made_room_for_in_time() {
    for rate in [1.0, 100.0, 10_000.0, 100_000.0] {
        let writes = flow(0, 10_000, |_| rate);
        let part = Partition { writes, ..Partition::default() };
        let mut world = world(Costs::REMOTE, 0.1, vec![part]);
        world.run(10_000);
        assert!(world.worst_lag() <= MAX_LAG / 4, "{rate}: {} ms", world.worst_lag() / MILLI);
    }
}

/// Whoever is due earliest goes first. So with n partitions, all of which want more than there is, each waits for one
/// slice of each other at the most.
#[test]
fn under_overload_none_starves() {
    for parts in [2, 10, 40] {
        let flood = expiring(flow(0, 10_000, |_| 5_000_000.0 / parts as f64));
        let modest = expiring(flow(0, 10_000, |_| 10.0));
        let mut all = vec![flood; parts];
        all.push(modest);
        let mut world = world(Costs::REMOTE, 0.1, all);
        world.run(10_000);
        let slice =
            PacingSettings::default().most_batch * Costs::REMOTE.expire + 5 * Costs::REMOTE.script;
        let bound = (parts as u64 + 1) * (slice as f64 / 0.6) as u64 + MAX_LAG / 4;
        for part in 0..=parts {
            let mut last = 0;
            for ran in world.slices.iter().filter(|ran| ran.part == part) {
                assert!(
                    ran.begin - last <= bound,
                    "{part} of {parts}: {} ms",
                    (ran.begin - last) / MILLI
                );
                last = ran.end;
            }
            assert!(world.now - last <= bound, "{part} of {parts}");
        }
        // What is asked for little is not made to wait by those who ask for too much.
        let lag = world.parts[parts].1.worst_lag;
        assert!(lag <= MAX_LAG, "{parts}: {} ms", lag / MILLI);
    }
}
