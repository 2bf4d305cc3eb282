//! Checks on who is told of removals.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Harness;
use super::failure::{Outcome, expect};
use super::trial::{Trial, failed, keys, names};
use crate::config::Config;
use crate::stats::{RemovalCause, Stats, Usage};
use crate::store::Store;

/// What a partition may hold.
const ROOM: u32 = 16;

/// What a listener was told, by cause: how often of each key, and what they weighed together.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<HashMap<RemovalCause, Tally>>>);

#[derive(Default)]
struct Tally {
    keys: HashMap<Vec<u8>, u64>,
    usage: Usage,
}

impl Told {
    fn watch<H: Harness>(trial: &Trial<'_, H>) -> Self {
        let told = Self::default();
        let tallies = Arc::clone(&told.0);
        trial.store.watch(Arc::new(move |removal| {
            let mut tallies = tallies.lock().unwrap_or_else(PoisonError::into_inner);
            let tally = tallies.entry(removal.cause).or_default();
            *tally.keys.entry(removal.key.to_vec()).or_default() += 1;
            tally.usage += Usage { entries: 1, bytes: removal.weight.bytes().into() };
        }));
        told
    }

    fn usage(&self, cause: RemovalCause) -> Usage {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.get(&cause).map(|tally| tally.usage).unwrap_or_default()
    }

    /// How often this cause was told of each of `names`.
    fn times(&self, cause: RemovalCause, names: &[String]) -> Vec<u64> {
        let tallies = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of = |name: &String| {
            tallies.get(&cause).and_then(|tally| tally.keys.get(name.as_bytes())).copied()
        };
        names.iter().map(|name| of(name).unwrap_or_default()).collect()
    }

    /// Whether just what the statistics count was told.
    fn agrees_with(&self, stats: &Stats) -> bool {
        RemovalCause::ALL.iter().all(|&cause| self.usage(cause) == stats.removed(cause))
    }
}

/// Makes entries leave for every reason there is.
pub(super) async fn every_removal_is_told_once_with_its_cause<H: Harness>(harness: &H) -> Outcome {
    let limit = u64::from(ROOM * harness.partitions());
    let trial = Trial::open(harness, Config::builder().max_entries(limit)).await?;
    let told = Told::watch(&trial);
    let (all, mortal) = (names('k', 0..8), names('m', 0..4));
    trial.fill(&all, b"value", None).await?;
    trial.fill(&all[..3], b"longer value", None).await?;
    trial.invalidate(&all[1..5]).await?;
    trial.fill(&mortal, b"value", Some(Trial::<H>::moments(2))).await?;
    trial.pass(3).await;
    let many = names('n', 0..8 * ROOM * harness.partitions());
    let settle = async |what: &str, inserted: u64| {
        let is_so = |stats: &Stats| stats.inserted.entries == inserted && told.agrees_with(stats);
        trial.settle(what, is_so).await
    };
    settle("all that is gone was told", 15).await?;
    for (cause, names, want) in [
        (RemovalCause::Replaced, &all[..], [1, 1, 1, 0, 0, 0, 0, 0].as_slice()),
        (RemovalCause::Invalidated, &all[..], &[0, 1, 1, 1, 1, 0, 0, 0]),
        (RemovalCause::Expired, &mortal[..], &[1, 1, 1, 1]),
    ] {
        expect(format!("told as {cause:?}"), told.times(cause, names), want.to_vec())?;
    }
    trial.fill(&many, b"value", None).await?;
    let stats = settle("all evictions were told", 15 + many.len() as u64).await?;
    expect("usage", stats.usage.entries, limit)?;
    trial.store.clear().await.map_err(failed)?;
    let is_so = |stats: &Stats| stats.usage == Usage::default() && told.agrees_with(stats);
    trial.settle("what was cleared was told", is_so).await.map(|_| ())
}

pub(super) async fn the_last_to_watch_is_told_instead_of_those_before<H: Harness>(
    harness: &H,
) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let first = Told::watch(&trial);
    let second = Told::watch(&trial);
    trial.put("key", "value").await?;
    trial.store.invalidate(&keys(&["key"])?).await.map_err(failed)?;
    let is_told = |told: &Told| told.usage(RemovalCause::Invalidated).entries == 1;
    trial.settle("the second was told", |_| is_told(&second)).await?;
    expect("whether the first was told", is_told(&first), false)
}
