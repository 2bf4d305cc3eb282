//! What a store knows reaches whoever asks, from any process, in one round trip.

use std::sync::Arc;
use std::time::Duration;

use inval_core::{Budget, Slice, Standing, Store, Strategy};
use inval_test_servers::{Fault, Options, Server, Who};

use crate::support::books::exact;
use crate::support::managers::manage;
use crate::support::patience::{settle, until};
use crate::support::site::{Site, limited, own_server, roomy};
use crate::support::values::{fill, fill_for, get, name, put};

#[tokio::test]
async fn ages_and_the_peak_are_told_to_all_and_survive_a_change_of_manager() {
    let site = Site::shared(limited(100).strategy(Strategy::Lru));
    let (client, reader) = (site.client().await, site.open().await);
    let cache = site.open().await;
    let manager = manage(&cache);
    exact(&client, &cache).await;
    for round in 0..5 {
        fill(&reader, 'k', round * 100..(round + 1) * 100, 10).await;
    }
    let stats = exact(&client, &reader).await;
    assert_eq!(stats.evicted.entries, 400);
    assert_eq!((stats.evicted_age.count(), stats.evicted_idle.count()), (400, 400));
    assert!((100..=500).contains(&stats.peak.entries), "{:?}", stats.peak);
    let hash = site.foreign(&["HLEN", site.names().accounts()]).int().unwrap();
    assert!(hash <= 128, "{hash} fields, more than are kept as one string");
    manager.stop().await;
    drop(cache);
    let next = site.open().await;
    let manager = manage(&next);
    until("it has taken over", async || site.has_lease()).await;
    // The books are looked through, which leaves what was counted as it was.
    settle("the same is told", async || {
        let told = reader.stats().await.map_err(|error| error.to_string())?;
        (told == stats).then_some(()).ok_or(format!("{told:?}, before {stats:?}"))
    })
    .await;
    assert_eq!(exact(&client, &next).await, stats);
    manager.stop().await;
}

#[tokio::test]
async fn whatever_somebody_wrote_into_the_accounts_is_no_harm() {
    let site = Site::shared(limited(100).strategy(Strategy::Lru));
    let (cache, client) = (site.open().await, site.client().await);
    for (field, value) in [
        ("age_3", "many"),
        ("age_41", "-1"),
        ("idle_sum", ""),
        ("age_99", "7"),
        ("peak_bytes", "1e9"),
    ] {
        site.foreign(&["HSET", site.names().accounts(), field, value]);
    }
    site.foreign(&["HSET", site.names().accounts(), "idle_7", "18446744073709551615"]);
    let manager = manage(&cache);
    exact(&client, &cache).await;
    fill(&cache, 'k', 0..200, 10).await;
    let stats = exact(&client, &cache).await;
    assert_eq!((stats.usage.entries, stats.evicted_age.count()), (100, 100));
    assert!(stats.evicted_idle.quantile(0.5).is_some());
    manager.stop().await;
}

#[tokio::test]
async fn repairs_and_dropped_journals_are_told() {
    let site = Site::shared(roomy()).with(|options| options.journal_cap = 50);
    let cache = site.open().await;
    site.foreign(&["RPUSH", site.names().journal(), "nobody can read this"]);
    let manager = manage(&cache);
    until("it was seen", async || cache.stats().await.unwrap().poisoned == 1).await;
    assert!(site.foreign_of("SET", "untold", &["x"]).is_ok());
    until("it was found", async || cache.stats().await.unwrap().repaired == 1).await;
    manager.stop().await;
    fill(&cache, 'k', 0..200, 10).await;
    assert_eq!(cache.stats().await.unwrap().dropped_journals, 1);
}

/// How often a server has carried out a command since its statistics were reset.
pub(super) fn calls(server: &Server, command: &str) -> u64 {
    let stats = server.info("commandstats").unwrap();
    let Some(stats) = stats.get(&format!("cmdstat_{command}")) else { return 0 };
    let calls = stats.split(',').find_map(|field| field.strip_prefix("calls="));
    calls.unwrap().parse().unwrap()
}

/// Held back is every answer until all has been asked.
#[tokio::test]
async fn statistics_take_one_round_trip_whatever_there_is_to_tell() {
    let server = Arc::new(Server::start(Options::redis().behind_a_door()).unwrap());
    let door = server.door().unwrap();
    let mut site = Site::new(Arc::clone(&server), roomy());
    site.options.partitions = 8;
    let cache = site.open().await;
    let mut reads = 0;
    let mut round = async |absent: u32| {
        cache.stats().await.unwrap();
        for n in 0..absent {
            get(&cache, &format!("absent {n}")).await;
        }
        reads += u64::from(absent);
        assert!(server.command(&["CONFIG", "RESETSTAT"]).unwrap().is_ok());
        door.inflict(Who::All, Fault::StallAnswers);
        let asking = cache.clone();
        let reading = tokio::spawn(async move { asking.stats().await.unwrap() });
        until("all is asked", async || calls(&server, "hgetall") == 8).await;
        assert!(!reading.is_finished());
        let tells = calls(&server, "hincrby") > 0 && calls(&server, "hget") == 0;
        door.lift_all();
        let stats = reading.await.unwrap();
        assert_eq!(calls(&server, "hgetall"), 8, "nothing is asked twice");
        // Unless the client was telling by itself just then, as it does now and then.
        (tells, tells && stats.misses == reads)
    };
    assert_eq!(round(0).await, (false, false));
    until("reads are told along with the question", async || round(50).await == (true, true)).await;
}

#[tokio::test]
async fn reads_are_told_along_with_the_question_and_kept_if_they_are_refused() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = site.open().await;
    put(&cache, "k", "value").await;
    let name = site.names().accounts().to_owned();
    get(&cache, "k").await;
    until("it is told", async || cache.stats().await.unwrap().hits == 1).await;

    // A field that is no number: the hits are refused, the misses are not.
    site.foreign(&["HSET", &name, "hits", "many"]);
    for _ in 0..20 {
        get(&cache, "k").await;
        get(&cache, "none").await;
    }
    settle("the misses are told", async || {
        let stats = cache.stats().await.unwrap();
        ((stats.hits, stats.misses) == (0, 20)).then_some(()).ok_or(format!("{stats:?}"))
    })
    .await;
    site.foreign(&["HSET", &name, "hits", "1"]);
    settle("no hit is lost and no miss is told twice", async || {
        let stats = cache.stats().await.unwrap();
        ((stats.hits, stats.misses) == (21, 20)).then_some(()).ok_or(format!("{stats:?}"))
    })
    .await;
}

#[tokio::test]
async fn who_asks_and_does_not_wait_loses_no_reads() {
    let site = Site::shared(roomy());
    let cache = site.open().await;
    for n in 0..200 {
        get(&cache, "none").await;
        tokio::select! {
            biased;
            _ = cache.stats() => {}
            () = tokio::task::yield_now() => {}
        }
        assert!(cache.stats().await.unwrap().misses <= n + 1);
    }
    until("all are told", async || cache.stats().await.unwrap().misses == 200).await;
}

#[tokio::test]
async fn statistics_are_told_to_who_may_only_read() {
    let site = Site::new(own_server(&[]), roomy());
    let cache = site.open().await;
    let manager = manage(&cache);
    put(&cache, "k", "value").await;
    until("it is booked", async || cache.usage().await.unwrap().entries == 1).await;
    manager.stop().await;
    get(&cache, "k").await;
    assert!(site.foreign(&["ACL", "SETUSER", "default", "-hincrby"]).is_ok());
    assert_eq!(cache.stats().await.unwrap().usage.entries, 1);
}

/// One request to the server, and what is told then.
async fn step(cache: &inval_redis::Cache) -> Slice {
    cache.maintain(0, Budget::within(Duration::ZERO)).await.unwrap()
}

#[tokio::test]
async fn slices_tell_what_was_removed_and_end_with_their_budget() {
    let site = Site::shared(limited(100).strategy(Strategy::Ttl));
    let cache = site.open().await;
    fill(&cache, 'k', 0..2_100, 10).await;
    fill_for(&cache, 'x', 0..50, 10, Some(Duration::from_millis(20))).await;
    until("they expire", async || get(&cache, &name('x', 49)).await.is_none()).await;
    let little = Budget { entries: 10, ..Budget::within(Duration::from_secs(10)) };
    let (mut removed, mut slices, mut excess) = (0, 0, 0);
    until("all is done", async || {
        let slice = cache.maintain(0, little).await.unwrap();
        removed += slice.evicted + slice.expired;
        slices += u32::from(slice.evicted > 0);
        excess = excess.max(slice.excess.entries);
        removed >= 2_050
    })
    .await;
    assert_eq!(removed, 2_050, "each once");
    assert!(slices > 1, "evicted in one");
    assert!(excess > 0, "nothing was ever above the limit");
}

#[tokio::test]
async fn a_slice_tells_how_far_a_rebuild_is_and_how_the_servers_clock_is_set() {
    let site = Site::shared(roomy()).with(|options| options.engine.scan_count = 50);
    let first = site.open().await;
    let slice = step(&first).await;
    assert_eq!(slice.clock_offset_us, None, "nothing has told of it");
    let manager = manage(&first);
    fill(&first, 'k', 0..3_000, 10).await;
    until("all is booked", async || first.usage().await.unwrap().entries == 3_000).await;
    manager.stop().await;

    let second = site.open().await;
    let mut shares = Vec::new();
    let last = loop {
        let slice = step(&second).await;
        assert_eq!(slice.rebuilt.is_some(), slice.standing == Standing::Rebuilding);
        shares.extend(slice.rebuilt);
        if slice.standing == Standing::Steady {
            break slice;
        }
    };
    assert!(shares.is_sorted() && shares.iter().all(|share| (0.0..1.0).contains(share)));
    assert!(shares[0] == 0.0 && shares[shares.len() / 2] > 0.2, "{shares:?}");
    // It is the clock of this machine as well.
    let offset = last.clock_offset_us.unwrap();
    assert!(offset.unsigned_abs() < 60_000_000, "{offset} µs");
    second.release().await.unwrap();
}
