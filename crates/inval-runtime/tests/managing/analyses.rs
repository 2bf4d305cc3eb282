//! Analyses keep to their share, tell how far they have got, and end when they are to.

use std::sync::Arc;
use std::time::Duration;

use inval_core::{Cursor, EntryInfo, Key, Lifetime, Page, Weighing, Weight};
use inval_runtime::{
    AnalysisOptions, AnalysisOptionsError, AnalysisState, Cause, Progress, StartAnalysisError,
};

use crate::fake::{Answer, Fake, idle};
use crate::{builder, managing, ms, pass};

/// How many entries a page has.
const ENTRIES: u64 = 10;

/// A page of so many that a partition has.
fn page(number: u64, pages: u64, held: Duration) -> Page {
    let info = EntryInfo {
        weight: Some(Weight::new(5)),
        lifetime: Lifetime::Unlimited,
        idle: None,
        age: None,
    };
    let key = |n: u64| Key::new(format!("k:{number}:{n}").as_bytes()).unwrap();
    Page {
        entries: (0..ENTRIES).map(|n| (key(n), info)).collect(),
        weighing: Weighing::Charged,
        next: (number + 1 < pages).then(|| Cursor::new(number + 1, 0)),
        begins_anew: false,
        held,
    }
}

fn store(partitions: u32, pages: u64, held: Duration) -> Arc<Fake> {
    let store = Fake::new(partitions, |_, _| Answer::Slice(idle()));
    store.paged(move |_, number| Some(page(number, pages, held)));
    store
}

fn with_duty(duty_cycle: f64) -> AnalysisOptions {
    AnalysisOptions { duty_cycle, page_size: 77, ..AnalysisOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn pauses_keep_the_share_of_the_server() {
    for (duty_cycle, turn) in [(0.02, ms(100)), (0.1, ms(20)), (1.0, ms(2))] {
        let store = store(2, 5, ms(2));
        let manager = managing(builder(), &[&store]).await;
        let mut running = manager.analyse("a", with_duty(duty_cycle)).unwrap();
        let AnalysisState::Done(analysed) = running.ended().await else { panic!() };
        assert_eq!((analysed.pages, analysed.held), (10, ms(20)));
        assert!(analysed.share() <= duty_cycle, "{analysed:?}");
        assert!(analysed.took >= turn * 10 && analysed.took < turn * 10 + ms(50), "{analysed:?}");
        let pages = store.pages();
        assert!(pages.windows(2).all(|pair| pair[1].0 - pair[0].0 >= turn), "{pages:?}");
        assert!(pages.iter().all(|(_, size)| *size == 77));
        assert_eq!(analysed.analysis.seen().entries, 100);
        assert_eq!(analysed.analysis.seen().bytes, 500);
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_share_is_that_of_upkeep() {
    let pacing = inval_core::pacing::PacingSettings { duty_cycle: 0.05, ..Default::default() };
    let manager = managing(builder().pacing(pacing), &[]).await;
    assert_eq!(manager.analysis_options().duty_cycle, 0.05);
    assert_eq!(managing(builder(), &[]).await.analysis_options(), AnalysisOptions::default());
}

#[tokio::test(start_paused = true)]
async fn progress_rises_to_what_is_booked() {
    let store = store(2, 5, ms(1));
    let manager = managing(builder(), &[&store]).await;
    let mut running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    let mut seen = Vec::new();
    while let AnalysisState::Running(progress) = running.changed().await {
        seen.push(progress);
    }
    assert!(seen.is_sorted_by_key(|progress| (progress.pages, progress.entries)), "{seen:?}");
    assert_eq!(seen.last(), Some(&Progress { entries: 100, booked: 100, pages: 10 }));
    assert!(matches!(running.state(), AnalysisState::Done(_)));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_or_dropped_analysis_asks_for_no_more_pages() {
    let store = store(1, u64::MAX, ms(1));
    let manager = managing(builder(), &[&store]).await;
    let mut running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    pass(ms(500)).await;
    running.cancel();
    assert!(matches!(running.ended().await, AnalysisState::Cancelled));
    let count = store.pages().len();
    assert!(count > 1);
    pass(Duration::from_secs(5)).await;
    assert_eq!(store.pages().len(), count);

    let running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    pass(ms(500)).await;
    drop(running);
    pass(ms(1)).await;
    let count = store.pages().len();
    pass(Duration::from_secs(5)).await;
    assert_eq!(store.pages().len(), count);
    assert!(manager.analyse("a", AnalysisOptions::default()).is_ok(), "there is room for another");
}

#[tokio::test(start_paused = true)]
async fn one_at_a_time_of_a_namespace_that_is_there() {
    let (one, other) = (store(1, 100, ms(1)), store(1, 100, ms(1)));
    let manager = managing(builder(), &[&one, &other]).await;
    let mut running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    let refused = |name, options| manager.analyse(name, options).unwrap_err();
    assert_eq!(refused("a", AnalysisOptions::default()), StartAnalysisError::Running);
    assert_eq!(refused("z", AnalysisOptions::default()), StartAnalysisError::Unknown);
    let invalid = StartAnalysisError::Options(AnalysisOptionsError::DutyCycle);
    assert_eq!(refused("b", with_duty(0.0)), invalid);
    let _other = manager.analyse("b", AnalysisOptions::default()).unwrap();
    assert!(matches!(running.ended().await, AnalysisState::Done(_)));
    assert!(manager.analyse("a", AnalysisOptions::default()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_its_namespace_and_with_its_manager() {
    let stores = [(); 3].map(|()| store(1, u64::MAX, ms(1)));
    let manager = managing(builder(), &[&stores[0], &stores[1], &stores[2]]).await;
    let start = |name| manager.analyse(name, AnalysisOptions::default());
    let [mut removed, mut shut_down] = ["a", "b"].map(|name| start(name).unwrap());
    pass(ms(500)).await;
    manager.remove("a").await.unwrap();
    assert!(matches!(removed.ended().await, AnalysisState::Cancelled));
    assert!(shut_down.state().is_running());
    manager.shutdown(ms(100)).await;
    assert!(matches!(shut_down.ended().await, AnalysisState::Cancelled));
    assert_eq!(start("c").unwrap_err(), StartAnalysisError::Stopped);
    assert!(stores[2].pages().is_empty());

    let store = store(1, u64::MAX, ms(1));
    let manager = managing(builder(), &[&store]).await;
    let mut dropped = manager.analyse("a", AnalysisOptions::default()).unwrap();
    pass(ms(500)).await;
    drop(manager);
    assert!(matches!(dropped.ended().await, AnalysisState::Cancelled));
}

#[tokio::test(start_paused = true)]
async fn what_goes_wrong_is_told() {
    let failing = Fake::idle();
    failing.paged(|_, number| (number == 0).then(|| page(0, 9, ms(1))));
    let panicking = Fake::idle();
    panicking.paged(|_, _| panic!("the fake store was told to panic"));
    let manager = managing(builder(), &[&failing, &panicking]).await;
    let mut running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    let AnalysisState::Failed(cause) = running.ended().await else { panic!() };
    assert_eq!(cause.to_string(), "this store is out of order");
    let mut running = manager.analyse("b", AnalysisOptions::default()).unwrap();
    let ended = running.ended().await;
    assert!(matches!(ended, AnalysisState::Failed(Cause::Panicked)), "{ended:?}");
}

#[tokio::test(start_paused = true)]
async fn a_walk_that_begins_anew_counts_its_partition_once() {
    let store = Fake::new(2, |_, _| Answer::Slice(idle()));
    let mut has_begun_anew = false;
    store.paged(move |partition, number| {
        let begins_anew = partition == 1 && number == 2 && !has_begun_anew;
        has_begun_anew |= begins_anew;
        let number = if begins_anew { 0 } else { number };
        Some(Page { begins_anew, ..page(number, 4, ms(1)) })
    });
    let endless = Fake::idle();
    endless.paged(|_, number| Some(Page { begins_anew: number > 0, ..page(0, 4, ms(1)) }));
    let manager = managing(builder(), &[&store, &endless]).await;
    let mut running = manager.analyse("a", AnalysisOptions::default()).unwrap();
    let AnalysisState::Done(analysed) = running.ended().await else { panic!() };
    assert_eq!((analysed.pages, analysed.analysis.seen().entries), (10, 80));
    let mut running = manager.analyse("b", AnalysisOptions::default()).unwrap();
    let AnalysisState::Failed(cause) = running.ended().await else { panic!() };
    assert!(cause.to_string().contains("too often"), "{cause}");
}
