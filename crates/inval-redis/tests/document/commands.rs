//! What is sent for each operation, as the server sees it.

use std::time::Duration;

use inval_core::{Config, Store};
use inval_redis::Cache;

use crate::support::patience::until;
use crate::support::site::{Site, key, own_server, roomy};
use crate::support::transcript::Transcript;
use crate::support::values::{fill, get, names, put};

/// What clients sent while `work` was done, in words of which the names are cut to what follows the braces.
async fn sent(site: &Site, work: impl AsyncFnOnce()) -> Vec<String> {
    let transcript = Transcript::of(site.server());
    work().await;
    let lines = transcript.end(site.server());
    let prefix = format!("inval:{{{}:0}}:", site.namespace);
    let ours = lines.into_iter().filter(|line| !line.by_administrator && !line.by_script);
    ours.map(|line| line.words.join(" ").replace(&prefix, "")).collect()
}

/// Once a second or so a client tells of what it has read, and looks at the configuration. Apart from that, `work`
/// sends just this.
async fn check(site: &Site, work: impl AsyncFn(), want: &[&str]) {
    let mut seen = Vec::new();
    until("just this is sent", async || {
        seen = sent(site, async || work().await).await;
        let is_report = |line: &str| {
            ["HINCRBY s", "HGET s", "GET inval:"].iter().any(|begin| line.starts_with(begin))
        };
        seen.iter().any(|line| is_report(line)) || seen == want || {
            panic!("sent was {seen:?}, expected {want:?}")
        }
    })
    .await;
    until("just this is sent, without a report", async || {
        seen = sent(site, async || work().await).await;
        seen == want
    })
    .await;
}

async fn warm(site: &Site) -> Cache {
    let cache = site.open().await;
    put(&cache, "k", "value").await;
    get(&cache, "k").await;
    cache
}

#[tokio::test]
async fn a_read_is_one_get_and_nothing_else() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = warm(&site).await;
    check(&site, async || drop(get(&cache, "k").await), &["GET k:k"]).await;
    check(&site, async || drop(get(&cache, "none").await), &["GET k:none"]).await;
    let keys = [key("k"), key("none")];
    let many = async || drop(cache.get_many(&keys).await.unwrap());
    check(&site, many, &["MGET k:k k:none"]).await;
    let many = async || {
        for _ in 0..50 {
            get(&cache, "k").await;
        }
    };
    check(&site, many, &["GET k:k"; 50]).await;
}

#[tokio::test]
async fn with_a_time_to_idle_a_read_is_one_getex() {
    let idle = Config::builder().time_to_idle(Duration::from_secs(60));
    let site = Site::new(own_server(&[]), idle);
    let cache = warm(&site).await;
    check(&site, async || drop(get(&cache, "k").await), &["GETEX k:k PX 60000"]).await;
}

#[tokio::test]
async fn a_write_is_one_transaction() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = warm(&site).await;
    let written = ["MULTI", "SET k:k value", "RPUSH j 1p 5 - k", "EXEC"];
    check(&site, async || put(&cache, "k", "value").await, &written).await;
    let keys = [key("k"), key("l")];
    let invalidated = ["MULTI", "UNLINK k:k k:l", "RPUSH j 1d k 1d l", "EXEC"];
    check(&site, async || assert!(cache.invalidate(&keys).await.is_ok()), &invalidated).await;
    check(&site, async || assert!(cache.contains(&key("k")).await.is_ok()), &["EXISTS k:k"]).await;
    check(&site, async || assert!(cache.lifetime(&key("k")).await.is_ok()), &["PTTL k:k"]).await;
    let asked = ["OBJECT IDLETIME k:k", "PTTL k:k"];
    check(&site, async || assert!(cache.inspect(&key("k")).await.is_ok()), &asked).await;
}

/// The document's table of names is complete.
#[tokio::test]
async fn nothing_but_the_documented_names_is_on_the_server() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = site.open().await;
    fill(&cache, 'k', 0..10, 10).await;
    cache
        .get_many(&names('k', 0..10).iter().map(|name| key(name)).collect::<Vec<_>>())
        .await
        .unwrap();
    cache.stats().await.unwrap();
    crate::support::managers::maintain(&cache).await;
    let all = site.foreign(&["KEYS", "*"]);
    let partition = site.names();
    let config = format!("inval:{{{}}}:config", site.namespace);
    let known = [
        partition.journal(),
        partition.accesses(),
        partition.lease(),
        partition.accounts(),
        &config,
    ];
    for name in all.items().iter().map(|name| name.text().unwrap()) {
        let is_entry = name.starts_with(partition.entries());
        assert!(is_entry || known.contains(&name), "{name}");
    }
}
