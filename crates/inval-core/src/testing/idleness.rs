//! Checks on the time to idle.

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::lifetimes::lies_within;
use super::trial::Trial;
use crate::config::Config;
use crate::stats::Usage;

/// How long entries may be idle, in moments.
const IDLE: u32 = 4;

pub(super) async fn a_read_starts_the_time_to_idle_anew<H: Harness>(harness: &H) -> Outcome {
    let trial = idle(harness).await?;
    for name in ["read", "read with others", "written", "left alone"] {
        trial.put(name, "value").await?;
    }
    for _ in 0..3 {
        trial.pass(2).await;
        expect("get in time is a hit", trial.get("read").await?.is_some(), true)?;
        let values = trial.get_many(&["read with others", "none"]).await?;
        expect("get_many in time is a hit", values[0].is_some(), true)?;
        trial.put("written", "value").await?;
    }
    trial.expect_nothing("when neither read nor written", "left alone").await?;
    for name in ["read", "read with others", "written"] {
        trial.expect_value("when accessed in time", name, "value").await?;
    }
    trial.pass(IDLE + 1).await;
    for name in ["read", "read with others", "written"] {
        trial.expect_nothing("when not accessed any more", name).await?;
    }
    let stats = trial.settle("nothing is left", |stats| stats.usage == Usage::default()).await?;
    expect("entries expired", stats.expired.entries, 4)
}

pub(super) async fn a_look_does_not_start_the_time_to_idle_anew<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = idle(harness).await?;
    trial.put("a", "value").await?;
    trial.put("b", "value").await?;
    trial.put("c", "value").await?;
    trial.pass(2).await;
    expect("contains before its time", trial.contains("a").await?, true)?;
    let lifetime = trial.lifetime("b").await?;
    expect_that("lifetime 2 of 4 moments after a put", &lifetime, "2 moments at most", |left| {
        lies_within(left, Trial::<H>::moments(1), Trial::<H>::moments(IDLE - 2))
    })?;
    let info = trial.inspect("c").await?;
    expect("inspect before its time tells of it", info.is_some(), true)?;
    trial.pass(IDLE - 1).await;
    trial.expect_nothing("when only contains looked at it", "a").await?;
    trial.expect_nothing("when only lifetime looked at it", "b").await?;
    trial.expect_nothing("when only inspect looked at it", "c").await
}

pub(super) async fn no_read_moves_a_ttl<H: Harness>(harness: &H) -> Outcome {
    if !H::TTL_BESIDES_IDLE {
        return Ok(());
    }
    let moments = Trial::<H>::moments;
    let config = Config::builder().time_to_idle(moments(IDLE)).ttl(moments(2 * IDLE));
    let trial = Trial::open(harness, config).await?;
    trial.put("configured", "value").await?;
    trial.put_for("its own", "value", moments(2)).await?;
    trial.pass(3).await;
    trial.expect_nothing("beyond its own TTL", "its own").await?;
    trial.expect_value("before the time to idle", "configured", "value").await?;
    trial.pass(3).await;
    trial.expect_value("read before the time to idle", "configured", "value").await?;
    trial.pass(3).await;
    trial.expect_nothing("beyond the configured TTL", "configured").await
}

async fn idle<H: Harness>(harness: &H) -> Outcome<Trial<'_, H>> {
    let config = Config::builder().time_to_idle(Trial::<H>::moments(IDLE));
    Trial::open(harness, config).await
}
