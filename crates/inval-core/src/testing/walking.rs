//! Checks on walks over the entries of a partition, page by page.

use std::collections::{BTreeMap, BTreeSet};

use super::Harness;
use super::failure::{Outcome, expect, expect_that};
use super::lifetimes::lies_within;
use super::trial::{Trial, failed, names};
use crate::config::Config;
use crate::store::{Cursor, EntryInfo, Lifetime, Page, Store, Weighing};
use crate::strategy::Strategy;
use crate::units::{Key, Weight};

/// How many entries are walked over, and in pages of which size.
const ENTRIES: u32 = 300;
const SIZE: u32 = 7;
/// A server looks at more keys than it is asked to where several have the same hash.
const LARGEST: usize = 8 * SIZE as usize;
/// More pages than any walk over so few entries has.
const MOST_PAGES: usize = 10_000;

pub(super) async fn a_walk_sees_every_entry<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let (lasting, passing) = (names('l', 0..ENTRIES), names('p', 0..9));
    trial.fill(&lasting, b"value", None).await?;
    trial.fill(&passing, b"longer value", Some(Trial::<H>::moments(1_000))).await?;
    let written = u64::from(ENTRIES) + 9;
    trial.settle("all are booked", |stats| stats.usage.entries == written).await?;
    let seen = walk(&trial).await?;
    expect("entries seen in a walk", seen.len() as u64, written)?;
    for name in lasting.iter().chain(&passing) {
        let key = Key::new(name.as_bytes())?;
        let value = if name.starts_with('l') { "value" } else { "longer value" };
        let (info, weighing) = seen.get(&key).copied().unwrap_or((NOTHING, Weighing::Charged));
        if weighing == Weighing::Charged {
            let weight = Weight::of_len(name.len() + value.len());
            expect(format!("what {name} weighs"), info.weight, Some(weight))?;
        }
        if name.starts_with('l') {
            expect(format!("lifetime of {name}"), info.lifetime, Lifetime::Unlimited)?;
        } else {
            let (least, most) = (Trial::<H>::moments(500), Trial::<H>::moments(1_000));
            let what = format!("lifetime of {name}");
            expect_that(what, &info.lifetime, "almost 1000 moments", |left| {
                lies_within(left, least, most)
            })?;
        }
    }
    Ok(())
}

pub(super) async fn a_walk_shows_nothing_that_is_gone<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let (kept, expired, removed) = (names('k', 0..20), names('e', 0..20), names('r', 0..20));
    trial.fill(&kept, b"value", None).await?;
    trial.fill(&expired, b"value", Some(Trial::<H>::moments(1))).await?;
    trial.fill(&removed, b"value", None).await?;
    expect("invalidate", trial.invalidate(&removed).await?, 20)?;
    trial.pass(2).await;
    trial.settle("the rest is booked", |stats| stats.inserted.entries == 60).await?;
    let seen: BTreeSet<Key> = walk(&trial).await?.into_keys().collect();
    expect("the keys seen", seen, super::trial::keys(&kept)?.into_iter().collect())
}

pub(super) async fn a_walk_counts_as_no_access<H: Harness>(harness: &H) -> Outcome {
    let config = Config::builder().strategy(Strategy::Lru).max_entries(4);
    let trial = Trial::exact(harness, config).await?;
    for name in ["a", "b", "c", "d"] {
        trial.put(name, "value").await?;
        trial.pass_grain().await;
    }
    let before = trial.settle("all are booked", |stats| stats.usage.entries == 4).await?;
    expect("get of what was written first", trial.get("a").await?.is_some(), true)?;
    trial.pass_grain().await;
    expect("entries seen in a walk", walk(&trial).await?.len(), 4)?;
    trial.pass_grain().await;
    trial.put("e", "value").await?;
    let after = trial.settle("one is evicted", |stats| stats.evicted.entries == 1).await?;
    expect("hits", after.hits - before.hits, 1)?;
    expect("misses", after.misses - before.misses, 0)?;
    trial.expect_nothing("as it was read longest ago", "b").await
}

pub(super) async fn a_page_is_about_as_large_as_asked<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::exact(harness, Config::builder().max_entries(1_000_000)).await?;
    trial.fill(&names('k', 0..ENTRIES), b"value", None).await?;
    let all = u64::from(ENTRIES);
    trial.settle("all are booked", |stats| stats.usage.entries == all).await?;
    let mut next = Some(Cursor::START);
    while let Some(cursor) = next {
        let page = turn(&trial, 0, cursor).await?;
        let what = format!("{LARGEST} at the most, for about {SIZE} were asked for");
        expect_that("entries of a page", &page.entries.len(), &what, |len| *len <= LARGEST)?;
        next = page.next;
    }
    let page = trial.store.page(0, Cursor::START, 0).await.map_err(failed)?;
    expect("whether a page for which nothing was asked leads on", page.next.is_some(), true)
}

pub(super) async fn a_foreign_cursor_does_no_harm<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let names = names('k', 0..50);
    trial.fill(&names, b"value", None).await?;
    trial.settle("all are booked", |stats| stats.usage.entries == 50).await?;
    let there: BTreeSet<Key> = super::trial::keys(&names)?.into_iter().collect();
    const PLACES: [u64; 6] = [0, 1, 1 << 20, u32::MAX as u64 + 1, 1 << 63, u64::MAX];
    for place in PLACES {
        for origin in [0, 1, u64::MAX] {
            let cursor = Cursor::new(place, origin);
            let page = turn(&trial, 0, cursor).await?;
            let is_known = page.entries.iter().all(|(key, _)| there.contains(key));
            expect(format!("{cursor:?} leads to what is there"), is_known, true)?;
        }
    }
    expect("entries seen in a walk after that", walk(&trial).await?.len(), 50)
}

/// What is seen where there is nothing.
const NOTHING: EntryInfo =
    EntryInfo { weight: None, lifetime: Lifetime::Absent, idle: None, age: None };

/// Everything that a walk over all partitions sees.
async fn walk<H: Harness>(trial: &Trial<'_, H>) -> Outcome<BTreeMap<Key, (EntryInfo, Weighing)>> {
    let mut seen = BTreeMap::new();
    for partition in 0..trial.store.partitions() {
        let (mut next, mut pages) = (Some(Cursor::START), 0);
        while let Some(cursor) = next {
            let page = turn(trial, partition, cursor).await?;
            let weighing = page.weighing;
            seen.extend(page.entries.into_iter().map(|(key, info)| (key, (info, weighing))));
            (next, pages) = (page.next, pages + 1);
            expect("whether a walk comes to an end", pages < MOST_PAGES, true)?;
        }
    }
    Ok(seen)
}

async fn turn<H: Harness>(trial: &Trial<'_, H>, partition: u32, cursor: Cursor) -> Outcome<Page> {
    trial.store.page(partition, cursor, SIZE).await.map_err(failed)
}
