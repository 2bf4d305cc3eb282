//! Errors: a partition that fails waits longer and longer, and only it does.

use std::time::Duration;

use inval_core::pacing::{Pacer, PacingSettings};
use inval_core::{Slice, Timestamp};

use super::arrivals::{MILLI, SECOND, flow};
use super::partition::Partition;
use super::server::{Costs, Server};
use super::world::World;

const MS: Duration = Duration::from_millis(1);

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

/// The delays after so many failures in a row.
fn delays(pacer: &mut Pacer, count: usize) -> Vec<Duration> {
    let fail = |_| {
        pacer.slice_failed(at(0));
        pacer.plan(at(0)).delay
    };
    (0..count).map(fail).collect()
}

#[test]
fn errors_back_off_up_to_the_longest_retry_and_success_resets_it() {
    let mut pacer = Pacer::new(PacingSettings::default(), 3);
    let check = |delays: &[Duration]| {
        let mut longest = 50 * MS;
        for delay in delays {
            assert!(*delay >= longest / 2 && *delay <= longest, "{delay:?} of {longest:?}");
            longest = (longest * 2).min(10_000 * MS);
        }
    };
    check(&delays(&mut pacer, 100));
    pacer.slice_done(at(0), &Slice { next: MS, ..Slice::default() });
    assert!(pacer.plan(at(0)).delay <= 500 * MS);
    check(&delays(&mut pacer, 3));
}

#[test]
fn jitter_is_the_seed_s() {
    let of = |seed| delays(&mut Pacer::new(PacingSettings::default(), seed), 10);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

#[test]
fn a_wake_does_not_cut_short_the_wait_after_an_error() {
    let mut pacer = Pacer::new(PacingSettings::default(), 3);
    pacer.slice_failed(at(1_000));
    let plan = pacer.plan(at(1_000));
    pacer.wake(at(1_000));
    assert_eq!(pacer.plan(at(1_000)).delay, plan.delay);
    assert!(pacer.plan(at(1_000)).is_urgent(), "once it is due");
}

#[test]
fn a_failing_partition_slows_no_other() {
    let part = || Partition { expiries: flow(0, 59_000, |_| 5_000.0), ..Partition::default() };
    let broken = 10 * SECOND..40 * SECOND;
    let run = |first: Partition| {
        let parts = vec![first, part(), part()];
        let mut world =
            World::new(PacingSettings::default(), Server::new(Costs::REMOTE, 0.1), parts);
        world.run(60_000);
        world
    };
    let (calm, failing) = (run(part()), run(Partition { broken: broken.clone(), ..part() }));
    for other in [1, 2] {
        let lag = |world: &World| world.parts[other].1.worst_lag;
        assert!(lag(&failing) <= lag(&calm) + 10 * MILLI, "{} ms", lag(&failing) / MILLI);
    }
    let failed: Vec<_> = failing.slices.iter().filter(|ran| ran.failed).collect();
    assert!((8..=20).contains(&failed.len()), "{} attempts in 30 s", failed.len());
    // Once it works again it catches up.
    let mut after = failing.slices.iter().filter(|ran| ran.part == 0 && ran.begin > broken.end);
    let first = after.next().map_or(u64::MAX, |ran| ran.begin - broken.end);
    assert!(first <= 10 * SECOND, "{} ms", first / MILLI);
    assert_eq!(failing.waiting().0, 0);
}
