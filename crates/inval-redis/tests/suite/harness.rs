//! How the suite gets its stores. As its checks wait most of the time, many run at once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use inval_core::Config;
use inval_core::keyspace::Keyspace;
use inval_core::testing::{CHECKS, Harness, run_check};
use inval_test_servers::{Reply, Server};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::managed::Managed;
use crate::support::patience::until;
use crate::support::site::{Site, roomy, valkey_world, world};

/// More would be late for what they wait for.
const AT_ONCE: usize = 16;
/// Whoever loses the lease has to rebuild, and then counts from what is there.
const LEASE: Duration = Duration::from_secs(60);

/// Stores on one server.
struct Flavoured {
    server: Arc<Server>,
    partitions: u32,
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
type Outcomes = HashMap<&'static str, Option<String>>;

/// What came of the suite on Redis, on Redis in three partitions, and likewise on Valkey.
static OUTCOMES: LazyLock<[Outcomes; 4]> = LazyLock::new(|| {
    let redis = |partitions| Some(Flavoured { server: world(), partitions });
    let valkey = |partitions| Some(Flavoured { server: valkey_world()?, partitions });
    thread::scope(|scope| {
        [redis(1), redis(3), valkey(1), valkey(3)]
            .map(|harness| scope.spawn(|| harness.map_or_else(Outcomes::new, run)))
            .map(|thread| thread.join().unwrap())
    })
});

/// Panics if a check was not passed. All run at once when the first is asked for; where there is no
/// Valkey, none of it is.
pub(crate) fn assert_passed(kind: usize, check: &str) {
    if let Some(Some(failure)) = OUTCOMES[kind].get(check) {
        panic!("{failure}");
    }
}

fn run(harness: Flavoured) -> Outcomes {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (harness, places) = (Rc::new(harness), Rc::new(Semaphore::new(AT_ONCE)));
    let set = LocalSet::new();
    let begin = |check| {
        let (harness, places) = (Rc::clone(&harness), Rc::clone(&places));
        let run = async move {
            let _place = places.acquire().await.unwrap();
            run_check(check, &*harness).await
        };
        (check, set.spawn_local(run))
    };
    let tasks: Vec<_> = CHECKS.iter().map(|&check| begin(check)).collect();
    runtime.block_on(set.run_until(async {
        let mut outcomes = Outcomes::new();
        for (check, task) in tasks {
            let outcome = task.await.map_err(|panic| panic.to_string());
            let outcome = outcome.and_then(|passed| passed.map_err(|failure| failure.to_string()));
            outcomes.insert(check, outcome.err());
        }
        outcomes
    }))
}
