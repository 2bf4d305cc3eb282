//! Properties that hold whatever comes: in time where the cap allows it, never above the cap, and unharmed by nonsense.

use std::time::Duration;

use inval_core::pacing::{Governor, Pacer, PacingSettings, Plan};
use inval_core::{Slice, Timestamp, Usage};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as Generate, any, prop_oneof};
use proptest::test_runner::TestRunner;

use super::arrivals::{MILLI, SECOND};
use super::envelope::{Envelope, cases as happenings, partitions};
use super::server::{Costs, Server};
use super::world::{Ran, World};
use crate::cases::cases;

const MS: u64 = 4_000;

/// The cap allows it where in no time of length L there comes work for more than two fifths of cap x (L + max_lag).
fn allowed(settings: PacingSettings) -> Envelope {
    let share = settings.urgent_duty_cycle * 0.4;
    Envelope { share, depth: share * settings.max_lag.as_nanos() as f64 }
}

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

#[test]
fn whatever_comes_is_gone_in_time_where_the_cap_allows_it() {
    let settings = PacingSettings::default();
    for costs in [Costs::embedded(500), Costs::REMOTE] {
        for parts in [1, 3, 10] {
            let outcome = TestRunner::new(cases(24)).run(&happenings(parts, MS), |case| {
                let parts = partitions(case, MS, costs, allowed(settings));
                let mut world = World::new(settings, Server::new(costs, 0.1), parts);
                world.run(MS + 2_000);
                let lag = world.worst_lag();
                assert!(lag <= SECOND, "{} ms", lag / MILLI);
                assert_eq!(world.waiting().0, 0);
                check_caps(&settings, &world.slices);
                Ok(())
            });
            assert_eq!(outcome, Ok(()));
        }
    }
}

/// Over any time: the work done in it is at most the cap's share of it, one slice more, and what a timer may be late.
fn check_caps(settings: &PacingSettings, slices: &[Ran]) {
    let normal: Vec<_> = slices.iter().filter(|ran| !ran.plan.is_urgent()).copied().collect();
    check_cap(settings.urgent_duty_cycle, slices);
    check_cap(settings.duty_cycle, &normal);
}

/// For all windows at once: what is held before the last slice of a window may not outgrow what the cap allows since
/// the beginning of its first, so the surplus of each slice is held against the least before it.
fn check_cap(cap: f64, slices: &[Ran]) {
    let tick = cap * MILLI as f64;
    let (mut held, mut least) = (0.0, f64::MAX);
    for ran in slices {
        // As the governor's clock shows it.
        let allowed = cap * (ran.begin / MILLI * MILLI) as f64;
        let surplus = held - allowed;
        least = surplus.min(least);
        assert!(surplus - least <= tick + 1_000.0, "{} ns above {cap}", surplus - least);
        held += ran.held as f64;
    }
}

#[test]
fn over_any_window_upkeep_holds_the_server_for_its_cap_and_one_slice_at_most() {
    let slice = (0..20_000_u64, 0..20_000_u64, 0..50_u64, any::<bool>());
    let latency = prop_oneof![4 => Just(100_u64), 1 => 100..5_000_u64];
    let outcome = TestRunner::new(cases(128)).run(&vec((slice, latency), 1..80), |slices| {
        let settings = PacingSettings::default();
        let mut governor = Governor::new(settings);
        let (mut now, mut ran) = (0, Vec::new());
        for ((held, idle, pause, is_urgent), latency) in slices {
            let urgent_in = if is_urgent { Duration::ZERO } else { Duration::MAX };
            let plan = Plan { delay: Duration::ZERO, batch: 1, urgent_in };
            now += pause * MILLI;
            // A timer rings with the tick after its time.
            now +=
                (governor.wait(at(now / MILLI), &plan).as_nanos() as u64).div_ceil(MILLI) * MILLI;
            assert!(governor.wait(at(now / MILLI), &plan).is_zero());
            let (begin, held) = (now, held * 1_000);
            now += held + idle * 1_000;
            let slice = Slice {
                held: Duration::from_nanos(held),
                latency: Some(Duration::from_micros(latency)),
                ..Slice::default()
            };
            governor.charge(at(begin / MILLI), at(now / MILLI), &plan, &slice);
            let failed = false;
            ran.push(Ran { part: 0, begin, end: now, held, done: 0, failed, plan, then: plan });
        }
        check_caps(&settings, &ran);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Call {
    Done(Slice),
    Failed,
    Wake,
    Plan,
}

fn durations() -> impl Generate<Value = Duration> {
    prop_oneof![
        2 => Just(Duration::ZERO),
        3 => (0..5_000_000_u64).prop_map(Duration::from_micros),
        1 => Just(Duration::MAX),
        1 => Just(Duration::from_nanos(1)),
    ]
}

fn counts() -> impl Generate<Value = u64> {
    prop_oneof![3 => 0..1_000_u64, 1 => Just(u64::MAX), 1 => any::<u64>()]
}

fn slices() -> impl Generate<Value = Slice> {
    let work = (counts(), counts(), counts(), counts(), counts(), counts());
    let times = (durations(), durations(), durations(), durations());
    (work, times, any::<bool>()).prop_map(|(work, times, is_remote)| {
        let (records, evicted, expired, backlog, entries, bytes) = work;
        let (held, overdue, latency, next) = times;
        let excess = Usage { entries, bytes };
        let latency = is_remote.then_some(latency);
        let longest = held;
        let did = Slice { records, evicted, expired, spared: evicted, ..Slice::default() };
        Slice { held, longest, backlog, excess, overdue, latency, next, ..did }
    })
}

fn calls() -> impl Generate<Value = Vec<(u64, Call)>> {
    let times = prop_oneof![
        6 => 0..10_000_u64,
        1 => Just(0),
        1 => Just(u64::MAX),
        1 => any::<u64>(),
    ];
    let call = prop_oneof![
        6 => slices().prop_map(Call::Done),
        2 => Just(Call::Failed),
        2 => Just(Call::Wake),
        4 => Just(Call::Plan),
    ];
    vec((times, call), 0..60)
}

/// Settings that nobody has validated.
fn settings() -> impl Generate<Value = PacingSettings> {
    let shares = prop_oneof![
        4 => Just(0.02), 1 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(-1.0), 1 => Just(f64::INFINITY),
    ];
    let others = (durations(), durations(), durations(), durations(), counts(), counts());
    (others, shares).prop_map(|((max_lag, min, max, retry, least, most), duty_cycle)| {
        PacingSettings {
            max_lag,
            min_interval: min,
            max_interval: max,
            duty_cycle,
            least_batch: least,
            most_batch: most,
            retry_interval: retry,
            ..PacingSettings::default()
        }
    })
}

fn run(settings: PacingSettings, calls: &[(u64, Call)]) -> (Pacer, Governor) {
    let (mut pacer, mut governor) = (Pacer::new(settings, 1), Governor::new(settings));
    for (ms, call) in calls {
        let now = at(*ms);
        let plan = pacer.plan(now);
        match call {
            Call::Done(slice) => {
                governor.charge(now, now, &plan, slice);
                pacer.slice_done(now, slice);
            }
            Call::Failed => pacer.slice_failed(now),
            Call::Wake => pacer.wake(now),
            Call::Plan => {}
        }
        let plan = pacer.plan(now);
        assert_eq!(plan, pacer.plan(now), "asking changes nothing");
        let wait = governor.wait(now, &plan);
        assert_eq!(wait, governor.wait(now, &plan), "asking changes nothing");
        assert!(wait <= Duration::from_secs(60));
        assert!(pacer.lag(now) >= Duration::ZERO && governor.duty_cycle(now).is_finite());
        assert!((0.1..=1.0).contains(&governor.granted()));
        check_plan(&settings, &plan);
    }
    (pacer, governor)
}

fn check_plan(settings: &PacingSettings, plan: &Plan) {
    if settings.validate().is_ok() {
        let longest = settings.max_interval.max(settings.longest_retry);
        assert!(plan.delay <= longest, "{plan:?}");
        assert!(
            plan.batch >= settings.least_batch && plan.batch <= settings.most_batch,
            "{plan:?}"
        );
    }
}

#[test]
fn no_slice_and_no_time_is_too_strange() {
    let outcome = TestRunner::new(cases(256)).run(&(settings(), calls()), |(settings, calls)| {
        run(settings, &calls);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

/// A clock that was set back, or forward, is as good as any other.
#[test]
fn after_any_nonsense_it_works_as_before() {
    let ms = (0..10_000_u64).prop_map(|ms| ms * 1_000);
    let outcome = TestRunner::new(cases(128)).run(&(calls(), ms), |(calls, start)| {
        let settings = PacingSettings::default();
        let (mut pacer, mut governor) = run(settings, &calls);
        let idle = Slice { next: Duration::from_secs(1), ..Slice::default() };
        let mut now = start;
        for _ in 0..300 {
            let plan = pacer.plan(at(now));
            let wait = plan.delay.max(governor.wait(at(now), &plan));
            assert!(wait <= Duration::from_secs(60), "{wait:?}");
            now += wait.as_millis() as u64 + 1;
            let plan = pacer.plan(at(now));
            assert!(plan.delay.is_zero() && governor.wait(at(now), &plan).is_zero());
            pacer.slice_done(at(now), &idle);
        }
        let plan = pacer.plan(at(now));
        assert_eq!(plan.delay, settings.max_interval);
        assert_eq!((plan.batch, plan.is_urgent()), (settings.least_batch, false));
        assert_eq!(pacer.lag(at(now)), Duration::ZERO);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}
