//! What a pacer plans after a slice, by the formulas of `docs/pacing.md`.

use std::time::Duration;

use inval_core::pacing::{Pacer, PacingSettings, Plan};
use inval_core::{Slice, Timestamp, Usage};

const MS: Duration = Duration::from_millis(1);

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn pacer() -> Pacer {
    Pacer::new(PacingSettings::default(), 1)
}

/// Of `batch` records, each of which holds the server for a microsecond.
fn booked(batch: u64, backlog: u64) -> Slice {
    let held = Duration::from_micros(batch);
    let next = if backlog > 0 { Duration::ZERO } else { 5 * MS };
    Slice { records: batch, held, backlog, next, ..Slice::default() }
}

fn rate(plan: Plan) -> f64 {
    plan.batch as f64 / plan.delay.as_secs_f64()
}

#[test]
fn the_first_slice_is_due_at_once() {
    let mut pacer = pacer();
    let plan = pacer.plan(at(1_000_000));
    assert_eq!((plan.delay, plan.batch, plan.is_urgent()), (Duration::ZERO, 128, false));
    assert_eq!(pacer.lag(at(1_000_000)), Duration::ZERO);
}

#[test]
fn a_backlog_is_worked_off_at_the_rate_that_its_age_leaves_time_for() {
    let mut pacer = pacer();
    pacer.slice_done(at(0), &Slice { next: Duration::MAX, ..Slice::default() });
    pacer.slice_done(at(500), &booked(0, 30_000));
    // It may have come half a second ago, so a quarter of a second is left; and as much may come again.
    let want = 30_000.0 / 0.25 + 30_000.0 / 0.5;
    let plan = pacer.plan(at(500));
    assert!((rate(plan) / want - 1.0).abs() < 0.02, "{plan:?}");
    // At the least batch it would be due before the least interval.
    assert_eq!((plan.delay, plan.batch), (MS, 180));
}

#[test]
fn what_is_left_does_not_wait_longer_than_the_longest_interval() {
    let max_lag = Duration::from_secs(3_600);
    let mut pacer = Pacer::new(PacingSettings { max_lag, ..PacingSettings::default() }, 1);
    pacer.slice_done(at(0), &Slice { next: Duration::MAX, ..booked(0, 1) });
    assert_eq!(pacer.plan(at(0)).delay, 500 * MS);
}

#[test]
fn idle_pauses_double_up_to_the_longest_interval_but_not_past_what_the_store_asks_for() {
    let mut pacer = pacer();
    pacer.slice_done(at(0), &booked(0, 0));
    let mut now = 500;
    let mut pause = |next: u64, records: u64| {
        let next = Duration::from_millis(next);
        pacer.slice_done(at(now), &Slice { next, ..booked(records, 0) });
        let delay = pacer.plan(at(now)).delay;
        now += delay.as_millis() as u64;
        delay.as_millis() as u64
    };
    // 6,400 records a second.
    assert_eq!([pause(1_000, 3_200), pause(1_000, 128)], [20, 20]);
    assert_eq!([0; 5].map(|records| pause(1_000, records)), [40, 80, 160, 320, 500]);
    assert_eq!([pause(1_000, 0), pause(200, 0), pause(0, 0), pause(1_000, 0)], [500, 200, 1, 500]);
}

#[test]
fn a_plan_is_urgent_above_a_limit_and_where_the_normal_share_would_not_do() {
    let check = |slice: Slice, want: bool| {
        let mut pacer = pacer();
        // Before it, one that leaves nothing and tells what an entry costs.
        pacer.slice_done(at(0), &booked(100, 0));
        pacer.slice_done(at(10), &slice);
        assert_eq!(pacer.plan(at(10)).is_urgent(), want, "{slice:?}");
    };
    // 2 % of the 740 ms that are left are 14.8 ms, of which half is for surprises.
    check(booked(0, 6_000), false);
    check(booked(0, 8_000), true);
    let excess = |entries, bytes| Slice { excess: Usage { entries, bytes }, ..booked(0, 0) };
    check(excess(1, 0), true);
    check(excess(0, 1), true);
    check(booked(0, 0), false);
}

#[test]
fn a_plan_that_waits_becomes_urgent_when_it_said() {
    let mut pacer = pacer();
    pacer.slice_done(at(0), &booked(100, 0));
    pacer.slice_done(at(10), &booked(0, 1_000));
    let Plan { delay, urgent_in, .. } = pacer.plan(at(10));
    assert!(!urgent_in.is_zero() && urgent_in > delay, "{urgent_in:?} {delay:?}");
    let urgent_at = 10 + urgent_in.as_millis() as u64 + 1;
    assert!(!pacer.plan(at(urgent_at - 2)).is_urgent());
    assert!(pacer.plan(at(urgent_at)).is_urgent());
}

#[test]
fn a_scan_goes_on_at_once_and_is_never_urgent() {
    let mut pacer = pacer();
    for ms in 0..1_000 {
        let held = Duration::from_micros(200);
        pacer.slice_done(at(ms), &Slice { held, ..Slice::default() });
        let plan = pacer.plan(at(ms));
        assert!(plan.delay == MS && !plan.is_urgent(), "{plan:?}");
    }
}

#[test]
fn lag_is_how_long_the_oldest_has_waited() {
    let mut pacer = pacer();
    let mut check = |now, slice: Option<Slice>, want: u32| {
        if let Some(slice) = slice {
            pacer.slice_done(at(now), &slice);
        }
        assert_eq!(pacer.lag(at(now)), want * MS, "at {now}");
    };
    check(0, Some(booked(0, 0)), 0);
    // The store wanted to be called after 5 ms.
    check(5, None, 0);
    check(9, None, 4);
    // 100 came within 100 ms, of which half were booked.
    check(100, Some(booked(50, 50)), 50);
    check(110, None, 60);
    check(120, Some(booked(0, 50)), 70);
    check(130, Some(booked(50, 0)), 0);
    let overdue = 40 * MS;
    check(140, Some(Slice { expired: 9, overdue, ..Slice::default() }), 40);
    check(150, None, 50);
    let above = Usage { entries: 3, bytes: 0 };
    let slice = Slice { excess: above, next: Duration::MAX, ..Slice::default() };
    check(160, Some(slice), 20);
    check(400, Some(slice), 260);
}
