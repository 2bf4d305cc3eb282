//! The estimate of a server's clock: what its samples say, how it follows steps, and that it never runs back.
#![cfg(test)]

mod support {
    pub(crate) mod cases;
}

use std::time::Duration;

use inval_core::{ServerClock, TimeReading, TimeSample, TimeVerdict, Timestamp};
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy as Generate, any, prop_oneof};
use proptest::test_runner::TestRunner;
use support::cases::cases;

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;

fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A sample whose reply came at `received` after `round_trip`, stamped `server` on the way, all in ms.
fn sample(received: u64, round_trip: u64, server: u64) -> TimeSample {
    let sent = at(received - round_trip);
    TimeSample { sent, received: at(received), server_us: server * 1000 }
}

/// Takes the sample when its reply comes.
fn hear(clock: &mut ServerClock, sample: TimeSample) -> TimeVerdict {
    clock.observe(sample, sample.received)
}

/// Takes a sample each second after `*local`, without a round trip, of a server that is `ahead` of the
/// local clock; the last verdict.
fn listen(clock: &mut ServerClock, local: &mut u64, samples: u32, ahead: i64) -> TimeVerdict {
    let mut verdict = TimeVerdict::Impossible;
    for _ in 0..samples {
        *local += SECOND;
        verdict = hear(clock, sample(*local, 0, local.saturating_add_signed(ahead)));
    }
    verdict
}

/// How far the clock is ahead of the local one.
fn lead(clock: &ServerClock, local: u64) -> i64 {
    clock.now(at(local)).map_or(0, |now| now.as_millis() as i64 - local as i64)
}

#[track_caller]
fn check(clock: &ServerClock, local: u64, now: u64, earliest: u64, latest: u64) {
    let [now, earliest, latest] = [now, earliest, latest].map(at);
    assert_eq!(clock.read(at(local)), Some(TimeReading { now, earliest, latest }));
}

#[track_caller]
fn check_step(verdict: TimeVerdict, by_ms: i64) {
    let TimeVerdict::Stepped { by_us } = verdict else { panic!("{verdict:?}") };
    assert!(by_us.abs_diff(by_ms * 1000) <= 5000, "{by_us} us");
}

#[test]
fn one_sample_is_known_to_half_its_round_trip_and_ages() {
    let mut clock = ServerClock::new();
    assert_eq!((clock.now(at(7)), clock.local(at(7)), clock.offset_us()), (None, None, None));
    assert_eq!(hear(&mut clock, sample(1000, 10, 5000)), TimeVerdict::Agrees);
    check(&clock, 1000, 5005, 4998, 5013);
    assert_eq!(clock.offset_us(), Some(4_005_003));
    check(&clock, 101_000, 105_005, 104_948, 105_063);
    assert_eq!(clock.read(at(101_000)).map(|reading| reading.error()), Some(ms(58)));
}

#[test]
fn a_long_round_trip_tells_little_and_a_short_one_much() {
    let mut clock = ServerClock::new();
    hear(&mut clock, sample(1000, 10, 5000));
    assert_eq!(hear(&mut clock, sample(1100, 900, 4300)), TimeVerdict::Agrees);
    check(&clock, 1100, 5105, 5098, 5113);
    assert_eq!(hear(&mut clock, sample(1200, 0, 5202)), TimeVerdict::Agrees);
    check(&clock, 1200, 5205, 5200, 5205);
}

#[test]
fn a_reply_before_its_request_changes_nothing() {
    let mut clock = ServerClock::new();
    let backwards = TimeSample { sent: at(2), received: at(1), server_us: 9 };
    assert_eq!(clock.observe(backwards, at(3)), TimeVerdict::Impossible);
    assert_eq!(clock.now(at(3)), None);
}

#[test]
fn three_wrong_samples_in_a_row_move_nothing() {
    for wrong in [HOUR as i64, -(HOUR as i64)] {
        let (mut clock, mut local) = (ServerClock::new(), 2 * HOUR);
        for _ in 0..10 {
            assert_eq!(listen(&mut clock, &mut local, 1, 0), TimeVerdict::Agrees);
            assert_eq!(listen(&mut clock, &mut local, 3, wrong), TimeVerdict::Doubted);
            assert!(lead(&clock, local).abs() <= 1);
        }
    }
}

#[test]
fn wrong_samples_that_disagree_with_each_other_move_nothing() {
    let (mut clock, mut local) = (ServerClock::new(), 0);
    listen(&mut clock, &mut local, 1, 0);
    for wrong in 1..20 {
        let verdict = listen(&mut clock, &mut local, 3, wrong * HOUR as i64);
        assert_eq!(verdict, TimeVerdict::Doubted);
    }
    assert!(lead(&clock, local).abs() <= 1);
}

#[test]
fn the_fourth_sample_steps_forward_at_once() {
    let (mut clock, mut local) = (ServerClock::new(), 0);
    listen(&mut clock, &mut local, 10, 0);
    check_step(listen(&mut clock, &mut local, 4, HOUR as i64), HOUR as i64);
    assert!(lead(&clock, local).abs_diff(HOUR as i64) <= 1);
}

#[test]
fn a_step_back_is_worn_off_while_the_bounds_take_it_at_once() {
    let (mut clock, mut local) = (ServerClock::new(), 2 * HOUR);
    listen(&mut clock, &mut local, 10, 0);
    check_step(listen(&mut clock, &mut local, 4, -(HOUR as i64)), -(HOUR as i64));
    assert!(lead(&clock, local).abs() <= 1);
    let reading = clock.read(at(local)).unwrap();
    assert!(reading.earliest <= at(local - HOUR) && at(local - HOUR) <= reading.latest);
    assert!(reading.error().abs_diff(ms(HOUR)) <= ms(5));

    // 500 parts per million of 1000 s are half a second.
    listen(&mut clock, &mut local, 1000, -(HOUR as i64));
    assert!(lead(&clock, local).abs_diff(-500) <= 10, "{}", lead(&clock, local));
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes there")]
fn a_small_lead_is_worn_off_and_the_clock_then_follows() {
    let (mut clock, mut local) = (ServerClock::new(), HOUR);
    listen(&mut clock, &mut local, 10, 0);
    listen(&mut clock, &mut local, 3000, -1000);
    assert!(lead(&clock, local).abs_diff(-1000) <= 2, "{}", lead(&clock, local));
}

#[test]
fn what_a_step_forward_makes_due_is_due_even_after_a_step_back() {
    let (mut clock, mut local) = (ServerClock::new(), 2 * HOUR);
    listen(&mut clock, &mut local, 10, 0);
    listen(&mut clock, &mut local, 4, -(HOUR as i64));
    let deadline = clock.now(at(local)).unwrap().saturating_add(ms(HOUR / 2));
    listen(&mut clock, &mut local, 4, 0);
    assert!(clock.now(at(local)).unwrap() >= deadline);
}

#[test]
fn a_minute_of_a_clock_that_is_hours_wrong_delays_no_deadline() {
    for wrong in [5 * HOUR as i64, -5 * (HOUR as i64)] {
        let (mut clock, mut local) = (ServerClock::new(), 10 * HOUR);
        let soon =
            |clock: &ServerClock, local, by| clock.now(at(local)).unwrap().saturating_add(by);
        listen(&mut clock, &mut local, 60, 0);
        let before = soon(&clock, local, ms(120 * SECOND));
        listen(&mut clock, &mut local, 60, wrong);
        let meanwhile = soon(&clock, local, ms(60 * SECOND));
        listen(&mut clock, &mut local, 60, 0);
        let now = soon(&clock, local, ms(120));
        assert!(now >= before && now >= meanwhile, "{now:?} {before:?} {meanwhile:?}");
    }
}

fn millis() -> impl Generate<Value = u64> {
    prop_oneof![
        4 => 0..100_000_u64,
        2 => 0..100 * HOUR,
        1 => any::<u64>(),
        1 => Just(0),
        1 => Just(u64::MAX),
    ]
}

#[test]
fn never_runs_back_whatever_the_samples_say() {
    let server_us = prop_oneof![2 => 0..1000 * HOUR, 1 => any::<u64>(), 1 => Just(u64::MAX)];
    let forward = prop_oneof![20 => 0..10_000_u64, 1 => any::<u64>()];
    let samples = vec((millis(), 0..10_000_u64, server_us, forward, 1..8_u64), 0..80);
    let outcome = TestRunner::new(cases(512)).run(&samples, |samples| {
        let (mut clock, mut local, mut latest) = (ServerClock::new(), 0_u64, None);
        for (sent, took, server_us, forward, times) in samples {
            for nth in 0..times {
                let received = at(sent.saturating_add(took));
                let server_us = server_us.saturating_add(nth);
                clock.observe(TimeSample { sent: at(sent), received, server_us }, at(local));
                let reading = clock.read(at(local));
                let now = reading.map(|reading| reading.now);
                assert!(now >= latest, "{now:?} after {latest:?}");
                assert!(reading.is_none_or(|reading| reading.earliest <= reading.latest));
                assert!(clock.drift_ppm().abs() <= 500.0);
                latest = now;
                local = local.saturating_add(forward / times);
                let now = clock.now(at(local));
                assert!(now >= latest, "{now:?} after {latest:?}");
                latest = now;
            }
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

/// One exchange: the pause before it, its round trip and the server's place in it, in microseconds and
/// thousandths.
type Exchange = (u64, u64, u64);

fn exchanges(most_pause_us: u64) -> impl Generate<Value = Exchange> {
    (1..most_pause_us, 100..50_000_u64, 0..=1000_u64)
}

/// A server's clock that is right but for an offset and a drift.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Server {
    offset_us: u64,
    drift_ppm: i64,
}

impl Server {
    fn shows(self, local_us: u64) -> u64 {
        let drifted = local_us as i64 * self.drift_ppm / 1_000_000;
        (self.offset_us + local_us).saturating_add_signed(drifted)
    }

    /// Has the exchange, and moves `local_us` on to the reply.
    fn answer(self, local_us: &mut u64, (pause, round_trip, place): Exchange) -> TimeSample {
        let sent = *local_us + pause;
        *local_us = sent + round_trip;
        let server_us = self.shows(sent + round_trip * place / 1000);
        TimeSample { sent: at(sent / 1000), received: at(*local_us / 1000), server_us }
    }
}

fn servers() -> impl Generate<Value = Server> {
    (0..1_800_000_000_000_000_u64, -200..=200_i64)
        .prop_map(|(offset_us, drift_ppm)| Server { offset_us, drift_ppm })
}

#[test]
fn the_server_is_always_within_the_stated_error() {
    let runs = (servers(), vec(exchanges(5_000_000), 1..200));
    let outcome = TestRunner::new(cases(256)).run(&runs, |(server, exchanges)| {
        let (mut clock, mut local_us) = (ServerClock::new(), 0);
        let mut best_us = u64::MAX;
        for exchange in exchanges {
            let sample = server.answer(&mut local_us, exchange);
            assert_eq!(hear(&mut clock, sample), TimeVerdict::Agrees);
            best_us = best_us.saturating_add(exchange.0 / 1000 + 50).min(exchange.1);
            let reading = clock.read(at(local_us / 1000)).unwrap();
            let truth = at(server.shows(local_us) / 1000);
            assert!(reading.earliest <= truth && truth <= reading.latest);
            let [now, truth, earliest, latest] =
                [reading.now, truth, reading.earliest, reading.latest].map(Timestamp::as_millis);
            assert!(ms(now.abs_diff(truth)) <= reading.error());
            assert!(latest - earliest <= best_us / 1000 + 7, "{reading:?} after {best_us} us");
            // Half the longest round trip, and what it has aged.
            assert!(reading.error() <= ms(32), "{reading:?}");
        }
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes there")]
fn drift_is_found_within_twenty_minutes() {
    let runs = (servers(), vec(exchanges(2_000_000), 1200..=1200));
    let outcome = TestRunner::new(cases(16)).run(&runs, |(server, exchanges)| {
        let (mut clock, mut local_us) = (ServerClock::new(), 0);
        let mut furthest = Duration::ZERO;
        for (nth, exchange) in exchanges.into_iter().enumerate() {
            hear(&mut clock, server.answer(&mut local_us, exchange));
            if nth > 900 {
                let now = clock.now(at(local_us / 1000)).unwrap().as_millis();
                furthest = furthest.max(ms(now.abs_diff(server.shows(local_us) / 1000)));
            }
        }
        let error = clock.drift_ppm() - server.drift_ppm as f64;
        // Two spans of 52 ms, ten minutes apart.
        assert!(error.abs() <= 87.0, "{error} ppm off");
        assert!(furthest <= ms(15), "{furthest:?} off");
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn drift_is_found_in_two_minutes_where_replies_come_at_once() {
    for drift_ppm in [-400, 0, 400] {
        let (mut clock, mut local_us) = (ServerClock::new(), 0);
        let server = Server { offset_us: 1_000_000, drift_ppm };
        for _ in 0..120 {
            hear(&mut clock, server.answer(&mut local_us, (1_000_000, 0, 0)));
        }
        let error = clock.drift_ppm() - drift_ppm as f64;
        // Two spans of 2 ms, two minutes apart.
        assert!(error.abs() <= 35.0, "{error} ppm off");
    }
}

#[test]
fn a_time_of_the_server_is_reached_when_it_was_said_to_be() {
    let ahead = prop_oneof![1 => 0..20_u64, 3 => 0..10 * HOUR];
    let runs = (servers(), vec(exchanges(5_000_000), 1..20), ahead);
    let outcome = TestRunner::new(cases(256)).run(&runs, |(server, exchanges, ahead)| {
        let (mut clock, mut local_us) = (ServerClock::new(), 0);
        for exchange in exchanges {
            hear(&mut clock, server.answer(&mut local_us, exchange));
        }
        let last = at(local_us / 1000);
        let time = clock.now(last).unwrap().saturating_add(ms(ahead));
        let local = clock.local(time).unwrap();
        assert!(clock.now(local).unwrap() >= time);
        assert!(local == last || clock.now(at(local.as_millis() - 1)).unwrap() < time);
        Ok(())
    });
    assert_eq!(outcome, Ok(()));
}

#[test]
fn the_ends_of_time_are_times_like_any_other() {
    for [sent, received, server] in [[0, 0, 0], [0, u64::MAX, u64::MAX], [u64::MAX; 3]] {
        let mut clock = ServerClock::new();
        let sample = TimeSample { sent: at(sent), received: at(received), server_us: server };
        assert_eq!(hear(&mut clock, sample), TimeVerdict::Agrees);
        for local in [0, u64::MAX].map(at) {
            assert!(clock.read(local).is_some() && clock.local(local) >= Some(at(received)));
        }
    }
}
