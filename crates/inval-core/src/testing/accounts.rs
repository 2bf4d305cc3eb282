//! Checks on usage and statistics.

use super::Harness;
use super::failure::{Outcome, expect};
use super::trial::{Trial, failed, names};
use crate::config::Config;
use crate::stats::{Stats, Usage};
use crate::store::Store;

/// What every entry of the script weighs: a name of 5 bytes and this value.
const VALUE: &[u8] = b"hello world";
const WEIGHT: u64 = 16;

pub(super) async fn usage_is_the_sum_of_keys_and_values<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let settled = async |what: &str, entries: u64, bytes: u64| {
        let want = Usage { entries, bytes };
        trial.settle(what, |stats| stats.usage == want).await.map(|_| ())
    };
    settled("an empty store holds nothing", 0, 0).await?;
    trial.put("key", "value").await?;
    trial.put("k", "").await?;
    settled("9 bytes in 2 entries", 2, 9).await?;
    trial.put("key", "a longer value").await?;
    settled("18 bytes after a longer value", 2, 18).await?;
    trial.put("key", "x").await?;
    settled("5 bytes after a shorter value", 2, 5).await?;
    trial.invalidate(&["k"]).await?;
    settled("4 bytes after an invalidation", 1, 4).await?;
    trial.put_for("mortal", "value", Trial::<H>::moments(2)).await?;
    trial.pass(3).await;
    settled("4 bytes after an expiry", 1, 4).await
}

pub(super) async fn every_read_is_a_hit_or_a_miss<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.put("key", "value").await?;
    trial.put_for("mortal", "value", Trial::<H>::moments(1)).await?;
    trial.pass(2).await;
    // Looks first: if they were counted, it would show with the reads.
    for name in ["key", "none", "mortal"] {
        trial.contains(name).await?;
        trial.lifetime(name).await?;
        trial.inspect(name).await?;
    }
    trial.put("key", "value").await?;
    for _ in 0..3 {
        trial.get("key").await?;
    }
    trial.get("none").await?;
    trial.get("mortal").await?;
    trial.get_many(&["key", "none", "key", "mortal", "none"]).await?;
    let reads = |stats: &Stats| stats.hits + stats.misses;
    let stats = trial.settle("10 reads are counted", |stats| reads(stats) >= 10).await?;
    expect("hits and misses", (stats.hits, stats.misses), (5, 5))
}

/// Goes through every cause, one after the other; each step may move the counter of its own only.
pub(super) async fn causes_of_removal_are_not_mixed<H: Harness>(harness: &H) -> Outcome {
    let room = 16;
    let limit = room * harness.partitions();
    let trial = Trial::open(harness, Config::builder().max_entries(limit.into())).await?;
    let all = names('k', 0..8);
    let mut want = Stats::default();
    write(&trial, &all, None).await?;
    want.inserted = weighing(8);
    want.usage = weighing(8);
    settled(&trial, "8 entries written", &want).await?;

    write(&trial, &all[..3], None).await?;
    (want.inserted, want.replaced) = (weighing(11), weighing(3));
    settled(&trial, "3 overwritten", &want).await?;

    let count = trial.invalidate(&["k0000", "none", "k0001", "k0000"]).await?;
    expect("invalidate of 2 and one missing", count, 2)?;
    (want.invalidated, want.usage) = (weighing(2), weighing(6));
    settled(&trial, "2 invalidated", &want).await?;

    write(&trial, &names('m', 0..4), Some(2)).await?;
    trial.pass(3).await;
    (want.inserted, want.expired) = (weighing(15), weighing(4));
    settled(&trial, "4 expired", &want).await?;

    let many = 16 * limit;
    write(&trial, &names('n', 0..many), None).await?;
    want.inserted = weighing(u64::from(15 + many));
    want.usage = weighing(limit.into());
    want.evicted = weighing(u64::from(6 + many - limit));
    settled(&trial, "all above the limit evicted", &want).await?;

    trial.store.clear().await.map_err(failed)?;
    want.invalidated = weighing(u64::from(2 + limit));
    want.usage = Usage::default();
    settled(&trial, "all invalidated", &want).await
}

async fn write<H: Harness>(
    trial: &Trial<'_, H>,
    names: &[String],
    moments: Option<u32>,
) -> Outcome {
    trial.fill(names, VALUE, moments.map(Trial::<H>::moments)).await
}

/// Complains unless the accounts come to be these. What a store only estimates is left out.
async fn settled<H: Harness>(trial: &Trial<'_, H>, what: &str, want: &Stats) -> Outcome {
    let counts = |stats: &Stats| {
        let Stats { inserted, expired, evicted, invalidated, replaced, vanished, usage, .. } =
            stats;
        [*inserted, *expired, *evicted, *invalidated, *replaced, *vanished, *usage]
    };
    trial.settle(what, |stats| counts(stats) == counts(want)).await.map(|_| ())
}

fn weighing(entries: u64) -> Usage {
    Usage { entries, bytes: entries * WEIGHT }
}
