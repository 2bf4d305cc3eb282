//! Promise 3: how far usage may be above a limit while a manager is alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use inval_core::{RemovalCause, Store};
use inval_redis::Cache;
use inval_test_servers::{Connection, Reply};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::{PATIENCE, until};
use crate::support::site::{Site, key, limited, own_server};
use crate::support::values::{fill, name};

const LIMIT: u32 = 1000;
const SAMPLES: u32 = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_3_usage_stays_at_the_limit_but_for_the_backlog() {
    // So small a budget gives batches of a few entries.
    let site = Site::new(own_server(&[]), limited(LIMIT.into())).with(|options| {
        options.engine.script_budget = Duration::from_micros(50);
    });
    let most = most_above_limit(&site, 5).await;
    // Above the limit no more is read from the journal than a few batches.
    assert!(most.beyond_backlog <= 500, "{most:?}");
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    assert_eq!(exact(&client, &cache).await.usage.entries, LIMIT.into());
    manager.stop().await;
}

/// Where they write more than it can read, they are slowed down: a journal that is dropped would have
/// the manager rebuild, and be outrun again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_3_writers_cannot_outrun_a_manager() {
    let site = Site::new(own_server(&[]), limited(LIMIT.into())).with(|options| {
        options.journal_cap = 20_000;
    });
    let most = most_above_limit(&site, 200).await;
    assert!(most.beyond_backlog <= 3000, "{most:?}");
    let cache = site.open().await;
    assert_eq!(
        cache.accounts(0).await.unwrap().stats.dropped_journals,
        0,
        "no journal was dropped"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_3_with_a_headroom_the_limit_is_a_hard_ceiling() {
    for at_once in [5, 500] {
        let site = Site::new(own_server(&[]), limited(LIMIT.into())).with(|options| {
            options.engine.headroom = 0.4;
        });
        let most = most_above_limit(&site, at_once).await;
        assert!(most.beyond_limit <= 0, "{most:?}");
    }
}

/// What is read late, and gone by then, is neither taken for something new nor counted again.
#[tokio::test]
async fn promise_3_what_was_evicted_under_a_backlog_is_counted_once() {
    let site = Site::shared(limited(16));
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'z', 0..1, 10).await;
    exact(&client, &cache).await;
    for round in 0..20 {
        fill(&cache, 'k', round * 200..round * 200 + 200, 10).await;
        until("the backlog is gone", async || site.journal_len() == 0).await;
    }
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.inserted.entries, 4001);
    assert_eq!(stats.removed(RemovalCause::Evicted).entries, 4001 - 16);
    assert_eq!(cache.accounts(0).await.unwrap().stats.repaired, 0);
    manager.stop().await;
}

/// How far usage was above the limit.
#[derive(Debug)]
#[allow(dead_code, reason = "all of it is shown by a failure")]
struct Most {
    beyond_limit: i64,
    beyond_backlog: i64,
    backlog: i64,
    written: u32,
}

/// Four clients write as fast as they can, so many at once, and a manager does what it can. Looks at the
/// server all the while.
async fn most_above_limit(site: &Site, at_once: u32) -> Most {
    let manager = manage(&site.open().await);
    let names = site.names();
    let has_books = ["HEXISTS", names.accounts(), "entries"];
    until("it manages", async || site.foreign(&has_books) == Reply::Int(1)).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let written = Arc::new(AtomicU32::new(0));
    let mut writers = Vec::new();
    for letter in ['a', 'b', 'c', 'd'] {
        let (cache, is_over, written) =
            (site.open().await, Arc::clone(&is_over), Arc::clone(&written));
        writers.push(tokio::spawn(write_until(cache, letter, at_once, is_over, written)));
    }
    let mut connection = site.connection();
    let (beyond_limit, beyond_backlog) = (i64::MIN, i64::MIN);
    let mut most = Most { beyond_limit, beyond_backlog, backlog: 0, written: 0 };
    let (mut samples, began) = (0, Instant::now());
    // On a busy machine it takes longer until the limit is in question.
    while samples < SAMPLES || written.load(Ordering::Relaxed) <= 4 * LIMIT {
        assert!(began.elapsed() < PATIENCE, "the limit was never in question: {most:?}");
        samples += 1;
        let (entries, backlog) = key_count(&mut connection, site);
        let above = entries - i64::from(LIMIT);
        most.beyond_limit = most.beyond_limit.max(above);
        most.beyond_backlog = most.beyond_backlog.max(above - backlog);
        most.backlog = most.backlog.max(backlog);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    most.written = written.load(Ordering::Relaxed);
    drop(manager);
    most
}

async fn write_until(
    cache: Cache,
    letter: char,
    at_once: u32,
    is_over: Arc<AtomicBool>,
    written: Arc<AtomicU32>,
) {
    let mut next = 0;
    while !is_over.load(Ordering::Relaxed) {
        let keys = (next..next + at_once).map(|n| key(&name(letter, n)));
        let entries: Vec<_> = keys.map(|key| (key, Bytes::from_static(b"value"))).collect();
        cache.put_many(&entries, None).await.unwrap();
        next += at_once;
        written.fetch_add(at_once, Ordering::Relaxed);
    }
}

/// How many entries there are on a server that has nothing else, and the backlog, at one instant.
fn key_count(connection: &mut Connection, site: &Site) -> (i64, i64) {
    let names = site.names();
    let mut ask = |words: &[&str]| connection.command(words).unwrap();
    ask(&["MULTI"]);
    ask(&["DBSIZE"]);
    ask(&["EXISTS", names.journal(), names.accesses(), names.lease(), names.accounts()]);
    ask(&["LLEN", names.journal()]);
    let replies = ask(&["EXEC"]);
    let [all, ours, backlog] = [0, 1, 2].map(|n| replies.items()[n].int().unwrap());
    // The configuration is there throughout.
    (all - ours - 1, backlog)
}
