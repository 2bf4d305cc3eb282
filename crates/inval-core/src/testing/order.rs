//! Checks on which entry goes first, in stores with one partition, where the order is exact.

use std::time::Duration;

use super::Harness;
use super::failure::{Outcome, expect};
use super::trial::{Trial, names};
use crate::config::Config;
use crate::strategy::Strategy;

/// What fits.
const ROOM: u32 = 8;

pub(super) async fn fifo_evicts_what_was_written_first<H: Harness>(harness: &H) -> Outcome {
    let trial = filled(harness, Strategy::Fifo).await?;
    trial.pass_grain().await;
    for _ in 0..3 {
        trial.get_many(&names('k', 0..4)).await?;
        trial.put("k0000", "written anew").await?;
    }
    expect_left(&trial, 4, &names('k', 4..ROOM)).await
}

pub(super) async fn lru_keeps_what_was_read<H: Harness>(harness: &H) -> Outcome {
    let trial = filled(harness, Strategy::Lru).await?;
    trial.pass_grain().await;
    trial.get_many(&names('k', 0..3)).await?;
    trial.get("k0003").await?;
    trial.pass_grain().await;
    expect_left(&trial, 4, &names('k', 0..4)).await
}

pub(super) async fn lru_does_not_keep_what_was_looked_at<H: Harness>(harness: &H) -> Outcome {
    let trial = filled(harness, Strategy::Lru).await?;
    trial.pass_grain().await;
    for name in names('k', 0..4) {
        trial.contains(&name).await?;
        trial.lifetime(&name).await?;
        trial.inspect(&name).await?;
    }
    trial.pass_grain().await;
    expect_left(&trial, 4, &names('k', 4..ROOM)).await
}

pub(super) async fn ttl_evicts_what_expires_soonest<H: Harness>(harness: &H) -> Outcome {
    let trial = open(harness, Strategy::Ttl).await?;
    trial.put("k0000", "without a TTL").await?;
    for (n, name) in (1..).zip(names('k', 1..ROOM)) {
        trial.put_for(&name, "value", Duration::from_secs(10_000 - 1_000 * n)).await?;
    }
    expect_left(&trial, 4, &names('k', 0..4)).await
}

/// Writes `count` entries more than fit, and complains unless `left` are those that stay.
async fn expect_left<H: Harness>(trial: &Trial<'_, H>, count: u32, left: &[String]) -> Outcome {
    let new = names('n', 0..count);
    let ttl = Some(Duration::from_secs(100_000));
    trial.fill(&new, b"value", ttl).await?;
    let is_evicted = |evicted: u64| evicted >= u64::from(count);
    trial.settle("as many are evicted", |stats| is_evicted(stats.evicted.entries)).await?;
    let present = trial.present(&names('k', 0..ROOM)).await?;
    expect("those that stay", present, left.to_vec())?;
    expect("the new ones", trial.present(&new).await?, new)
}

/// A full store with the strategy.
async fn filled<H: Harness>(harness: &H, strategy: Strategy) -> Outcome<Trial<'_, H>> {
    let trial = open(harness, strategy).await?;
    for name in names('k', 0..ROOM) {
        trial.put(&name, "value").await?;
    }
    Ok(trial)
}

async fn open<H: Harness>(harness: &H, strategy: Strategy) -> Outcome<Trial<'_, H>> {
    let config = Config::builder().strategy(strategy).max_entries(ROOM.into());
    Trial::exact(harness, config).await
}
