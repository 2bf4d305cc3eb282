//! What listeners are told, and what becomes of slow ones.

use std::time::Duration;

use inval_core::{Config, Slice, Standing};
use inval_runtime::{Event, Missed};

use crate::fake::{Answer, Fake, idle};
use crate::{builder, managing, ms, pass};

fn word(event: &Event) -> String {
    match event {
        Event::Added(name) => format!("added {name}"),
        Event::Reconfigured(name) => format!("reconfigured {name}"),
        Event::Removed(name) => format!("removed {name}"),
        Event::Paused(name) => format!("paused {name}"),
        Event::Resumed(name) => format!("resumed {name}"),
        Event::Standing { namespace, partition, standing } => {
            format!("{namespace} {partition} {standing:?}")
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_namespace_is_told_in_order() {
    let mut calls = 0;
    let store = Fake::new(1, move |_, _| {
        calls += 1;
        let standing = if calls == 1 { Standing::Rebuilding } else { Standing::Steady };
        Answer::Slice(Slice { standing, ..idle() })
    });
    let manager = managing(builder(), &[]).await;
    let mut events = manager.events();
    manager.add("a".parse().unwrap(), store).await.unwrap();
    pass(Duration::from_secs(2)).await;
    let config = Config::builder().max_entries(9).build().unwrap();
    manager.reconfigure("a", &config).await.unwrap();
    manager.pause("a").await.unwrap();
    manager.resume("a").await.unwrap();
    manager.remove("a").await.unwrap();
    drop(manager);
    let mut words = Vec::new();
    while let Some(event) = events.next().await {
        words.push(word(&event.unwrap()));
    }
    let want =
        ["added a", "a 0 Rebuilding", "a 0 Steady", "reconfigured a", "paused a", "resumed a"];
    assert_eq!(words, [&want[..], &["removed a"]].concat());
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_is_too_slow_is_told_how_much_it_missed() {
    let store = Fake::idle();
    let manager = managing(builder().removal_buffer(4), &[&store]).await;
    store.remove(100);
    let mut removals = manager.removals();
    store.remove(10);
    assert_eq!(removals.next().await, Some(Err(Missed(6))));
    for _ in 0..4 {
        let removal = removals.next().await.unwrap().unwrap();
        assert_eq!((removal.namespace.as_str(), removal.key.as_bytes()), ("a", &b"key"[..]));
        assert!(!format!("{removal:?}").contains("key\""));
    }
    drop((manager, store));
    assert_eq!(removals.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn writers_that_wait_wake_upkeep_at_once() {
    let store = Fake::idle();
    let manager = managing(builder(), &[&store]).await;
    pass(Duration::from_secs(5)).await;
    for _ in 0..3 {
        let count = store.count();
        store.press();
        pass(ms(1)).await;
        assert_eq!(store.count(), count + 1);
        pass(ms(20)).await;
    }
    drop(manager);
}
