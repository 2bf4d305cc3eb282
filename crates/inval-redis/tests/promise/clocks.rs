//! Promise 10: no clock but the server's own counts, and it is never told a time.
//!
//! What the engine makes of a server's clock that jumps is tested in inval-core's simulated world, and here once on a
//! server whose clock the test sets.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use inval_core::{Config, PutCondition, Store, Strategy};
use inval_test_servers::{Options, Reply, Server};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::until;
use crate::support::site::{Site, key, limited, own_server};
use crate::support::transcript::{Line, Transcript};
use crate::support::values::{fill, fill_for, get, put, put_for, put_if};

#[tokio::test]
async fn promise_10_no_command_carries_an_absolute_time() {
    let site = Site::new(own_server(&[]), limited(50));
    let idle = Config::builder().max_entries(50).time_to_idle(Duration::from_secs(60));
    let idle_site = Site::new(Arc::clone(site.server()), idle);
    let transcript = Transcript::of(site.server());
    for site in [&site, &idle_site] {
        let (cache, client) = (site.open().await, site.client().await);
        let manager = manage(&cache);
        use_everything(&cache).await;
        exact(&client, &cache).await;
        manager.stop().await;
    }
    let ttl = Config::builder().ttl(Duration::from_secs(60));
    let cache = Site::new(Arc::clone(site.server()), ttl).open().await;
    put(&cache, "k", "value").await;
    put_for(&cache, "k", "value", Duration::from_secs(5)).await;

    let lines = transcript.end(site.server());
    let mut lifetimes = 0;
    for line in lines.iter().filter(|line| !line.by_administrator) {
        check(line);
        lifetimes += line.words.iter().filter(|word| *word == "PX").count();
    }
    assert!(lifetimes > 10, "nothing was seen");
}

/// Found by breaking it on purpose: an access from before lay in the future then, which looked like 194 days ago.
#[tokio::test]
async fn promise_10_what_is_read_stays_when_the_servers_clock_is_set() {
    let server = Arc::new(Server::start(Options::redis().with_clock()).unwrap());
    for offset_ms in [-3_600_000, -7_200_000, 0, -1_500] {
        let site = Site::new(Arc::clone(&server), limited(200).strategy(Strategy::Lru));
        let (cache, client) = (site.open().await, site.client().await);
        let manager = manage(&cache);
        fill(&cache, 'k', 0..200, 10).await;
        // Longer than the error of the idle clock.
        until("they are cold", async || idle_time(&site, "k00000") >= Some(3)).await;
        for n in 0..100 {
            if n == 20 {
                server.shift_clock(offset_ms).unwrap();
            }
            // Nobody tells the manager of this read.
            let found = site.foreign_of("GET", "k00000", &[]);
            assert_ne!(found, Reply::Nil, "clock set to {offset_ms} ms, {n}");
            fill(&cache, 'n', n..n + 1, 10).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(exact(&client, &cache).await.usage.entries, 200);
        manager.stop().await;
    }
}

/// How long ago the server saw an entry accessed, in seconds.
fn idle_time(site: &Site, key: &str) -> Option<i64> {
    let names = site.names();
    let name = names.entry(key.as_bytes());
    site.server().command(&[&b"OBJECT"[..], b"IDLETIME", &name]).unwrap().int()
}

async fn use_everything(cache: &inval_redis::Cache) {
    let has_ttls = cache.config().time_to_idle().is_none();
    fill(cache, 'k', 0..100, 10).await;
    if has_ttls {
        fill_for(cache, 'x', 0..20, 10, Some(Duration::from_millis(20))).await;
        let expired = async || get(cache, "x00000").await.is_none();
        until("it expires", expired).await;
    }
    let _put = put_if(cache, "k00001", "v", PutCondition::IfAbsent, None).await;
    let _put = put_if(cache, "k00001", "v", PutCondition::IfPresent, None).await;
    get(cache, "k00099").await;
    cache.get_many(&[key("k00098"), key("k00097")]).await.unwrap();
    cache.contains(&key("k00096")).await.unwrap();
    cache.lifetime(&key("k00096")).await.unwrap();
    cache.invalidate(&[key("k00095")]).await.unwrap();
    cache.clear().await.unwrap();
    fill(cache, 'k', 0..100, 10).await;
}

/// Nothing but lifetimes is given in time, and none is as long as the time since 1970. Only a step says
/// for its candidates when the server itself last saw them read, in its own seconds.
fn check(line: &Line) {
    let command = line.command();
    assert!(!["EXPIREAT", "PEXPIREAT", "RESTORE"].contains(&&*command), "{line:?}");
    let absolute = ["EXAT", "PXAT", "ABSTTL"];
    assert!(!line.words.iter().any(|word| absolute.contains(&&**word)), "{line:?}");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let is_time = |word: &&String| {
        word.parse::<u64>().is_ok_and(|number| number > now / 2 && number < now * 2_000_000)
    };
    if command != "EVALSHA" {
        assert_eq!(line.words.iter().find(is_time), None, "{line:?}");
    }
}
