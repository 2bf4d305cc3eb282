//! Checks on the limits in entries and in bytes, under every strategy.

use super::Harness;
use super::failure::{Outcome, expect, expect_all, expect_that};
use super::trial::{Trial, names, weigh};
use crate::config::{Config, ConfigBuilder};
use crate::ledger::Rejection;
use crate::stats::Usage;
use crate::store::{Put, PutOptions};
use crate::strategy::Strategy;

/// What a partition may hold.
const ENTRIES: u32 = 16;
const BYTES: u32 = 2048;
/// The heaviest entry that is written; many of them fit into a partition.
const HEAVIEST: u32 = 205;
/// How many times what fits is written.
const TIMES: u32 = 12;

pub(super) async fn the_limit_in_entries_is_kept<H: Harness>(harness: &H) -> Outcome {
    let limit = u64::from(ENTRIES * harness.partitions());
    let config = Config::builder().max_entries(limit);
    check(harness, config, |usage| usage.entries == limit).await
}

pub(super) async fn the_limit_in_bytes_is_kept<H: Harness>(harness: &H) -> Outcome {
    let limit = u64::from(BYTES * harness.partitions());
    let least = limit - u64::from(HEAVIEST * harness.partitions());
    let config = Config::builder().max_bytes(limit);
    check(harness, config, |usage| (least..=limit).contains(&usage.bytes)).await
}

pub(super) async fn both_limits_are_kept_at_once<H: Harness>(harness: &H) -> Outcome {
    let entries = u64::from(ENTRIES * harness.partitions());
    // About half of what as many entries weigh, so that either limit may be the one in force.
    let bytes = u64::from(ENTRIES * HEAVIEST / 3 * harness.partitions());
    let config = Config::builder().max_entries(entries).max_bytes(bytes);
    check(harness, config, |usage| usage.entries <= entries && usage.bytes <= bytes).await
}

/// Writes far more than fits, heavy and light entries in turn and some of them twice, and looks at
/// what is left when upkeep is done.
async fn check<H: Harness>(
    harness: &H,
    config: ConfigBuilder,
    is_right: impl Fn(&Usage) -> bool,
) -> Outcome {
    for strategy in Strategy::ALL {
        let trial = Trial::open(harness, config.strategy(strategy)).await?;
        let all = names('k', 0..TIMES * ENTRIES * harness.partitions());
        let writes = entries(&all);
        for some in writes.chunks(100) {
            let put = trial.put_many(some, None).await?;
            expect_all(format!("put_many under {strategy}"), &put, &vec![Put::Stored; some.len()])?;
        }
        let written = writes.len() as u64;
        let what = format!("{written} writes are booked under {strategy}");
        let stats = trial.settle(&what, |stats| stats.inserted.entries == written).await?;
        let what = format!("usage under {strategy}");
        expect_that(&what, &stats.usage, "as much as the limits allow", &is_right)?;
        let held = weigh(&all, &trial.get_many(&all).await?);
        expect(format!("what can be read under {strategy}"), held, stats.usage)?;
        let gone = [stats.expired.entries, stats.invalidated.entries, stats.vanished.entries];
        expect(format!("other removals under {strategy}"), gone, [0; 3])?;
    }
    Ok(())
}

/// Every name once, with values of 0 to 200 bytes, and every fifth once more, soon after.
fn entries(names: &[String]) -> Vec<(String, Vec<u8>)> {
    let mut entries = Vec::new();
    for (n, name) in names.iter().enumerate() {
        let value = |seed: usize| vec![b'v'; if seed.is_multiple_of(3) { 200 } else { seed % 20 }];
        entries.push((name.clone(), value(n)));
        if n.is_multiple_of(5) {
            entries.push((name.clone(), value(n + 1)));
        }
    }
    entries
}

pub(super) async fn a_value_above_the_limit_is_rejected_and_the_older_one_gone<H: Harness>(
    harness: &H,
) -> Outcome {
    let limit = BYTES * harness.partitions();
    let trial = Trial::open(harness, Config::builder().max_bytes(limit.into())).await?;
    trial.put("key", "older").await?;
    trial.put("other", "value").await?;
    let heavy = vec![0; limit as usize];
    let weight = limit + 3;
    for _ in 0..2 {
        let put = trial.write("key", &heavy, PutOptions::default()).await?;
        expect_that("put of a value above the limit", &put, "TooHeavy, with both", |put| {
            matches!(put, Put::Rejected(Rejection::TooHeavy { weight: told, max_bytes })
                if *told == weight && *max_bytes <= limit.into())
        })?;
        trial.expect_nothing("after a rejected put, for it is out of date", "key").await?;
    }
    trial.put("key", "new").await?;
    trial.expect_value("after a rejected put", "key", "new").await?;
    trial.expect_value("beside a rejected put", "other", "value").await?;
    let stats = trial.settle("16 bytes are left", |stats| stats.usage.bytes == 16).await?;
    expect("entries evicted", stats.evicted.entries, 0)
}
