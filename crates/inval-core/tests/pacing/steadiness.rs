//! Under a steady load the plans settle: there is no swinging between least and most.

use std::ops::RangeInclusive;

use inval_core::pacing::PacingSettings;

use super::arrivals::{Arrivals, MILLI, flow};
use super::partition::Partition;
use super::server::{Costs, Server};
use super::world::World;

/// Runs the partition for ten seconds and looks at what was planned in the last five: by which factors batch and rate
/// change from one plan to the next and from the least to the most.
#[track_caller]
fn check(name: &str, costs: Costs, part: Partition, step: f64, spread: f64) {
    let settings = PacingSettings::default();
    let mut world = World::new(settings, Server::new(costs, 0.1), vec![part]);
    world.run(10_000);
    let late = world.slices.iter().filter(|ran| ran.begin > 5_000 * MILLI);
    let plans: Vec<_> = late.map(|ran| ran.then).collect();
    let batches: Vec<f64> = plans.iter().map(|plan| plan.batch as f64).collect();
    let rates = plans.iter().map(|plan| plan.batch as f64 / plan.delay.as_secs_f64()).collect();
    for (what, values) in [("batch", batches), ("rate", rates)] {
        let least = values.iter().copied().fold(f64::MAX, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        let steps = values.windows(2).map(|pair| (pair[1] / pair[0]).max(pair[0] / pair[1]));
        let widest = steps.fold(1.0, f64::max);
        assert!(most / least <= spread, "{name}: {what} {least}..{most}");
        assert!(widest <= step, "{name}: {what} changes by a factor of {widest}");
    }
}

const RATES: [f64; 7] = [100.0, 1_000.0, 10_000.0, 30_000.0, 100_000.0, 300_000.0, 600_000.0];

fn expiring(expiries: Arrivals) -> Partition {
    Partition { expiries, ..Partition::default() }
}

fn written(writes: Arrivals) -> Partition {
    Partition { writes, ..Partition::default() }
}

#[test]
fn a_steady_flow_makes_steady_plans() {
    for rate in RATES {
        let arrivals = flow(0, 10_000, |_| rate);
        let name = format!("{rate} expire on an embedded store");
        check(&name, Costs::embedded(500), expiring(arrivals.clone()), 1.25, 1.25);
        let name = format!("{rate} expire on a server");
        check(&name, Costs::REMOTE, expiring(arrivals), 1.25, 1.25);
    }
    for rate in RATES.into_iter().filter(|rate| *rate <= 200_000.0) {
        let name = format!("{rate} are written to a server");
        check(&name, Costs::REMOTE, written(flow(0, 10_000, |_| rate)), 1.25, 1.25);
    }
}

/// Entries that come in random groups: what comes within a plan's time varies by itself.
#[test]
fn a_noisy_flow_makes_plans_no_noisier_than_itself() {
    let noisy = |rate: f64, ms: RangeInclusive<u64>| {
        // Half to three halves of the rate in each millisecond.
        let random =
            |ms: u64| (ms.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 11) as f64 / (1_u64 << 53) as f64;
        flow(*ms.start(), *ms.end(), move |ms| rate * (0.5 + random(ms)))
    };
    for rate in RATES {
        let name = format!("about {rate} expire");
        check(&name, Costs::REMOTE, expiring(noisy(rate, 0..=10_000)), 2.0, 4.0);
    }
}

/// Where the normal share does not suffice the slices are urgent all the time, not in turns.
#[test]
fn a_flow_beyond_the_normal_share_is_urgent_all_the_time() {
    let settings = PacingSettings::default();
    let part = expiring(flow(0, 10_000, |_| 200_000.0));
    let mut world = World::new(settings, Server::new(Costs::embedded(500), 0.1), vec![part]);
    world.run(10_000);
    let mut late = world.slices.iter().filter(|ran| ran.begin > 5_000 * MILLI);
    assert!(late.all(|ran| ran.plan.is_urgent()));
    assert!(world.worst_lag() <= 250 * MILLI, "{} ms", world.worst_lag() / MILLI);
}
