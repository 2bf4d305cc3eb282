//! How the suite gets its stores. As its checks wait most of the time, many run at once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use inval_core::Config;
use inval_core::keyspace::Keyspace;
use inval_core::testing::{CHECKS, Harness, run_check};
use inval_test_servers::{Reply, Server};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::managed::Managed;
use crate::support::patience::until;
use crate::support::site::{Site, roomy};

/// More would be late for what they wait for.
const AT_ONCE: usize = 12;
const LEASE: Duration = Duration::from_secs(60);

/// Stores on one server.
pub(crate) struct Flavoured {
    server: Arc<Server>,
    partitions: u32,
}

impl Flavoured {
    pub(crate) fn new(server: Arc<Server>, partitions: u32) -> Self {
        Self { server, partitions }
    }
}

impl Harness for Flavoured {
    type Store = Managed;

    const MOMENT: Duration = Duration::from_millis(800);
    /// The server's idle clock ticks in seconds.
    const ACCESS_GRAIN: Duration = Duration::from_millis(2200);
    const TTL_BESIDES_IDLE: bool = false;

    fn partitions(&self) -> u32 {
        self.partitions
    }

    async fn open(&self, config: Config, partitions: u32) -> Managed {
        let mut site = Site::new(Arc::clone(&self.server), roomy()).with(|options| {
            options.partitions = partitions;
            // Whoever loses the lease has to rebuild, and then counts from what is there.
            options.engine.lease = LEASE;
        });
        site.config = config;
        let managed = Managed::new(site.open().await);
        for partition in 0..partitions {
            let names = Keyspace::new(&site.namespace, partition);
            let tells = ["HEXISTS", names.accounts(), "entries"];
            let has_books = async || site.foreign(&tells) == Reply::Int(1);
            until("the manager has its books", has_books).await;
        }
        managed
    }

    async fn pass(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }
}

/// What came of each check: nothing, or what was wrong.
pub(crate) struct Outcomes(LazyLock<HashMap<&'static str, Option<String>>, Start>);

type Start = fn() -> HashMap<&'static str, Option<String>>;

impl Outcomes {
    pub(crate) const fn new(start: Start) -> Self {
        Self(LazyLock::new(start))
    }

    /// Panics if the check was not passed.
    pub(crate) fn assert(&self, check: &str) {
        if let Some(Some(failure)) = self.0.get(check) {
            panic!("{failure}");
        }
    }
}

/// Runs all checks; none where there is no server to run them on.
pub(crate) fn run(harness: Option<Flavoured>) -> HashMap<&'static str, Option<String>> {
    let Some(harness) = harness.map(Rc::new) else { return HashMap::new() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let set = LocalSet::new();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let tasks: Vec<_> = CHECKS
        .iter()
        .map(|&check| {
            let (harness, places) = (Rc::clone(&harness), Arc::clone(&places));
            let run = async move {
                let _place = places.acquire().await.unwrap();
                run_check(check, &*harness).await
            };
            (check, set.spawn_local(run))
        })
        .collect();
    runtime.block_on(set.run_until(async {
        let mut outcomes = HashMap::new();
        for (check, task) in tasks {
            let outcome = task.await.map_err(|panic| panic.to_string());
            let outcome =
                outcome.and_then(|outcome| outcome.map_err(|failure| failure.to_string()));
            outcomes.insert(check, outcome.err());
        }
        outcomes
    }))
}
