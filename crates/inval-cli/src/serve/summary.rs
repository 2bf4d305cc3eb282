//! What has left the namespaces since it was last logged, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use inval_core::{Config, Namespace, RemovalCause, Stats, Store};
use inval_runtime::Manager;
use tokio::time::{MissedTickBehavior, interval};
use tracing::info;

use super::any_store::AnyStore;

/// Logs again after every `period` what has left since, a line for each namespace that something has left.
pub(super) async fn log(manager: Manager<AnyStore>, period: Duration) {
    if period.is_zero() {
        return;
    }
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = BTreeMap::new();
    loop {
        ticks.tick().await;
        let mut now = BTreeMap::new();
        for (name, store) in manager.namespaces() {
            // What cannot be read now is told of later.
            let Ok(stats) = store.stats().await else { continue };
            if let Some(before) = known.get(&name) {
                tell(&name, before, &stats, &store.config());
            }
            now.insert(name, stats);
        }
        known = now;
    }
}

fn tell(namespace: &Namespace, before: &Stats, now: &Stats, config: &Config) {
    let left = |cause| {
        let [now, before] = [now, before].map(|stats| stats.removed(cause).entries);
        // Of a namespace made anew, everything.
        now.checked_sub(before).unwrap_or(now)
    };
    let [expired, evicted, invalidated, replaced, vanished] = RemovalCause::ALL.map(left);
    if [expired, evicted, invalidated, vanished] == [0; 4] {
        return;
    }
    let limit = limit_at_work(now, config);
    let entries = now.usage.entries;
    match evicted {
        0 => info!(%namespace, entries, expired, invalidated, replaced, vanished, "entries left"),
        _ => info!(
            %namespace, entries, evicted, limit, expired, invalidated, replaced, vanished,
            "entries left, evicted ones to keep the limit"
        ),
    }
}

/// The limit that is used up the most: the one that makes entries go.
fn limit_at_work(Stats { usage, .. }: &Stats, config: &Config) -> &'static str {
    let used =
        |used: u64, limit: Option<u64>| limit.map_or(0.0, |limit| used as f64 / limit as f64);
    let by_entries = used(usage.entries, config.max_entries());
    match by_entries >= used(usage.bytes, config.max_bytes()) {
        true => "max_entries",
        false => "max_bytes",
    }
}

#[cfg(test)]
mod tests {
    use inval_core::Usage;

    use super::*;

    #[test]
    fn the_limit_that_is_used_up_the_most_is_at_work() {
        let config = Config::builder().max_entries(100).max_bytes(10_000).build().unwrap();
        let check = |entries, bytes, want| {
            let stats = Stats { usage: Usage { entries, bytes }, ..Stats::default() };
            assert_eq!(limit_at_work(&stats, &config), want, "{entries} {bytes}");
        };
        check(95, 9_400, "max_entries");
        check(94, 9_500, "max_bytes");
        check(1, 5, "max_entries");
    }
}
