//! Checks on operations under way at the same time.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;

use super::Harness;
use super::failure::{Complaint, Outcome, expect, expect_all};
use super::trial::{Trial, keys, names};
use crate::store::{Put, PutCondition};

pub(super) async fn writes_at_the_same_time_are_all_there<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let all = names('k', 0..64);
    join(all.iter().map(|name| trial.put(name, name))).await?;
    let found = join(all.iter().map(|name| trial.get(name))).await?;
    let want: Vec<_> = all.iter().map(|name| Some(Bytes::from(name.clone()))).collect();
    expect_all("get of each", &found, &want)?;
    trial.settle("64 entries are there", |stats| stats.usage.entries == 64).await.map(|_| ())
}

pub(super) async fn of_writes_if_absent_at_the_same_time_one_is_stored<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let values = names('v', 0..32);
    let puts = values.iter().map(|value| trial.put_if(PutCondition::IfAbsent, "key", value));
    let came = join(puts).await?;
    let stored: Vec<_> = values.iter().zip(&came).filter(|(_, put)| **put == Put::Stored).collect();
    expect("writes stored", stored.len(), 1)?;
    trial.expect_value("what was stored", "key", stored[0].0).await
}

pub(super) async fn an_entry_is_invalidated_once<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let all = keys(&names('k', 0..8))?;
    for key in &all {
        trial.put(key.as_bytes(), "value").await?;
    }
    let names: Vec<_> = all.iter().map(|key| key.as_bytes()).collect();
    let counts = join((0..16).map(|_| trial.invalidate(&names))).await?;
    expect("entries that were there, in all", counts.iter().sum(), 8)
}

/// Runs all at once, and returns what came of each, in their order; the first complaint of any.
async fn join<T>(futures: impl Iterator<Item: Future<Output = Outcome<T>>>) -> Outcome<Vec<T>> {
    let mut running: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|context| {
        for (future, done) in &mut running {
            if done.is_none()
                && let Poll::Ready(outcome) = Pin::as_mut(future).poll(context)
            {
                *done = Some(outcome);
            }
        }
        if running.iter().all(|(_, done)| done.is_some()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    running.into_iter().filter_map(|(_, done)| done).collect::<Result<_, Complaint>>()
}
