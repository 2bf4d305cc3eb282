//! Checks on upkeep: it collects what has expired, and is called again when it asks to be.

use std::time::Duration;

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::trial::{Trial, failed, names};
use crate::stats::Usage;
use crate::store::{Budget, Store};

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
