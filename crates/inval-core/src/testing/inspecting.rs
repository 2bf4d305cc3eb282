//! Checks on what is told of an entry that is not read.

use std::time::Duration;

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::lifetimes::lies_within;
use super::trial::Trial;
use crate::stats::Usage;
use crate::store::{EntryInfo, Lifetime};

pub(super) async fn what_is_known_of_an_entry_is_told<H: Harness>(harness: &H) -> Outcome {
    let moments = Trial::<H>::moments;
    let trial = Trial::roomy(harness).await?;
    expect("what is known of nothing", trial.inspect("key").await?, None)?;
    trial.put("key", "value").await?;
    trial.settle("8 bytes are booked", |stats| holds(stats.usage, 8)).await?;
    let info = trial.inspect("key").await?;
    expect_that("what is known of an entry", &info, "8 bytes, for ever", |info| {
        info.is_some_and(|info| weighs(&info, 8) && info.lifetime == Lifetime::Unlimited)
    })?;
    trial.put_for("key", "a longer value", moments(10)).await?;
    trial.settle("17 bytes are booked", |stats| holds(stats.usage, 17)).await?;
    let info = trial.inspect("key").await?;
    expect_that("what is known of it now", &info, "17 bytes, 10 moments at most", |info| {
        let lasts = |info: &EntryInfo| lies_within(&info.lifetime, moments(5), moments(10));
        info.is_some_and(|info| weighs(&info, 17) && lasts(&info))
    })?;
    trial.pass(11).await;
    expect("what is known after its end", trial.inspect("key").await?, None)
}

pub(super) async fn use_and_age_of_an_entry_are_told_as_they_are<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    for name in ["read", "written", "left alone"] {
        trial.put(name, "value").await?;
    }
    for _ in 0..2 {
        trial.pass(2).await;
        trial.pass_grain().await;
        trial.settle("3 are booked", |stats| stats.inserted.entries == 3).await?;
        trial.inspect("left alone").await?;
    }
    trial.get("read").await?;
    trial.put("written", "again").await?;
    trial.settle("4 are booked", |stats| stats.inserted.entries == 4).await?;
    let half = Trial::<H>::moments(2) + H::ACCESS_GRAIN;
    // Whether it was less than half of the time ago, where it is told.
    let is_recent = |ago: Option<Duration>| ago.map(|ago| ago < half);
    for (name, is_idle, is_old) in
        [("read", false, true), ("written", false, false), ("left alone", true, true)]
    {
        let info = trial.inspect(name).await?;
        expect_that(format!("idleness of the one {name}"), &info, "as it is", |info| {
            info.is_some_and(|info| is_recent(info.idle) != Some(is_idle))
        })?;
        expect_that(format!("age of the one {name}"), &info, "as it is", |info| {
            info.is_some_and(|info| is_recent(info.age) != Some(is_old))
        })?;
    }
    Ok(())
}

fn holds(usage: Usage, bytes: u64) -> bool {
    usage == Usage { entries: 1, bytes }
}

/// Whether its weight is this, where it is told.
fn weighs(info: &EntryInfo, bytes: u32) -> bool {
    info.weight.is_none_or(|weight| weight.bytes() == bytes)
}
