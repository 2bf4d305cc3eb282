//! Checks on limits and lifetimes that change while the store is in use.

use super::Harness;
use super::failure::{Outcome, expect};
use super::trial::{Trial, failed, names, weigh};
use crate::config::{ChangeError, Config, ConfigBuilder};
use crate::stats::{Stats, Usage};
use crate::store::{Lifetime, ReconfigureError, Store};
use crate::strategy::Strategy;

/// What a partition may hold, where it is little and where it is more.
const LITTLE: u32 = 8;
const MORE: u32 = 32;
/// What every entry weighs: a name of 5 bytes and this value.
const VALUE: &[u8] = b"value";
const WEIGHT: u64 = 10;

pub(super) async fn a_raised_limit_lets_more_in<H: Harness>(harness: &H) -> Outcome {
    for strategy in Strategy::ALL {
        let trial = Trial::open(harness, entries(harness, strategy, LITTLE)).await?;
        overfill(&trial, 'a', LITTLE).await?;
        reconfigure(&trial, entries(harness, strategy, MORE)).await?;
        overfill(&trial, 'b', MORE).await?;
    }
    Ok(())
}

pub(super) async fn a_lowered_limit_is_reached_and_not_passed<H: Harness>(harness: &H) -> Outcome {
    for strategy in Strategy::ALL {
        for lower in [entries, bytes] {
            let trial = Trial::open(harness, entries(harness, strategy, MORE)).await?;
            overfill(&trial, 'a', MORE).await?;
            reconfigure(&trial, lower(harness, strategy, LITTLE)).await?;
            expect_full(
                &trial,
                "upkeep after the limit was lowered",
                written(harness, MORE),
                LITTLE,
            )
            .await?;
            let all = names('a', 0..written(harness, MORE));
            let held = weigh(&all, &trial.get_many(&all).await?);
            expect(format!("what can be read under {strategy}"), held, full(harness, LITTLE))?;
        }
    }
    Ok(())
}

pub(super) async fn writes_go_on_while_a_lowered_limit_is_reached<H: Harness>(
    harness: &H,
) -> Outcome {
    for strategy in Strategy::ALL {
        let trial = Trial::open(harness, entries(harness, strategy, MORE)).await?;
        overfill(&trial, 'a', MORE).await?;
        reconfigure(&trial, entries(harness, strategy, LITTLE)).await?;
        let more = names('b', 0..written(harness, LITTLE));
        trial.fill(&more, VALUE, None).await?;
        let count = written(harness, MORE) + written(harness, LITTLE);
        let what = format!("writes above the limit under {strategy}");
        expect_full(&trial, &what, count, LITTLE).await?;
        trial.put("latest", VALUE).await?;
        trial.expect_value(&what, "latest", VALUE).await?;
    }
    Ok(())
}

pub(super) async fn what_cannot_change_is_refused_and_nothing_changes<H: Harness>(
    harness: &H,
) -> Outcome {
    let config = |strategy, most| entries(harness, strategy, most);
    let trial = Trial::open(harness, config(Strategy::Lru, MORE)).await?;
    let before = trial.store.config();
    let check = async |next: ConfigBuilder, want: ChangeError| {
        let outcome = trial.store.reconfigure(&next.build().map_err(failed)?).await;
        match outcome {
            Err(ReconfigureError::Store(error)) => return Err(failed(error)),
            Err(ReconfigureError::Change(error)) => expect("why it is refused", error, want)?,
            Ok(()) => expect("what comes of a change", "done", "refused")?,
        }
        expect("the configuration after a refusal", trial.store.config(), before)
    };
    let fixed = |field| ChangeError::Fixed { field };
    check(config(Strategy::Fifo, LITTLE), fixed("strategy")).await?;
    let idle = config(Strategy::Lru, LITTLE).time_to_idle(Trial::<H>::moments(1));
    check(idle, fixed("time_to_idle")).await?;
    let partitions = harness.partitions();
    if partitions > 1 {
        let most = u64::from(partitions - 1);
        let too_low = Config::builder().strategy(Strategy::Lru).max_entries(most);
        check(too_low, ChangeError::NoRoom { partitions }).await?;
    }
    overfill(&trial, 'a', MORE).await
}

pub(super) async fn a_changed_ttl_is_for_what_is_written_from_then_on<H: Harness>(
    harness: &H,
) -> Outcome {
    let moments = Trial::<H>::moments;
    let roomy = || Config::builder().max_entries(1_000_000);
    let trial = Trial::open(harness, roomy().ttl(moments(4))).await?;
    trial.put("short", "value").await?;
    reconfigure(&trial, roomy().ttl(moments(100))).await?;
    trial.put("long", "value").await?;
    reconfigure(&trial, roomy()).await?;
    trial.put("immortal", "value").await?;
    reconfigure(&trial, roomy().ttl(moments(2))).await?;
    trial.put("shortest", "value").await?;
    trial.expect_value("before its time", "shortest", "value").await?;
    trial.pass(5).await;
    trial.expect_nothing("the TTL it was written with has passed", "short").await?;
    trial.expect_nothing("the changed TTL has passed", "shortest").await?;
    trial.expect_value("beyond TTLs that others have", "long", "value").await?;
    expect("lifetime", trial.lifetime("immortal").await?, Lifetime::Unlimited)
}

fn entries<H: Harness>(harness: &H, strategy: Strategy, most: u32) -> ConfigBuilder {
    Config::builder().strategy(strategy).max_entries(full(harness, most).entries)
}

fn bytes<H: Harness>(harness: &H, strategy: Strategy, most: u32) -> ConfigBuilder {
    Config::builder().strategy(strategy).max_bytes(full(harness, most).bytes)
}

async fn reconfigure<H: Harness>(trial: &Trial<'_, H>, config: ConfigBuilder) -> Outcome {
    let config = config.build().map_err(failed)?;
    trial.store.reconfigure(&config).await.map_err(failed)?;
    expect("the configuration after a change", trial.store.config(), config)
}

/// Writes many times what fits, so that every partition is full.
async fn overfill<H: Harness>(trial: &Trial<'_, H>, letter: char, most: u32) -> Outcome {
    let stats = trial.store.stats().await.map_err(failed)?;
    let all = names(letter, 0..written(trial.harness, most));
    trial.fill(&all, VALUE, None).await?;
    let count = stats.inserted.entries as u32 + all.len() as u32;
    expect_full(trial, "writing more than fits", count, most).await
}

/// Complains unless all that is above the limit goes, of `count` writes, and nothing more.
async fn expect_full<H: Harness>(
    trial: &Trial<'_, H>,
    what: &str,
    count: u32,
    most: u32,
) -> Outcome {
    let want = full(trial.harness, most);
    let is_so = |stats: &Stats| {
        let Usage { entries, bytes } = stats.usage;
        let is_within = entries <= want.entries && bytes <= want.bytes;
        is_within && stats.inserted.entries == u64::from(count)
    };
    let stats = trial.settle(what, is_so).await?;
    expect(format!("usage after {what}"), stats.usage, want)?;
    let gone = u64::from(count) - want.entries;
    expect(format!("entries evicted by {what}"), stats.evicted.entries, gone)
}

/// How many entries to write so that partitions with room for `most` are full.
fn written<H: Harness>(harness: &H, most: u32) -> u32 {
    8 * most * harness.partitions()
}

fn full<H: Harness>(harness: &H, most: u32) -> Usage {
    let entries = u64::from(most * harness.partitions());
    Usage { entries, bytes: entries * WEIGHT }
}
