//! How the suite gets its stores. As its checks wait most of the time, many run at once.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use inval_core::Config;
use inval_core::keyspace::Keyspace;
use inval_core::testing::{CHECKS, Harness, run_check};
use inval_redis::acl::{Layout, Reading, Role, Rules, Scope};
use inval_redis::{Cache, Client};
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
pub(crate) struct Flavoured {
    pub(crate) server: Arc<Server>,
    pub(crate) partitions: u32,
    /// The roles of those who read and who write, where they and the manager have users of their own.
    pub(crate) roles: Option<[Role; 2]>,
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
        let managed = match self.roles {
            None => Managed::new(site.open().await),
            Some([reads, writes]) => {
                let manager = as_user(&site, Role::Manager, config).await;
                let upkeep = Cache::open(manager, site.namespace.clone(), config, site.options);
                let upkeep = upkeep.await.unwrap();
                let readers = as_user(&site, reads, config).await;
                Managed::shared(readers, as_user(&site, writes, config).await, upkeep).await
            }
        };
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

/// A client of a user that may do in the namespace what its role needs, and nothing else.
async fn as_user(site: &Site, role: Role, config: Config) -> Client {
    let reading = if config.time_to_idle().is_some() { Reading::Idle } else { Reading::Plain };
    let layout = Layout::of(vec![Scope::from(&site.namespace)]);
    let layout = Layout { partitions: site.options.partitions, reading, ..layout };
    let user = format!("{role}-{}", site.namespace);
    let mut command =
        ["ACL", "SETUSER", &user, "reset", "on", ">password"].map(String::from).to_vec();
    command.extend(Rules::new(role, layout).words());
    assert!(site.foreign(&command).is_ok());
    let url = site.url.replace("redis://", &format!("redis://{user}:password@"));
    Client::connect(&url.parse().unwrap(), site.connect.clone()).await.unwrap()
}

/// What came of each check: nothing, or what was wrong.
pub(crate) type Outcomes = HashMap<&'static str, Option<String>>;

/// What came of the suite on Redis, on Redis in three partitions, and likewise on Valkey.
static OUTCOMES: LazyLock<[Outcomes; 4]> = LazyLock::new(|| {
    let redis = |partitions| Some(Flavoured { server: world(), partitions, roles: None });
    let valkey = |partitions| Some(Flavoured { server: valkey_world()?, partitions, roles: None });
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

/// Runs all checks at once.
pub(crate) fn run(harness: Flavoured) -> Outcomes {
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
