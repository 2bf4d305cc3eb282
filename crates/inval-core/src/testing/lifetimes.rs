//! Checks on TTLs, an entry's own and the configured one.

use std::time::Duration;

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::trial::{Trial, names};
use crate::config::{Config, MAX_LIFETIME};
use crate::ledger::Rejection;
use crate::stats::Usage;
use crate::store::{Lifetime, Put, PutOptions};

/// What a store may add or take off by rounding.
const ROUNDING: Duration = Duration::from_millis(1);

pub(super) async fn what_has_expired_is_never_read<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    trial.put_for("mortal", "value", Trial::<H>::moments(4)).await?;
    trial.put("immortal", "value").await?;
    trial.expect_value("before its time", "mortal", "value").await?;
    trial.pass(1).await;
    trial.expect_value("before its time", "mortal", "value").await?;
    trial.pass(4).await;
    trial.expect_nothing("after its time", "mortal").await?;
    trial.settle("it is off the books", |stats| stats.usage.entries == 1).await?;
    trial.expect_nothing("after its time and upkeep", "mortal").await?;
    trial.expect_value("without a TTL", "immortal", "value").await?;
    trial.put("mortal", "again").await?;
    trial.expect_value("written anew", "mortal", "again").await
}

pub(super) async fn the_configured_ttl_is_for_entries_without_their_own<H: Harness>(
    harness: &H,
) -> Outcome {
    let moments = Trial::<H>::moments;
    let trial = Trial::open(harness, Config::builder().ttl(moments(4))).await?;
    trial.put("configured", "value").await?;
    trial.put_for("shorter", "value", moments(1)).await?;
    trial.put_for("longer", "value", moments(100)).await?;
    trial.put_for("immortal", "value", Duration::MAX).await?;
    trial.fill(&["many configured".to_owned()], b"value", None).await?;
    trial.fill(&["many longer".to_owned()], b"value", Some(moments(100))).await?;
    trial.pass(2).await;
    trial.expect_nothing("its own TTL has passed", "shorter").await?;
    trial.expect_value("before the configured TTL", "configured", "value").await?;
    trial.expect_value("before the configured TTL", "many configured", "value").await?;
    trial.pass(3).await;
    trial.expect_nothing("the configured TTL has passed", "configured").await?;
    trial.expect_nothing("the configured TTL has passed", "many configured").await?;
    for name in ["longer", "many longer", "immortal"] {
        trial.expect_value("beyond the configured TTL by its own", name, "value").await?;
    }
    expect("lifetime", trial.lifetime("immortal").await?, Lifetime::Unlimited)
}

pub(super) async fn lifetimes_are_told_as_they_are<H: Harness>(harness: &H) -> Outcome {
    let moments = Trial::<H>::moments;
    let trial = Trial::roomy(harness).await?;
    expect("lifetime of nothing", trial.lifetime("key").await?, Lifetime::Absent)?;
    trial.put("key", "value").await?;
    expect("lifetime without a TTL", trial.lifetime("key").await?, Lifetime::Unlimited)?;
    trial.put_for("key", "value", moments(10)).await?;
    let lifetime = trial.lifetime("key").await?;
    expect_that("lifetime right after the put", &lifetime, "about 10 moments", |lifetime| {
        lies_within(lifetime, moments(9), moments(10))
    })?;
    trial.pass(4).await;
    let lifetime = trial.lifetime("key").await?;
    expect_that("lifetime 4 moments later", &lifetime, "about 6 moments", |lifetime| {
        lies_within(lifetime, moments(5), moments(6))
    })?;
    trial.pass(7).await;
    expect("lifetime after its end", trial.lifetime("key").await?, Lifetime::Absent)
}

pub(super) async fn a_ttl_beyond_the_longest_is_none<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::open(harness, Config::builder().ttl(Trial::<H>::moments(100))).await?;
    trial.put_for("longest", "value", MAX_LIFETIME).await?;
    let lifetime = trial.lifetime("longest").await?;
    expect_that("lifetime with the longest TTL", &lifetime, "about as long", |lifetime| {
        lies_within(lifetime, MAX_LIFETIME - H::MOMENT, MAX_LIFETIME)
    })?;
    for ttl in [MAX_LIFETIME + Duration::from_millis(1), Duration::MAX] {
        trial.put_for("beyond", "value", ttl).await?;
        let lifetime = trial.lifetime("beyond").await?;
        expect("lifetime with a longer TTL", lifetime, Lifetime::Unlimited)?;
        trial.expect_value("with a longer TTL", "beyond", "value").await?;
    }
    Ok(())
}

pub(super) async fn a_ttl_below_a_millisecond_is_rejected<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let rejected = Put::Rejected(Rejection::NoTimeToLive);
    for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(999)] {
        let options = PutOptions { ttl: Some(ttl), ..PutOptions::default() };
        let put = trial.write("new", "value", options).await?;
        expect(format!("put with a TTL of {ttl:?}"), put, rejected)?;
        trial.expect_nothing("after a rejected put", "new").await?;
        trial.put("older", "older").await?;
        let put = trial.write("older", "value", options).await?;
        expect(format!("put over another with a TTL of {ttl:?}"), put, rejected)?;
        trial.expect_nothing("after a rejected put, for it is out of date", "older").await?;
        trial.put("older", "older").await?;
        let entries = ["new", "older"].map(|key| (key.to_owned(), b"value".to_vec()));
        let put = trial.put_many(&entries, Some(ttl)).await?;
        expect(format!("put_many with a TTL of {ttl:?}"), put, vec![rejected; 2])?;
        trial.expect_nothing("after a rejected put_many", "new").await?;
        trial.expect_nothing("after a rejected put_many", "older").await?;
    }
    trial.settle("nothing is left", |stats| stats.usage == Usage::default()).await.map(|_| ())
}

pub(super) async fn an_overwrite_brings_its_own_ttl<H: Harness>(harness: &H) -> Outcome {
    let moments = Trial::<H>::moments;
    let trial = Trial::roomy(harness).await?;
    trial.put_for("to none", "old", moments(2)).await?;
    trial.put("to none", "new").await?;
    trial.put_for("to longer", "old", moments(2)).await?;
    trial.put_for("to longer", "new", moments(100)).await?;
    trial.put("to some", "old").await?;
    trial.put_for("to some", "new", moments(2)).await?;
    trial.put_for("to shorter", "old", moments(100)).await?;
    trial.put_for("to shorter", "new", moments(2)).await?;
    expect("lifetime without a TTL", trial.lifetime("to none").await?, Lifetime::Unlimited)?;
    trial.pass(3).await;
    trial.settle("two are left", |stats| stats.usage.entries == 2).await?;
    for name in ["to none", "to longer"] {
        trial.expect_value(&format!("after an overwrite {name}"), name, "new").await?;
    }
    for name in ["to some", "to shorter"] {
        trial.expect_nothing(&format!("after an overwrite {name}"), name).await?;
    }
    Ok(())
}

pub(super) async fn jitter_only_shortens_a_ttl<H: Harness>(harness: &H) -> Outcome {
    let (ttl, half) = (Trial::<H>::moments(1_000), Trial::<H>::moments(500));
    let trial = Trial::open(harness, Config::builder().ttl(ttl).ttl_jitter(0.5)).await?;
    let all = names('k', 0..64);
    trial.fill(&all, b"value", None).await?;
    let (mut short, mut long) = (0, 0);
    for name in &all {
        let lifetime = trial.lifetime(name).await?;
        expect_that("lifetime with a jitter of 0.5", &lifetime, "half to all of it", |lifetime| {
            lies_within(lifetime, half - H::MOMENT, ttl)
        })?;
        let is_short = lies_within(&lifetime, Duration::ZERO, half * 3 / 2);
        *if is_short { &mut short } else { &mut long } += 1;
    }
    expect_that("shorter and longer lifetimes", &(short, long), "about as many", |both| {
        both.0 > 8 && both.1 > 8
    })
}

pub(super) fn lies_within(lifetime: &Lifetime, low: Duration, high: Duration) -> bool {
    match lifetime {
        Lifetime::Remaining(left) => (low..=high + ROUNDING).contains(left),
        Lifetime::Absent | Lifetime::Unlimited => false,
    }
}
