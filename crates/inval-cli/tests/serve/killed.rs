//! The daemon killed without a chance to tidy up, in each phase of its work: what the promises of a manager say then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use inval_core::engine::{Accounts, EngineSettings};
use inval_core::keyspace::Keyspace;
use inval_core::{Key, Put, PutOptions, Store};
use inval_redis::{Cache, Client, ConnectOptions};
use inval_test_servers::Server;
use serde_json::json;
use tokio::runtime::Runtime;

use super::daemon::{Daemon, until};
use crate::books::exact;

const NS: &str = "/v1/namespaces/users";
const LEASE_MS: i64 = 500;
const FILE: &str = "\
redis.lease = \"500ms\"
[namespaces.users]
strategy = \"lru\"
max_entries = 500
";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Rebuilding,
    Draining,
    Evicting,
    Expiring,
    Reconfiguring,
    Idle,
}

const PHASES: [Phase; 6] = [
    Phase::Rebuilding,
    Phase::Draining,
    Phase::Evicting,
    Phase::Expiring,
    Phase::Reconfiguring,
    Phase::Idle,
];

#[test]
fn killed_in_any_phase_it_is_replaced_and_the_books_are_exact_again() {
    let runtime = Runtime::new().unwrap();
    for phase in PHASES {
        let server = Server::redis().unwrap();
        if phase == Phase::Rebuilding {
            fill_behind_its_back(&server, 30_000);
        }
        let store = ["--store", &server.url()];
        let mut daemon = Daemon::with_config(FILE, &store);
        let (client, cache) = runtime.block_on(attach(&server));
        let writers = Writers::start(&runtime, cache.clone(), phase);
        wait_for(phase, &daemon, || runtime.block_on(cache.accounts(0)).unwrap());
        daemon.signal("KILL");
        daemon.wait();

        let names = Keyspace::new(&"users".parse().unwrap(), 0);
        let remaining = server.command(&["PTTL", names.lease()]).unwrap().int().unwrap();
        assert!(remaining <= LEASE_MS, "{phase:?}: the lease lasts for {remaining} ms");
        until("the lease has lapsed by itself", || {
            (server.command(&["EXISTS", names.lease()]).unwrap().int().unwrap() == 0).then_some(())
        });
        let token = runtime.block_on(cache.accounts(0)).unwrap().token;
        let next = Daemon::with_config(FILE, &store);
        until("another has taken over", || {
            (next.get("/v1/ready").status == 200
                && runtime.block_on(cache.accounts(0)).unwrap().token == token + 1)
                .then_some(())
        });
        writers.stop(&runtime);
        let stats = runtime.block_on(exact(&client, &cache));
        assert!(stats.usage.entries <= 500, "{phase:?}: {stats:?}");
        only_what_is_documented_is_left(&server, phase);
    }
}

/// Entries that no journal tells of, so that a manager has something to rebuild.
fn fill_behind_its_back(server: &Server, count: u32) {
    let script =
        "for i = 1, ARGV[1] do redis.call('SET', 'inval:{users:0}:k:old' .. i, 'value') end";
    server.command(&["EVAL", script, "0", &count.to_string()]).unwrap();
}

async fn attach(server: &Server) -> (Client, Cache) {
    let target = server.url().parse().unwrap();
    let client = Client::connect(&target, ConnectOptions::default()).await.unwrap();
    let users = "users".parse().unwrap();
    let cache = Cache::attach(client.clone(), users, EngineSettings::default()).await.unwrap();
    (client, cache)
}

/// Waits until the daemon is in the midst of what it is to be killed in.
fn wait_for(phase: Phase, daemon: &Daemon, accounts: impl Fn() -> Accounts) {
    let before = accounts();
    let has_done = |done: fn(&Accounts) -> u64| {
        until("it is at work", || (done(&accounts()) > done(&before)).then_some(()));
    };
    match phase {
        Phase::Rebuilding => until("it rebuilds", || {
            let state = daemon.get("/v1/ready").json()["namespaces"][0]["state"].clone();
            (state == "rebuilding").then_some(())
        }),
        Phase::Draining => has_done(|accounts| accounts.drained),
        Phase::Evicting => has_done(|accounts| accounts.stats.evicted.entries),
        Phase::Expiring => has_done(|accounts| accounts.stats.expired.entries),
        Phase::Reconfiguring => {
            has_done(|accounts| accounts.drained);
            let mut connection = daemon.connect();
            let body = json!({"max_entries": 400}).to_string();
            let head = format!(
                "PATCH {NS} HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            // Whether it is carried out before the end is left open.
            connection.write(head.as_bytes()).unwrap();
        }
        Phase::Idle => until("there is nothing to do", || {
            (daemon.get("/v1/ready").status == 200).then_some(())
        }),
    }
}

/// Nothing is left of a manager but what the keyspace's description names.
fn only_what_is_documented_is_left(server: &Server, phase: Phase) {
    let names = server.command(&["KEYS", "*"]).unwrap();
    let inval_test_servers::Reply::Array(names) = names else { panic!("{names:?}") };
    let known = ["{users:0}:k:", "{users:0}:j", "{users:0}:a", "{users:0}:s", "{users:0}:lease"];
    for name in names {
        let inval_test_servers::Reply::Bulk(name) = name else { panic!("{name:?}") };
        let name = String::from_utf8(name).unwrap();
        let own = name.strip_prefix("inval:").unwrap();
        let is_known = own == "{users}:config" || known.iter().any(|kind| own.starts_with(kind));
        assert!(is_known, "{phase:?}: {name}");
    }
}

/// Writes of every kind that go on whatever becomes of the manager.
struct Writers {
    is_over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Writers {
    fn start(runtime: &Runtime, cache: Cache, phase: Phase) -> Self {
        let is_over = Arc::new(AtomicBool::new(phase == Phase::Idle));
        let task = runtime.spawn(write(cache, Arc::clone(&is_over)));
        Self { is_over, task }
    }

    fn stop(self, runtime: &Runtime) {
        self.is_over.store(true, Ordering::Relaxed);
        runtime.block_on(self.task).unwrap();
    }
}

async fn write(cache: Cache, is_over: Arc<AtomicBool>) {
    let key = |number: u32| Key::new(format!("new{number}").as_bytes()).unwrap();
    for round in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let first = round % 100 * 10;
        let value = Bytes::from_static(b"value");
        let entries: Vec<_> = (first..first + 10).map(|n| (key(n), value.clone())).collect();
        assert!(
            cache.put_many(&entries, None).await.unwrap().iter().all(|put| *put == Put::Stored)
        );
        let brief = PutOptions { ttl: Some(Duration::from_millis(50)), ..PutOptions::default() };
        let _ = cache.put(&key(first + 5), value, brief).await.unwrap();
        cache.invalidate(&[key(first)]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
