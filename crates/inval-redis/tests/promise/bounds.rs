//! Promises 7 and 8: what is added to the server is bounded, and so is what a script does at once.

use std::time::Duration;

use inval_core::{Store, Strategy};

use crate::support::books::exact;
use crate::support::managers::{maintain, manage};
use crate::support::patience::until;
use crate::support::site::{Site, limited, own_server, roomy};
use crate::support::transcript::{Line, Transcript};
use crate::support::values::{count, fill, fill_for, get, name, names};

#[tokio::test]
async fn promise_7_what_is_added_is_bounded_even_if_no_manager_is_alive() {
    let site = Site::shared(roomy()).with(|options| options.journal_cap = 500);
    let (cache, client) = (site.open().await, site.client().await);
    let mut longest = 0;
    for batch in 0..20 {
        fill(&cache, 'k', batch * 100..(batch + 1) * 100, 10).await;
        longest = longest.max(site.journal_len());
    }
    assert!(longest <= 500, "{longest} records");
    let before = cache.accounts(0).await.unwrap();
    assert!(before.stats.dropped_journals > 0, "a journal was dropped whole, and that is told");
    assert_eq!(before.stats.usage.entries, 0, "nobody has booked anything");

    // Nothing but values, a journal and the accounts: no key for each entry.
    let others = site.foreign(&["KEYS", &format!("inval:{{{}*", site.namespace)]);
    assert_eq!(others.items().len(), 2000 + 3);

    let manager = manage(&cache);
    assert_eq!(exact(&client, &cache).await.usage.entries, 2000, "half a journal is not trusted");
    manager.stop().await;
}

#[tokio::test]
async fn promise_7_touches_are_capped() {
    let site = Site::shared(limited(300));
    let cache = site.open().await;
    fill(&cache, 'k', 0..300, 10).await;
    // As a manager would ask that died since.
    site.foreign(&["HSET", site.names().accounts(), "touch_permille", "1000"]);
    let batches = || site.foreign(&["LLEN", site.names().accesses()]).int().unwrap();
    let mut pushed = 0;
    while pushed < 400 {
        get(&cache, &name('k', pushed % 300)).await;
        cache.accounts(0).await.unwrap();
        pushed += 1;
        assert!(batches() <= 256);
    }
    until("the cap is reached", async || batches() == 256).await;
}

#[tokio::test]
async fn promise_7_a_lease_expires_by_itself() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    let lease = i64::try_from(site.options.engine.lease.as_millis()).unwrap();
    let remaining = || site.foreign(&["PTTL", site.names().lease()]).int().unwrap();
    for _ in 0..20 {
        maintain(&cache).await;
        assert!((1..=lease).contains(&remaining()));
    }
    cache.release().await.unwrap();
    assert_eq!(remaining(), -2);
}

#[tokio::test]
async fn promise_8_no_script_handles_more_than_its_budget_allows() {
    // Eight candidates and one look are the least, whatever they cost; a thousand or so the most.
    check_batches(Duration::from_micros(1), 3 + 8 + 1).await;
    check_batches(Duration::from_millis(500), 3 + 1024 + 512).await;
}

/// Makes a manager evict, verify and rebuild a lot, and counts the keys of each of its scripts.
async fn check_batches(script_budget: Duration, most: usize) {
    let site = Site::new(own_server(&[]), limited(100).strategy(Strategy::Lru)).with(|options| {
        options.engine.script_budget = script_budget;
    });
    let (cache, client) = (site.open().await, site.client().await);
    fill(&cache, 'k', 0..1500, 10).await;
    site.foreign(&["DEL", site.names().journal()]);
    fill_for(&cache, 'x', 0..1000, 10, Some(Duration::from_millis(200))).await;
    let transcript = Transcript::of(site.server());
    let manager = manage(&cache);
    exact(&client, &cache).await;
    let (longest, held) = (manager.done().longest, manager.done().held);
    manager.stop().await;
    cache.clear().await.unwrap();

    let lines = transcript.end(site.server());
    let ours = |line: &&Line| !line.by_script && !line.by_administrator;
    let largest = |command: &str| {
        let of = lines.iter().filter(ours).filter(|line| line.command() == command);
        of.map(keys_of).max().unwrap_or(0)
    };
    println!("longest {longest:?}, in all {held:?}, of a budget of {script_budget:?} each");
    assert!(largest("EVALSHA") <= most, "{} keys", largest("EVALSHA"));
    assert!(largest("EVALSHA") > 3, "nothing was done");
    assert!(largest("EXISTS") <= 256, "{} keys counted at once", largest("EXISTS"));
    assert!(largest("UNLINK") <= 256, "{} keys deleted at once", largest("UNLINK"));
    for unbounded in ["KEYS", "FLUSHALL", "FLUSHDB", "SMEMBERS"] {
        assert!(!lines.iter().filter(ours).any(|line| line.command() == unbounded), "{unbounded}");
    }
}

fn keys_of(line: &Line) -> usize {
    match &*line.command() {
        "EVALSHA" => line.words[2].parse().unwrap(),
        _ => line.words.len() - 1,
    }
}

#[tokio::test]
async fn promise_8_an_expiry_burst_is_worked_off_in_few_bounded_steps() {
    const BURST: u32 = 50_000;
    let site = Site::new(own_server(&[]), roomy());
    let (cache, client) = (site.open().await, site.client().await);
    let manager = manage(&cache);
    fill(&cache, 'a', 0..100, 10).await;
    let ttl = Some(Duration::from_millis(2500));
    fill_for(&cache, 'x', 0..BURST, 10, ttl).await;
    exact(&client, &cache).await;
    let transcript = Transcript::of(site.server());
    let left = || site.foreign(&["DBSIZE"]).int().unwrap() < 200;
    until("all of them have expired", async || left()).await;
    let stats = exact(&client, &cache).await;
    assert_eq!(stats.usage.entries, 100);
    assert_eq!(
        stats.removed(inval_core::RemovalCause::Expired).entries,
        u64::from(BURST),
        "{stats:?}"
    );
    assert_eq!(count(&cache, &names('a', 0..100)).await, 100);
    manager.stop().await;
    // 256 names a command; some are looked at one by one, for they were a little early.
    let lines = transcript.end(site.server());
    let counting = lines.iter().filter(|line| line.command() == "EXISTS" && !line.by_administrator);
    let counted: Vec<usize> = counting.map(keys_of).filter(|keys| *keys > 1).collect();
    assert!(counted.iter().all(|keys| *keys <= 256));
    assert!(counted.len() < 2000, "{} commands for {BURST} entries", counted.len());
}
