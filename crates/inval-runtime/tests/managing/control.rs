//! Namespaces come and go, change, stand still, and are asked about.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{ChangeError, Config, Slice, Standing, Store, Strategy};
use inval_runtime::{AddError, ReconfigureError, RemoveError, RequestError, RunNow, StartError};

use crate::fake::{Answer, Fake, idle};
use crate::{builder, managing, ms, pass};

#[test]
fn a_manager_needs_a_runtime_and_sound_settings() {
    assert_eq!(builder().start().unwrap_err(), StartError::NoRuntime);
    let pacing = PacingSettings { duty_cycle: 2.0, ..PacingSettings::default() };
    let refused = builder().pacing(pacing).start();
    assert!(matches!(refused, Err(StartError::Pacing(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_namespace_is_maintained_from_when_it_is_added_until_it_is_removed() {
    let store = Fake::idle();
    let manager = managing(builder(), &[]).await;
    manager.add("a".parse().unwrap(), Arc::clone(&store)).await.unwrap();
    let again = manager.add("a".parse().unwrap(), Fake::idle()).await;
    assert_eq!(again, Err(AddError::Exists));
    pass(ms(1)).await;
    assert_eq!(store.count(), 1, "maintained at once");
    assert!(Arc::ptr_eq(&manager.store("a").unwrap(), &store));
    let removed = manager.remove("a").await.unwrap();
    assert!(Arc::ptr_eq(&removed, &store));
    assert_eq!(store.released.load(Ordering::SeqCst), 1);
    let count = store.count();
    pass(Duration::from_secs(60)).await;
    assert_eq!(store.count(), count);
    assert!(manager.store("a").is_none() && manager.namespaces().is_empty());
    let gone = manager.remove("a").await.err().unwrap();
    assert_eq!(gone, RemoveError::Request(RequestError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn removing_waits_for_the_slice_under_way() {
    let store = Fake::new(1, |_, _| Answer::After(ms(500), idle()));
    let manager = managing(builder(), &[&store]).await;
    pass(ms(1)).await;
    assert_eq!(store.under_way.load(Ordering::SeqCst), 1);
    manager.remove("a").await.unwrap();
    assert_eq!(store.under_way.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn removing_ends_upkeep_that_somebody_asked_for() {
    let endless = Slice { expired: 1, next: ms(0), ..idle() };
    // Of three partitions one is always under way.
    let store =
        Fake::new(3, move |partition, _| Answer::After(ms(10 + 7 * u64::from(partition)), endless));
    let manager = managing(builder(), &[&store]).await;
    let asking = tokio::spawn({
        let manager = manager.clone();
        async move { manager.run_now("a", Duration::from_secs(600)).await }
    });
    pass(ms(50)).await;
    let removed = tokio::time::timeout(Duration::from_secs(5), manager.remove("a")).await;
    assert!(removed.unwrap().is_ok());
    assert!(!asking.await.unwrap().unwrap().is_done);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_cannot_be_given_back_is_told_and_the_namespace_is_gone_all_the_same() {
    let store = Fake::idle();
    store.fails_to_release.store(true, Ordering::SeqCst);
    let manager = managing(builder(), &[&store]).await;
    let error = manager.remove("a").await.err().unwrap();
    assert!(matches!(error, RemoveError::Release(_)), "{error}");
    assert!(manager.store("a").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_change_reaches_the_store_and_upkeep_follows_at_once() {
    let store = Fake::idle();
    let manager = managing(builder(), &[&store]).await;
    pass(ms(100)).await;
    let count = store.count();
    let smaller = Config::builder().max_entries(10).build().unwrap();
    manager.reconfigure("a", &smaller).await.unwrap();
    pass(ms(1)).await;
    assert_eq!(store.config().max_entries(), Some(10));
    assert_eq!(store.count(), count + 1);

    let other = Config::builder().max_entries(10).strategy(Strategy::Lru).build().unwrap();
    let refused = manager.reconfigure("a", &other).await;
    let change = ChangeError::Fixed { field: "strategy" };
    assert_eq!(refused, Err(ReconfigureError::Store(change.into())));
    let unknown = manager.reconfigure("b", &smaller).await;
    assert_eq!(unknown, Err(ReconfigureError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_stands_still_until_it_is_resumed() {
    let (paused, other) = (Fake::idle(), Fake::idle());
    let manager = managing(builder(), &[&paused, &other]).await;
    pass(ms(1)).await;
    manager.pause("a").await.unwrap();
    let counts = (paused.count(), other.count());
    pass(Duration::from_secs(10)).await;
    assert_eq!(paused.count(), counts.0);
    assert!(other.count() > counts.1);
    let health = manager.health().await;
    assert!(health[0].is_paused && !health[0].is_ready());
    assert!(!health[1].is_paused && health[1].is_ready());
    manager.resume("a").await.unwrap();
    pass(ms(1)).await;
    assert_eq!(paused.count(), counts.0 + 1);
    assert_eq!(manager.pause("z").await, Err(RequestError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn upkeep_that_is_asked_for_goes_on_until_nothing_is_left() {
    let mut left = 5;
    let store = Fake::new(2, move |partition, _| {
        if partition == 1 || left == 0 {
            return Answer::Slice(idle());
        }
        left -= 1;
        Answer::Slice(Slice { evicted: 10, backlog: left, next: ms(0), ..idle() })
    });
    let manager = managing(builder(), &[&store]).await;
    manager.pause("a").await.unwrap();
    pass(ms(1)).await;
    let before = store.count() as u64;
    let run = manager.run_now("a", Duration::from_secs(10)).await.unwrap();
    assert!(run.is_done);
    assert!(run.evicted >= 10 * (5 - before).min(4), "{run:?}");
    assert!(store.last_budget().is_urgent);
    let count = store.count();
    pass(Duration::from_secs(10)).await;
    assert_eq!(store.count(), count, "it stands still again");
    assert_eq!(manager.run_now("z", ms(1)).await, Err(RequestError::Unknown));
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_upkeep_that_does_not_end_is_told_what_was_done() {
    let store = Fake::new(1, |_, _| Answer::Slice(Slice { expired: 1, next: ms(10), ..idle() }));
    let manager = managing(builder(), &[&store]).await;
    let RunNow { expired, is_done, .. } = manager.run_now("a", ms(500)).await.unwrap();
    assert!(!is_done && expired > 1, "{expired}");
    pass(ms(100)).await;
    let count = store.count();
    pass(ms(100)).await;
    assert!(store.count() <= count + 11, "nobody waits for it any more");
}

#[tokio::test(start_paused = true)]
async fn statistics_are_read_once_however_many_ask_and_again_when_they_are_old() {
    let store = Fake::idle();
    let manager = managing(builder().stats_age(ms(300)), &[&store]).await;
    let ask = || async { manager.stats("a").await.unwrap().unwrap() };
    let (one, other) = tokio::join!(ask(), ask());
    assert_eq!((one.0.hits, other.0.hits), (1, 1));
    pass(ms(200)).await;
    let (stats, age) = ask().await;
    assert_eq!((stats.hits, age), (1, ms(200)));
    pass(ms(100)).await;
    let (stats, age) = ask().await;
    assert_eq!((stats.hits, age), (2, ms(0)));
    assert!(manager.stats("b").await.unwrap().is_none());
    let [(name, Ok((stats, age)))] = &manager.stats_of_all().await[..] else { panic!() };
    assert_eq!((name.as_str(), stats.hits, *age), ("a", 2, ms(0)), "the same that was read before");
}

#[tokio::test(start_paused = true)]
async fn leases_that_come_and_go_are_counted_and_a_rebuild_is_followed() {
    use Standing::{Rebuilding, Steady, Vacant};
    let mut standings =
        [Vacant, Rebuilding, Steady, Vacant, Vacant, Steady, Rebuilding].into_iter();
    let store = Fake::new(1, move |_, _| {
        let standing = standings.next().unwrap_or(Rebuilding);
        let rebuilt = (standing == Rebuilding).then_some(0.25);
        let clock_offset_us = (standing != Vacant).then_some(-1500);
        Answer::Slice(Slice { standing, rebuilt, clock_offset_us, ..idle() })
    });
    let manager = managing(builder(), &[&store]).await;
    pass(Duration::from_secs(60)).await;
    let health = manager.health().await;
    let totals = health[0].totals();
    assert_eq!((totals.leases_taken, totals.leases_lost), (2, 1));
    let partition = &health[0].partitions[0];
    assert_eq!((partition.rebuilt, partition.clock_offset_us), (Some(0.25), Some(-1500)));
    assert_eq!(health[0].max_lag, PacingSettings::default().max_lag);
}
