//! Who gets the next slice: none starves, and together they keep to their share of the server's time.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{Slice, Standing};
use tokio::time::Instant;

use crate::fake::{Answer, Fake, busy, idle};
use crate::{builder, managing, ms, pass};

#[tokio::test(start_paused = true)]
async fn idle_namespaces_cost_one_slice_for_each_longest_interval() {
    let stores: Vec<_> = (0..20).map(|_| Fake::idle()).collect();
    let manager = managing(builder(), &stores.iter().collect::<Vec<_>>()).await;
    pass(Duration::from_secs(10)).await;
    let counts: Vec<_> = stores.iter().map(|store| store.count()).collect();
    pass(Duration::from_secs(60)).await;
    let most = 60_000 / PacingSettings::default().max_interval.as_millis() as usize + 1;
    for (store, before) in stores.iter().zip(counts) {
        let slices = store.count() - before;
        assert!((1..=most).contains(&slices), "{slices} slices in a minute");
    }
    drop(manager);
}

#[tokio::test(start_paused = true)]
async fn under_overload_all_get_their_turn_and_the_cap_is_kept() {
    // Each slice holds the server for 4 ms and leaves as much work as it found.
    let held = ms(4);
    let hungry = || Fake::new(1, move |_, _| Answer::After(held, busy(held)));
    let above = Slice { excess: inval_core::Usage { entries: 1_000, bytes: 0 }, ..busy(held) };
    let greedy = || Fake::new(1, move |_, _| Answer::After(held, above));
    let stores = [hungry(), greedy(), hungry(), greedy(), hungry()];
    let manager = managing(builder(), &stores.iter().collect::<Vec<_>>()).await;
    let (begun, minute) = (Instant::now(), Duration::from_secs(60));
    pass(minute).await;
    let total: usize = stores.iter().map(|store| store.count()).sum();
    let most = PacingSettings::default().urgent_duty_cycle;
    let used = held.as_secs_f64() * total as f64 / minute.as_secs_f64();
    assert!(used <= most + 0.01, "{used} of the server's time");
    assert!(used >= most / 4.0, "what may be used is used where there is need: {used}");
    let load = manager.load().await;
    assert!((load.duty_cycle - used).abs() < 0.1, "{load:?}");
    let ended =
        total as u64 - stores.iter().map(|s| s.under_way.load(Ordering::SeqCst)).sum::<u64>();
    assert_eq!((load.slice_held.count(), load.slice_held.sum()), (ended, 4_000 * ended));
    assert_eq!(load.slice_entries.count(), ended);
    for store in &stores {
        assert!(longest_pause(store, begun) <= Duration::from_secs(5));
    }
    drop(manager);
}

/// As where there are more namespaces than their server or its network has time for.
#[tokio::test(start_paused = true)]
async fn one_with_work_does_not_wait_for_all_that_only_ask_whether_they_have_some() {
    let took = ms(2);
    let asking = || Fake::new(1, move |_, _| Answer::After(took, Slice { next: ms(0), ..idle() }));
    let rebuilding = Slice { standing: Standing::Rebuilding, next: ms(0), ..idle() };
    let mut stores: Vec<_> = (0..20).map(|_| asking()).collect();
    stores.push(Fake::new(1, move |_, _| Answer::After(took, rebuilding)));
    let manager = managing(builder().parallelism(1), &stores.iter().collect::<Vec<_>>()).await;
    let begun = Instant::now();
    pass(Duration::from_secs(20)).await;
    let counts: Vec<_> = stores.iter().map(|store| store.count()).collect();
    let (rest, with_work) = (counts[..20].iter().sum::<usize>(), counts[20]);
    assert!(with_work > rest / 2, "{with_work} slices, {rest} of all others");
    for store in &stores {
        assert!(longest_pause(store, begun) <= Duration::from_secs(1));
    }
    drop(manager);
}

/// The longest time that a store had to wait for a slice.
fn longest_pause(store: &Arc<Fake>, begun: Instant) -> Duration {
    let times: Vec<_> =
        store.slices().into_iter().map(|(at, _)| at).chain([Instant::now()]).collect();
    let before = std::iter::once(&begun).chain(&times);
    before.zip(&times).map(|(before, at)| *at - *before).max().unwrap()
}

#[tokio::test(start_paused = true)]
async fn no_more_slices_are_under_way_than_allowed_and_one_for_each_partition() {
    let slow = || Fake::new(4, |_, _| Answer::After(ms(100), Slice { next: ms(0), ..idle() }));
    let (one, other) = (slow(), slow());
    let manager = managing(builder().parallelism(3), &[&one, &other]).await;
    for _ in 0..50 {
        pass(ms(20)).await;
        let load = |store: &Arc<Fake>| store.under_way.load(std::sync::atomic::Ordering::SeqCst);
        assert!(load(&one) + load(&other) <= 3);
    }
    for store in [&one, &other] {
        let partitions: std::collections::BTreeSet<u32> =
            store.slices().into_iter().map(|(_, partition)| partition).collect();
        assert_eq!(partitions.len(), 4, "every partition had its turn");
    }
    drop(manager);
}
