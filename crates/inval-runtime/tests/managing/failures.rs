//! What fails, panics or hangs slows down itself and nobody else.

use std::sync::atomic::Ordering;
use std::time::Duration;

use inval_runtime::{Cause, Event};
use tokio::time::Instant;

use crate::fake::{Answer, Fake, idle};
use crate::{builder, managing, ms, pass};

fn failing(answer: Answer) -> std::sync::Arc<Fake> {
    Fake::new(1, move |_, _| answer)
}

#[tokio::test(start_paused = true)]
async fn a_failing_partition_is_tried_ever_less_often_and_slows_no_other() {
    for answer in [Answer::Fail, Answer::Panic, Answer::Hang] {
        let (sick, sound) = (failing(answer), Fake::idle());
        let manager =
            managing(builder().slice_timeout(ms(100)).parallelism(2), &[&sick, &sound]).await;
        pass(Duration::from_secs(10)).await;
        let (early, of_sound) = (sick.count(), sound.count());
        pass(Duration::from_secs(60)).await;
        assert!(early >= 3, "it is tried again: {early}");
        let late = sick.count() - early;
        assert!((3..=60).contains(&late), "{late} times in a minute, {answer:?}");
        let health = manager.health().await;
        let failure = health[0].partitions[0].failure.clone().unwrap();
        let totals = health[0].totals();
        assert_eq!(failure.attempts, totals.failures);
        let of_cause = match answer {
            Answer::Panic => totals.panics,
            Answer::Hang => totals.timeouts,
            _ => totals.failures - totals.panics - totals.timeouts,
        };
        assert_eq!(of_cause, totals.failures, "{answer:?}");
        assert!(failure.since > Duration::from_secs(60));
        assert!(!health[0].is_ready() && health[1].is_ready());
        let rate = (sound.count() - of_sound) as u64;
        assert!(rate >= 60, "the other had {rate} slices in a minute");
    }
}

#[tokio::test(start_paused = true)]
async fn the_cause_is_told_once_and_so_is_the_recovery() {
    for (answer, want) in [
        (Answer::Fail, "this store is out of order"),
        (Answer::Panic, "the store panicked; its message is on standard error"),
        (Answer::Hang, "the store did not come to an end in time"),
    ] {
        let mut calls = 0;
        let store = Fake::new(1, move |_, _| {
            calls += 1;
            if (3..6).contains(&calls) { answer } else { Answer::Slice(idle()) }
        });
        let manager = managing(builder().slice_timeout(ms(100)), &[]).await;
        let mut events = manager.events();
        manager.add("a".parse().unwrap(), store).await.unwrap();
        pass(Duration::from_secs(60)).await;
        manager.shutdown(ms(0)).await;
        drop(manager);
        let mut told = Vec::new();
        while let Some(event) = events.next().await {
            match event.unwrap() {
                Event::Failing { cause, .. } => told.push(cause.to_string()),
                Event::Recovered { .. } => told.push("recovered".to_owned()),
                _ => {}
            }
        }
        assert_eq!(told, [want, "recovered"]);
    }
}

#[tokio::test(start_paused = true)]
async fn one_partition_of_a_namespace_fails_alone() {
    let store = Fake::new(3, |partition, _| match partition {
        1 => Answer::Fail,
        _ => Answer::Slice(idle()),
    });
    let manager = managing(builder(), &[&store]).await;
    pass(Duration::from_secs(5)).await;
    let health = manager.health().await;
    let fails = |at: usize| health[0].partitions[at].failure.is_some();
    assert_eq!([fails(0), fails(1), fails(2)], [false, true, false]);
    assert!(matches!(health[0].partitions[1].failure.as_ref().unwrap().cause, Cause::Store(_)));
}

#[tokio::test(start_paused = true)]
async fn a_slice_that_hangs_is_dropped_and_its_place_is_free_again() {
    let (sick, sound) = (failing(Answer::Hang), Fake::idle());
    let manager = managing(builder().slice_timeout(ms(200)).parallelism(1), &[&sick, &sound]).await;
    let begun = Instant::now();
    pass(ms(250)).await;
    let first = sound.slices()[0].0 - begun;
    assert!(first <= ms(201), "after {first:?}");
    assert_eq!(manager.health().await[0].totals().failures, 1);
    assert_eq!(sick.under_way.load(Ordering::SeqCst), sick.count() as u64, "dropped, not ended");
}
