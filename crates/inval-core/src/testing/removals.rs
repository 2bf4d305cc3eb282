//! Checks on invalidation, of some entries and of all.

use super::Harness;
use super::failure::{Outcome, expect, expect_all};
use super::trial::{Trial, failed, names};
use crate::stats::Usage;
use crate::store::Store;

pub(super) async fn invalidate_counts_what_was_there<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let all = names('k', 0..20);
    trial.fill(&all, b"value", None).await?;
    expect("invalidate of no keys", trial.invalidate(&[""; 0]).await?, 0)?;
    expect("invalidate of one", trial.invalidate(&all[..1]).await?, 1)?;
    expect("invalidate of the same again", trial.invalidate(&all[..1]).await?, 0)?;
    expect("invalidate of some with one missing", trial.invalidate(&all[..10]).await?, 9)?;
    let twice = [&all[10..15], &all[10..15]].concat();
    expect("invalidate of keys that repeat", trial.invalidate(&twice).await?, 5)?;
    for name in &all[..15] {
        trial.expect_nothing("after an invalidation", name).await?;
    }
    for name in &all[15..] {
        trial.expect_value("after others were invalidated", name, "value").await?;
    }
    trial.put(&all[0], "again").await?;
    trial.expect_value("written after its invalidation", &all[0], "again").await?;
    let stats = trial.settle("6 entries are left", |stats| stats.usage.entries == 6).await?;
    let weight = (all[0].len() + "value".len()) as u64;
    expect("what was invalidated", stats.invalidated, Usage { entries: 15, bytes: 15 * weight })
}

pub(super) async fn what_has_expired_is_not_there_to_invalidate<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.put_for("mortal", "value", Trial::<H>::moments(1)).await?;
    trial.put("immortal", "value").await?;
    trial.pass(2).await;
    let count = trial.invalidate(&["mortal", "immortal"]).await?;
    expect("invalidate, where one of two has expired", count, 1)?;
    let stats = trial.settle("nothing is left", |stats| stats.usage == Usage::default()).await?;
    expect("entries expired", stats.expired.entries, 1)?;
    expect("entries invalidated", stats.invalidated.entries, 1)
}

pub(super) async fn clear_leaves_nothing<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.store.clear().await.map_err(failed)?;
    let all = names('k', 0..300);
    trial.fill(&all, b"value", None).await?;
    trial.put_for("mortal", "value", Trial::<H>::moments(100)).await?;
    trial.store.clear().await.map_err(failed)?;
    let found = trial.get_many(&all).await?;
    expect_all("get_many after clear", &found, &vec![None; all.len()])?;
    trial.expect_nothing("after clear", "mortal").await?;
    trial.put(&all[0], "again").await?;
    trial.expect_value("written after clear", &all[0], "again").await?;
    trial.settle("one entry is left", |stats| stats.usage.entries == 1).await?;
    trial.store.clear().await.map_err(failed)?;
    trial.settle("nothing is left", |stats| stats.usage == Usage::default()).await?;
    trial.expect_nothing("after clear", &all[0]).await
}
