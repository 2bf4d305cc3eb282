//! Checks on writes that depend on what is there.

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::trial::Trial;
use crate::config::Config;
use crate::ledger::Rejection;
use crate::store::PutCondition::{IfAbsent, IfPresent};
use crate::store::{Lifetime, Put, PutOptions};

pub(super) async fn if_absent_writes_only_where_nothing_is<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let put = trial.put_if(IfAbsent, "key", "first").await?;
    expect("if absent, where nothing is", put, Put::Stored)?;
    let ttl = Some(Trial::<H>::moments(100));
    let options = PutOptions { ttl, condition: IfAbsent };
    let put = trial.write("key", "second", options).await?;
    expect("if absent, where something is", put, Put::Unmet)?;
    trial.expect_value("after an unmet condition", "key", "first").await?;
    let lifetime = trial.lifetime("key").await?;
    expect("lifetime after an unmet condition", lifetime, Lifetime::Unlimited)?;
    trial.invalidate(&["key"]).await?;
    let put = trial.write("key", "third", options).await?;
    expect("if absent, after an invalidation", put, Put::Stored)?;
    trial.expect_value("after a condition that held", "key", "third").await?;
    expect_that("its lifetime", &trial.lifetime("key").await?, "a limited one", is_limited)
}

pub(super) async fn if_present_writes_only_over_something<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let put = trial.put_if(IfPresent, "key", "first").await?;
    expect("if present, where nothing is", put, Put::Unmet)?;
    trial.expect_nothing("after an unmet condition", "key").await?;
    trial.put("key", "second").await?;
    let ttl = Some(Trial::<H>::moments(100));
    let options = PutOptions { ttl, condition: IfPresent };
    let put = trial.write("key", "third", options).await?;
    expect("if present, where something is", put, Put::Stored)?;
    trial.expect_value("after a condition that held", "key", "third").await?;
    expect_that("its lifetime", &trial.lifetime("key").await?, "a limited one", is_limited)?;
    trial.invalidate(&["key"]).await?;
    let put = trial.put_if(IfPresent, "key", "fourth").await?;
    expect("if present, after an invalidation", put, Put::Unmet)?;
    trial.expect_nothing("after an invalidation", "key").await
}

pub(super) async fn what_has_expired_is_absent_to_a_condition<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    for key in ["a", "b"] {
        trial.put_for(key, "expires", Trial::<H>::moments(1)).await?;
    }
    trial.pass(2).await;
    let put = trial.put_if(IfPresent, "a", "new").await?;
    expect("if present, where an entry has expired", put, Put::Unmet)?;
    trial.expect_nothing("after an unmet condition", "a").await?;
    let put = trial.put_if(IfAbsent, "b", "new").await?;
    expect("if absent, where an entry has expired", put, Put::Stored)?;
    trial.expect_value("over what has expired", "b", "new").await?;
    expect("its lifetime", trial.lifetime("b").await?, Lifetime::Unlimited)
}

/// Whether a value is rejected before or after the condition is looked at is left to the store.
pub(super) async fn a_rejected_conditional_write_changes_nothing<H: Harness>(
    harness: &H,
) -> Outcome {
    let limit = 4096 * harness.partitions();
    let trial = Trial::open(harness, Config::builder().max_bytes(limit.into())).await?;
    let heavy = vec![0; limit as usize];
    trial.put("there", "older").await?;
    for (key, condition, is_met) in [
        ("there", IfPresent, true),
        ("there", IfAbsent, false),
        ("not there", IfPresent, false),
        ("not there", IfAbsent, true),
    ] {
        let came = |put: &Put, because: fn(Rejection) -> bool| match *put {
            Put::Rejected(rejection) => because(rejection),
            Put::Unmet => !is_met,
            Put::Stored => false,
        };
        let put = trial.write(key, &heavy, PutOptions { ttl: None, condition }).await?;
        expect_that(format!("too heavy, {condition:?}"), &put, "a rejection", |put| {
            came(put, |why| matches!(why, Rejection::TooHeavy { .. }))
        })?;
        let ttl = Some(std::time::Duration::ZERO);
        let put = trial.write(key, "new", PutOptions { ttl, condition }).await?;
        expect_that(format!("no time to live, {condition:?}"), &put, "a rejection", |put| {
            came(put, |why| why == Rejection::NoTimeToLive)
        })?;
    }
    trial.expect_value("after rejected conditional writes", "there", "older").await?;
    trial.expect_nothing("after rejected conditional writes", "not there").await
}

fn is_limited(lifetime: &Lifetime) -> bool {
    matches!(lifetime, Lifetime::Remaining(_))
}
