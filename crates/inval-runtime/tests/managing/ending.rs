//! How a manager ends: in an orderly way, in time, or dropped.

use std::sync::atomic::Ordering;
use std::time::Duration;

use inval_core::{Slice, Usage};
use inval_runtime::{AddError, RequestError};
use tokio::time::Instant;

use crate::fake::{Answer, Fake, idle};
use crate::{builder, managing, ms, pass};

#[tokio::test(start_paused = true)]
async fn a_shutdown_finishes_slices_gives_leases_back_and_says_what_is_left() {
    let excess = Usage { entries: 3, bytes: 30 };
    let left = Slice { backlog: 7, excess, next: ms(0), ..idle() };
    let behind = Fake::new(1, move |_, _| Answer::After(ms(100), left));
    let done = Fake::idle();
    let manager = managing(builder(), &[&behind, &done]).await;
    pass(ms(150)).await;
    let report = manager.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(behind.under_way.load(Ordering::SeqCst), 0);
    for store in [&behind, &done] {
        assert_eq!(store.released.load(Ordering::SeqCst), 1);
    }
    assert_eq!(report.left, [("a".parse().unwrap(), 7, excess)]);

    let count = done.count();
    pass(Duration::from_secs(60)).await;
    assert_eq!(done.count(), count);
    assert_eq!(manager.add("c".parse().unwrap(), Fake::idle()).await, Err(AddError::Stopped));
    assert!(manager.store("c").is_none());
    assert_eq!(manager.pause("a").await, Err(RequestError::Stopped));
    assert!(manager.health().await.is_empty());
    assert!(manager.shutdown(ms(1)).await.is_clean(), "a second time there is nothing to report");
}

#[tokio::test(start_paused = true)]
async fn what_hangs_does_not_hold_a_shutdown_up() {
    let (hangs, fails) = (Fake::new(1, |_, _| Answer::Hang), Fake::idle());
    fails.fails_to_release.store(true, Ordering::SeqCst);
    let manager = managing(builder(), &[&hangs, &fails]).await;
    pass(ms(1)).await;
    let begun = Instant::now();
    let report = manager.shutdown(Duration::from_secs(2)).await;
    assert_eq!(begun.elapsed(), Duration::from_secs(2));
    assert_eq!(report.abandoned, 1);
    assert_eq!(hangs.released.load(Ordering::SeqCst), 1, "its lease is given back all the same");
    let unreleased: Vec<_> =
        report.unreleased.iter().map(|(name, cause)| (name.as_str(), cause.to_string())).collect();
    assert_eq!(unreleased, [("b", "this store is out of order".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn upkeep_ends_with_the_last_clone_of_its_manager() {
    let store = Fake::idle();
    let manager = managing(builder(), &[&store]).await;
    let clone = manager.clone();
    drop(manager);
    pass(Duration::from_secs(5)).await;
    let count = store.count();
    assert!(count > 1);
    drop(clone);
    pass(Duration::from_secs(60)).await;
    assert!(store.count() <= count + 1);
    assert_eq!(store.released.load(Ordering::SeqCst), 0);
    assert_eq!(std::sync::Arc::strong_count(&store), 1, "nothing is left behind");
}
