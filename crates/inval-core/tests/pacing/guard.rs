//! The governor: it backs off where the server's answers are slow, and comes back.

use std::time::Duration;

use inval_core::pacing::{Governor, Pacer, PacingSettings, Plan};
use inval_core::{Slice, Timestamp};

use super::arrivals::{Arrivals, MILLI, burst, flow, merged};
use super::partition::Partition;
use super::server::{Costs, Server};
use super::world::World;

const MICROS: Duration = Duration::from_micros(1);
const PLAN: Plan = Plan { delay: Duration::ZERO, batch: 100, urgent_in: Duration::MAX };

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// A governor that hears of a slice every 10 ms.
struct Listener {
    governor: Governor,
    ms: u64,
}

impl Listener {
    fn new() -> Self {
        Self { governor: Governor::new(PacingSettings::default()), ms: 0 }
    }

    /// What is granted after `ms` milliseconds of answers that are waited for so many microseconds.
    fn hear(&mut self, ms: u64, latency: u32) -> f64 {
        let latency = Some(latency * MICROS);
        let slice = Slice { held: 10 * MICROS, latency, ..Slice::default() };
        let end = self.ms + ms;
        while self.ms < end {
            self.ms += 10;
            self.governor.charge(at(self.ms), at(self.ms), &PLAN, &slice);
        }
        self.governor.granted()
    }
}

#[test]
fn it_backs_off_when_latency_triples_and_recovers() {
    let mut listener = Listener::new();
    assert_eq!(listener.hear(1_000, 2_000), 1.0);
    assert_eq!(listener.hear(20, 6_000), 1.0, "two slow answers are no trend");
    assert_eq!(listener.hear(100, 6_000), 0.5);
    assert_eq!(listener.hear(1_000, 6_000), 0.1, "never below a tenth");
    let half = listener.hear(2_000, 2_000);
    assert!((0.5..0.65).contains(&half), "{half}");
    assert_eq!(listener.hear(2_000, 2_000), 1.0);
}

/// Of a slow server a slice takes less and less often, but never less than is worth its fixed cost.
#[test]
fn slices_are_smaller_where_answers_are_slow() {
    let mut listener = Listener::new();
    let mut check = |latency, plan: u64, want: u64| {
        listener.hear(1_000, latency);
        assert_eq!(listener.governor.batch(&Plan { batch: plan, ..PLAN }), want);
    };
    check(2_000, 4_096, 4_096);
    check(6_000, 4_096, 409);
    check(6_000, 1_000, 128);
    check(6_000, 128, 128);
}

#[test]
fn a_server_that_has_become_slower_for_good_is_the_new_baseline_after_a_while() {
    let mut listener = Listener::new();
    listener.hear(1_000, 2_000);
    assert_eq!(listener.hear(10_000, 6_000), 0.1);
    assert_eq!(listener.hear(60_000, 6_000), 1.0);
}

#[test]
fn noise_does_not_make_it_back_off() {
    let mut listener = Listener::new();
    for latency in [200, 240, 700, 150, 120, 340, 630] {
        assert_eq!(listener.hear(500, latency), 1.0, "{latency}");
    }
}

#[test]
fn it_tells_what_share_of_its_time_the_server_was_held() {
    let mut governor = Governor::new(PacingSettings::default());
    assert_eq!(governor.duty_cycle(at(0)), 0.0);
    let slice = Slice { held: 100 * MICROS, ..Slice::default() };
    for ms in (0..60_000).step_by(10) {
        governor.charge(at(ms), at(ms), &PLAN, &slice);
    }
    let duty = governor.duty_cycle(at(60_000));
    assert!((duty - 0.01).abs() < 0.0002, "{duty}");
    assert!(governor.duty_cycle(at(90_000)) < 0.0001);
}

/// A plan that waits for the normal share becomes urgent as it waits.
#[test]
fn a_plan_waits_for_its_share_until_it_is_urgent() {
    let ms = Duration::from_millis;
    let mut governor = Governor::new(PacingSettings::default());
    let slice = Slice { held: ms(6), ..Slice::default() };
    governor.charge(at(1_000), at(1_006), &PLAN, &slice);
    let mut check = |now, urgent_in, want: Duration| {
        let wait = governor.wait(at(now), &Plan { urgent_in, ..PLAN });
        assert!(wait.abs_diff(want) < MICROS, "{wait:?}, not {want:?}");
    };
    // 6 ms are 2 % of 300 ms and 60 % of 10 ms, of which a tick is given.
    check(1_006, Duration::MAX, ms(293));
    check(1_006, ms(100), ms(100));
    check(1_006, ms(2), ms(3));
    check(1_006, Duration::ZERO, ms(3));
    check(1_009, Duration::ZERO, Duration::ZERO);
    check(1_299, Duration::MAX, Duration::ZERO);
}

/// A server of which clients take the share `load` from the fourth to the ninth second.
fn loaded(expiries: Arrivals, load: f64) -> World {
    let part = Partition { expiries, ..Partition::default() };
    let mut server = Server::new(Costs::REMOTE, 0.1);
    server.set_load(4_000, load);
    server.set_load(9_000, 0.1);
    World::new(PacingSettings::default(), server, vec![part])
}

/// Upkeep and clients ask for more than there is. Clients' queues tell, and upkeep finds what is left for it.
#[test]
fn where_clients_need_the_server_upkeep_takes_what_they_leave() {
    let expiries = merged(flow(0, 9_000, |_| 10_000.0), burst(5_000, 400_000));
    let mut world = loaded(expiries, 0.7);
    world.run(5_300);
    let adapting = world.server.take_worst_client(world.now);
    assert!(adapting <= 2 * MILLI, "{} us", adapting / 1_000);
    world.run(7_000);
    let adapted = world.server.take_worst_client(world.now);
    // Twice the network, the noise of a millisecond that is allowed for, and a script of half of that.
    assert!(adapted <= 1_700_000, "{} us", adapted / 1_000);
    assert!(world.worst_lag() <= 1_000 * MILLI, "{} ms", world.worst_lag() / MILLI);
}

#[test]
fn where_clients_overload_the_server_upkeep_gives_way() {
    let expiries = merged(flow(0, 19_000, |_| 10_000.0), burst(5_000, 1_000_000));
    let mut world = loaded(expiries, 0.97);
    world.run(8_000);
    assert!(world.governor.granted() <= 0.2, "{}", world.governor.granted());
    let held: u64 = world
        .slices
        .iter()
        .filter(|ran| (7_000 * MILLI..8_000 * MILLI).contains(&ran.begin))
        .map(|ran| ran.held)
        .sum();
    assert!((5 * MILLI..130 * MILLI).contains(&held), "{} ms", held / MILLI);
    world.run(20_000);
    assert_eq!((world.waiting().0, world.governor.granted()), (0, 1.0));
}

#[test]
fn who_wakes_it_for_nothing_gets_a_slice_in_each_least_interval_at_most() {
    let mut world = World::new(
        PacingSettings::default(),
        Server::new(Costs::REMOTE, 0.1),
        vec![Partition::default()],
    );
    for ms in 1..=2_000 {
        world.wake(0);
        world.wake(0);
        world.run(ms);
    }
    assert!(world.slices.len() <= 2_000);
    let held: u64 = world.slices.iter().map(|ran| ran.held).sum();
    assert!(held <= 2_000 * MILLI / 50, "{} us", held / 1_000);
}

#[test]
fn a_wake_makes_the_next_slice_due_and_urgent_and_no_other() {
    let mut pacer = Pacer::new(PacingSettings::default(), 1);
    let idle = Slice { next: Duration::from_secs(60), ..Slice::default() };
    (0..20).for_each(|second| pacer.slice_done(at(1_000 * second), &idle));
    let plan = pacer.plan(at(19_100));
    assert!(!plan.is_urgent() && plan.delay == Duration::from_millis(400), "{plan:?}");
    pacer.wake(at(19_100));
    let plan = pacer.plan(at(19_100));
    assert!(plan.is_urgent() && plan.delay.is_zero(), "{plan:?}");
    pacer.slice_done(at(19_101), &idle);
    let plan = pacer.plan(at(19_101));
    assert!(!plan.is_urgent() && plan.delay == Duration::from_millis(500), "{plan:?}");
}
