//! Checks that nothing is evicted where there is room, under every strategy.

use super::Harness;
use super::failure::{Outcome, expect};
use super::trial::{Trial, names};
use crate::config::Config;
use crate::stats::Stats;
use crate::strategy::Strategy;

/// What a partition may hold.
const ROOM: u32 = 16;
/// What every entry weighs: a name of 5 bytes and a value of 6.
const WEIGHT: u64 = 11;
const VALUE: &[u8] = b"first.";
/// How long what expires lives, in moments.
const LIFE: u32 = 4;

pub(super) async fn overwriting_at_the_limit_evicts_nothing<H: Harness>(harness: &H) -> Outcome {
    for strategy in Strategy::ALL {
        let trial = filled(harness, strategy, None).await?;
        let all = names('f', 0..8 * ROOM * harness.partitions());
        let present = trial.present(&all).await?;
        let (overwritten, untouched) = present.split_at(present.len() / 2);
        let what = format!("overwriting at the limit under {strategy}");
        let mut written = all.len() as u64;
        for value in [b"second", b"third."] {
            trial.fill(overwritten, value, None).await?;
            for name in overwritten {
                trial.put(name, value).await?;
            }
            written += 2 * overwritten.len() as u64;
            let stats = trial.settle(&what, |stats| stats.inserted.entries == written).await?;
            expect(format!("present after {what}"), trial.present(&all).await?, present.clone())?;
            let evicted = (all.len() - present.len()) as u64;
            expect(format!("evicted after {what}"), stats.evicted.entries, evicted)?;
            trial.expect_value(&what, &overwritten[0], value).await?;
            trial.expect_value(&what, &untouched[0], VALUE).await?;
        }
    }
    Ok(())
}

/// Fills stores with what expires, half of them beside what does not, and writes as much as fits once
/// it has expired. No upkeep takes place in between.
pub(super) async fn what_has_expired_displaces_nothing_alive<H: Harness>(harness: &H) -> Outcome {
    let mut trials = Vec::new();
    for strategy in Strategy::ALL {
        trials.push(Displacement::full(harness, strategy).await?);
        trials.push(Displacement::half_full(harness, strategy).await?);
    }
    if let Some(any) = trials.first() {
        any.trial.pass(LIFE + 1).await;
    }
    for trial in &trials {
        trial.write_the_rest().await?;
    }
    for trial in &trials {
        trial.check().await?;
    }
    Ok(())
}

/// A full store of which a part will expire before the rest is written.
struct Displacement<'a, H: Harness> {
    trial: Trial<'a, H>,
    strategy: Strategy,
    /// How many entries that do not expire were written.
    alive: u32,
    before: Stats,
}

impl<'a, H: Harness> Displacement<'a, H> {
    /// Full of what will expire, in every partition.
    async fn full(harness: &'a H, strategy: Strategy) -> Outcome<Self> {
        let trial = filled(harness, strategy, Some(LIFE)).await?;
        let before = trial.settle("the store is full", |_| true).await?;
        Ok(Self { trial, strategy, alive: 0, before })
    }

    /// Half full of what stays, so that one partition at least would be full if all were in it.
    async fn half_full(harness: &'a H, strategy: Strategy) -> Outcome<Self> {
        let trial = with_room(harness, strategy).await?;
        let alive = ROOM / 2;
        for (names, ttl) in [
            (names('l', 0..alive), None),
            (names('m', 0..ROOM - alive), Some(Trial::<H>::moments(LIFE))),
        ] {
            trial.fill(&names, VALUE, ttl).await?;
        }
        let before = trial
            .settle("the store is full", |stats| stats.inserted.entries == ROOM.into())
            .await?;
        Ok(Self { trial, strategy, alive, before })
    }

    async fn write_the_rest(&self) -> Outcome {
        self.trial.fill(&names('l', self.alive..ROOM), VALUE, None).await
    }

    async fn check(&self) -> Outcome {
        let what = format!("writing beside what has expired under {}", self.strategy);
        let written = self.before.inserted.entries + u64::from(ROOM - self.alive);
        self.trial.settle(&what, |stats| stats.inserted.entries == written).await?;
        let all = names('l', 0..ROOM);
        expect(format!("present after {what}"), self.trial.present(&all).await?, all)?;
        let stats = self.trial.settle(&what, |stats| stats.usage.entries == ROOM.into()).await?;
        expect(format!("evicted after {what}"), stats.evicted, self.before.evicted)
    }
}

/// A store into which eight times as much was written as fits.
async fn filled<H: Harness>(
    harness: &H,
    strategy: Strategy,
    ttl: Option<u32>,
) -> Outcome<Trial<'_, H>> {
    let trial = with_room(harness, strategy).await?;
    let all = names('f', 0..8 * ROOM * harness.partitions());
    trial.fill(&all, VALUE, ttl.map(Trial::<H>::moments)).await?;
    let what = format!("all is booked under {strategy}");
    trial.settle(&what, |stats| stats.inserted.entries == all.len() as u64).await?;
    Ok(trial)
}

/// An empty store, each partition of which takes `ROOM` entries, by both limits.
async fn with_room<H: Harness>(harness: &H, strategy: Strategy) -> Outcome<Trial<'_, H>> {
    let entries = u64::from(ROOM * harness.partitions());
    let config = Config::builder().strategy(strategy).max_entries(entries);
    Trial::open(harness, config.max_bytes(entries * WEIGHT)).await
}
