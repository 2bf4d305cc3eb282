//! Checks on upkeep: it collects what has expired, and is called again when it asks to be.

use std::time::Duration;

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::trial::{Trial, failed, names};
use crate::stats::Usage;
use crate::store::{Budget, Slice, Store};

/// The shortest and the longest time that upkeep lets pass.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(10);

pub(super) async fn upkeep_takes_off_the_books_what_has_expired<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let (mortal, immortal) = (names('m', 0..500), names('i', 0..10));
    trial.fill(&mortal, b"value", Some(Trial::<H>::moments(2))).await?;
    trial.fill(&immortal, b"value", None).await?;
    trial.pass(3).await;
    let stats = trial.settle("10 entries are left", |stats| stats.usage.entries == 10).await?;
    let weight = (mortal[0].len() + "value".len()) as u64;
    expect("what expired", stats.expired, Usage { entries: 500, bytes: 500 * weight })?;
    expect("those left", trial.present(&immortal).await?, immortal)
}

pub(super) async fn upkeep_keeps_up_when_called_as_it_asks<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let mortal = names('m', 0..500);
    trial.fill(&mortal, b"value", Some(Trial::<H>::moments(2))).await?;
    let mut waited = Duration::ZERO;
    while waited < H::PATIENCE {
        let mut next = LONGEST;
        for partition in 0..trial.store.partitions() {
            let slice =
                trial.store.maintain(partition, Budget::within(SHORTEST)).await.map_err(failed)?;
            let what = "when to call again";
            expect_that(what, &slice.next, "some seconds at most", |next| *next <= LONGEST)?;
            next = next.min(slice.next);
        }
        let stats = trial.store.stats().await.map_err(failed)?;
        if stats.expired.entries == 500 {
            return expect("what is left", stats.usage, Usage::default());
        }
        harness.pass(next.max(SHORTEST)).await;
        waited += next.max(SHORTEST);
    }
    trial.settle("500 entries have expired", |stats| stats.expired.entries == 500).await.map(|_| ())
}

/// Where others do upkeep as well, they may be first, and how late the suite comes is not known.
pub(super) async fn upkeep_tells_how_late_it_comes<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let mortal = names('m', 0..200);
    trial.fill(&mortal, b"value", Some(Trial::<H>::moments(3))).await?;
    trial.settle("200 entries are booked", |stats| stats.inserted.entries == 200).await?;
    let early = lateness(&trial).await?;
    trial.pass(5).await;
    let late = lateness(&trial).await?;
    trial.settle("200 entries have expired", |stats| stats.expired.entries == 200).await?;
    let idle = lateness(&trial).await?;
    if !H::SOLE_UPKEEP {
        return Ok(());
    }
    expect("how late it is before their time", early, Duration::ZERO)?;
    let (least, most) = (Trial::<H>::moments(2), Trial::<H>::moments(3));
    expect_that("how late it is", &late, "two moments", |late| (least..most).contains(late))?;
    expect("how late it is when nothing is left", idle, Duration::ZERO)
}

/// How long an entry had been waiting for a slice of upkeep, in whichever partition.
async fn lateness<H: Harness>(trial: &Trial<'_, H>) -> Outcome<Duration> {
    let mut latest = Duration::ZERO;
    for partition in 0..trial.store.partitions() {
        let slice = trial.store.maintain(partition, Budget::within(SHORTEST)).await;
        latest = latest.max(slice.map_err(failed)?.overdue);
    }
    Ok(latest)
}

/// Where others do upkeep as well, what is left for the suite is not known.
pub(super) async fn upkeep_keeps_to_a_budget_in_entries<H: Harness>(harness: &H) -> Outcome {
    const MOST: u64 = 50;
    let trial = Trial::roomy(harness).await?;
    let count = 200 * harness.partitions();
    trial.fill(&names('m', 0..count), b"value", Some(Trial::<H>::moments(2))).await?;
    trial.settle("all is booked", |stats| stats.inserted.entries == count.into()).await?;
    trial.pass(3).await;
    for partition in (0..trial.store.partitions()).filter(|_| H::SOLE_UPKEEP) {
        let budget = Budget { entries: MOST, ..Budget::within(H::PATIENCE) };
        let slice = trial.store.maintain(partition, budget).await.map_err(failed)?;
        let Slice { expired, next, .. } = slice;
        expect("entries that one slice took off the books", expired, MOST)?;
        expect("when to call again with more to do", next, Duration::ZERO)?;
    }
    trial
        .settle("all have expired", |stats| stats.expired.entries == count.into())
        .await
        .map(|_| ())
}
