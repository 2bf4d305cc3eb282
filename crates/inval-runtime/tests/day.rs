//! A day in simulated time: four caches under diurnal load, one of which fails for an hour, with limits that change.
#![cfg(test)]

#[path = "support/refusing.rs"]
mod refusing;

#[path = "day/troubled.rs"]
mod troubled;

use std::sync::Arc;
use std::time::Duration;

use inval_core::pacing::PacingSettings;
use inval_core::{Config, ConfigBuilder, Key, RemovalCause, Strategy, Usage};
use inval_runtime::{Event, Manager, NamespaceHealth};
use tokio::time::{Instant, sleep, sleep_until};

use troubled::Troubled;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
/// When the cache `broken` fails.
const OUTAGE: std::ops::Range<u64> = 10 * HOUR..11 * HOUR;
/// When the limit of `pages` is lowered to a tenth, and when it is raised again.
const LOWERED: u64 = 14 * HOUR;
const RAISED: u64 = 20 * HOUR;

struct World {
    manager: Manager<Troubled>,
    stores: Vec<(&'static str, Arc<Troubled>)>,
    begun: Instant,
    random: fastrand::Rng,
    written: u64,
}

/// As slow as it may be, for there are many seconds in a day.
fn pacing() -> PacingSettings {
    let (max_lag, max_interval) = (Duration::from_secs(2), Duration::from_secs(1));
    PacingSettings { max_lag, max_interval, ..PacingSettings::default() }
}

fn entries(most: u64) -> ConfigBuilder {
    Config::builder().max_entries(most)
}

fn configs() -> [(&'static str, ConfigBuilder); 4] {
    let seconds = Duration::from_secs;
    [
        ("broken", entries(2_000).ttl(seconds(120)).strategy(Strategy::Lfu)),
        ("pages", Config::builder().max_bytes(400_000).ttl(seconds(900))),
        ("sessions", entries(5_000).time_to_idle(seconds(300)).strategy(Strategy::Lru)),
        ("sparse", entries(100).ttl(seconds(20)).strategy(Strategy::Sieve)),
    ]
}

impl World {
    async fn new() -> Self {
        let manager = Manager::builder().pacing(pacing()).start().unwrap();
        let mut stores = Vec::new();
        for (name, config) in configs() {
            let store = Troubled::new(config.build().unwrap());
            manager.add(name.parse().unwrap(), Arc::clone(&store)).await.unwrap();
            stores.push((name, store));
        }
        let random = fastrand::Rng::with_seed(7);
        Self { manager, stores, begun: Instant::now(), random, written: 0 }
    }

    fn store(&self, name: &str) -> &Arc<Troubled> {
        &self.stores.iter().find(|(other, _)| *other == name).unwrap().1
    }

    /// The load of one second: little at night, much at noon, and a burst that expires together at every full hour.
    fn load(&mut self, second: u64) {
        let hour = second as f64 / HOUR as f64;
        let daylight = (1.0 - (hour / 12.0 * std::f64::consts::PI).cos()) / 2.0;
        for at in 0..self.stores.len() {
            let (name, store) = self.stores[at].clone();
            let requests = match name {
                "sparse" => u64::from(second.is_multiple_of(30)),
                "pages" if second % HOUR == 60 => 3_000,
                _ => (4.0 * daylight) as u64,
            };
            for _ in 0..requests {
                let key = Key::new(&self.random.u32(..10_000).to_le_bytes()).unwrap();
                let size = self.random.usize(20..200);
                self.written += u64::from(store.request(key, size));
            }
        }
    }

    async fn health(&self, name: &str) -> NamespaceHealth {
        let all = self.manager.health().await;
        all.into_iter().find(|health| health.namespace.as_str() == name).unwrap()
    }

    /// Nothing is late, and everything keeps to its limits, but for what cannot.
    async fn check(&self, second: u64) {
        let max_lag = pacing().max_lag;
        for (name, store) in &self.stores {
            if *name == "broken" && OUTAGE.contains(&second) {
                continue;
            }
            let health = self.health(name).await;
            assert!(health.lag() <= max_lag, "{name} is {:?} late at {second} s", health.lag());
            assert!(health.is_ready(), "{name} at {second} s");
            let lateness = store.take_lateness();
            let is_outage_over =
                *name != "broken" || !(OUTAGE.end..OUTAGE.end + 60).contains(&second);
            assert!(lateness <= max_lag || !is_outage_over, "{name} at {second} s: {lateness:?}");
            let (usage, config) = (store.cache.usage(), store.cache.config());
            let is_within = |limit: Option<u64>, used: u64| limit.is_none_or(|limit| used <= limit);
            assert!(
                is_within(config.max_entries(), usage.entries),
                "{name} at {second} s: {usage:?}"
            );
            assert!(is_within(config.max_bytes(), usage.bytes), "{name} at {second} s: {usage:?}");
        }
    }

    async fn change_limits(&self, second: u64) {
        let (_, pages) = configs()[1];
        let config = match second {
            LOWERED => pages.max_bytes(40_000),
            RAISED => pages,
            _ => return,
        };
        let before = self.store("pages").cache.usage();
        self.manager.reconfigure("pages", &config.build().unwrap()).await.unwrap();
        if second == LOWERED {
            assert!(before.bytes > 40_000, "there is something to evict: {before:?}");
            sleep(pacing().max_lag).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_goes_by() {
    let mut world = World::new().await;
    let mut events = world.manager.events();
    for second in 0..DAY {
        sleep_until(world.begun + Duration::from_secs(second)).await;
        world.store("broken").set_broken(OUTAGE.contains(&second));
        world.change_limits(second).await;
        world.load(second);
        if second % 60 == 59 {
            world.check(second).await;
        }
        if second % HOUR == HOUR - 10 {
            world.stores.iter().for_each(|(_, store)| store.cache.validate().unwrap());
        }
        if second == OUTAGE.end - 1 {
            let health = world.health("broken").await;
            assert!(!health.is_ready());
            let failures = health.totals().failures / health.partitions.len() as u64;
            assert!((100..4_000).contains(&failures), "{failures} attempts within the hour");
        }
    }
    let report = world.manager.shutdown(Duration::from_secs(5)).await;
    assert!(report.is_clean() && report.left.is_empty(), "{report:?}");

    let mut told = (0, 0);
    while let Some(Ok(event)) = events.next().await {
        match event {
            Event::Failing { namespace, .. } => {
                assert_eq!(namespace.as_str(), "broken");
                told.0 += 1;
            }
            Event::Recovered { .. } => told.1 += 1,
            _ => {}
        }
        if told.0 > 0 && told.0 == told.1 {
            break;
        }
    }
    assert!(told.0 > 0 && told.0 == told.1, "failures and recoveries: {told:?}");
    check_accounts(&world);
}

/// Every entry that came in is there, or has left for one reason.
fn check_accounts(world: &World) {
    let mut inserted = 0;
    for (name, store) in &world.stores {
        let stats = store.cache.stats();
        let mut accounted = stats.usage;
        accounted += stats.removed_in_all();
        assert_eq!(accounted, stats.inserted, "{name}");
        assert_eq!(stats.removed(RemovalCause::Vanished), Usage::default());
        assert!(stats.expired.entries > 0, "{name}");
        inserted += stats.inserted.entries;
    }
    assert_eq!(inserted, world.written);
    assert!(world.store("pages").cache.stats().evicted.entries > 0);
}
