//! Two managers at once: one works, the other does no harm, whoever thinks it holds the lease.

use std::time::Duration;

use inval_core::{Budget, RemovalCause, Store};

use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, limited};
use crate::support::values::fill;

#[tokio::test]
async fn of_two_managers_one_works_and_the_other_takes_over() {
    let site = Site::shared(limited(100)).with(|options| {
        options.engine.lease = Duration::from_millis(300);
    });
    let (first, second) = (site.open().await, site.open().await);
    let client = site.client().await;
    let (one, two) = (manage(&first), manage(&second));
    fill(&first, 'k', 0..300, 10).await;
    let stats = exact(&client, &first).await;
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 200);
    let evicted = || one.done().evicted + two.done().evicted;
    until("each was evicted by one of them", async || evicted() == 200).await;
    let (left, stays) = if one.done().evicted > 0 { (one, two) } else { (two, one) };
    drop(left);
    fill(&first, 'l', 0..300, 10).await;
    let stats = exact(&client, &first).await;
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 500);
    until("the other took over", async || stays.done().evicted > 0).await;
    stays.stop().await;
}

#[tokio::test]
async fn a_manager_that_slept_too_long_finds_itself_replaced() {
    let site = Site::shared(limited(100)).with(|options| {
        options.engine.lease = Duration::from_millis(100);
    });
    let (sleeper, other) = (site.open().await, site.open().await);
    let client = site.client().await;
    fill(&sleeper, 'k', 0..150, 10).await;
    maintain(&sleeper).await;
    until("its lease is over", async || !site.has_lease()).await;
    let manager = manage(&other);
    fill(&other, 'l', 0..150, 10).await;
    exact(&client, &other).await;
    // It has old books and a step in mind. None of it happens.
    let token = other.accounts(0).await.unwrap().token;
    for _ in 0..20 {
        assert_eq!(sleeper.maintain(0, Budget::within(Duration::ZERO)).await.unwrap().evicted, 0);
    }
    let accounts = other.accounts(0).await.unwrap();
    assert_eq!((accounts.token, accounts.stats.usage.entries), (token, 100));
    manager.stop().await;
    let manager = manage(&sleeper);
    fill(&sleeper, 'm', 0..50, 10).await;
    assert_eq!(exact(&client, &sleeper).await.usage.entries, 100);
    manager.stop().await;
}
