//! The books against what is really there.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use inval_core::engine::Accounts;
use inval_core::keyspace::Keyspace;
use inval_core::{Namespace, Stats, Store, Usage};
use inval_redis::{Cache, Client, Cursor, Repeat};
use redis::Value;

use super::patience::settle;

/// Waits until the accounts of every partition say just what is there, within the limits, and add up,
/// with nothing left in a journal. Somebody must manage meanwhile. Then every entry is looked at,
/// which counts as an access.
pub(crate) async fn exact(client: &Client, cache: &Cache) -> Stats {
    let mut total = Stats::default();
    for partition in 0..Store::partitions(cache) {
        let names = Keyspace::new(cache.namespace(), partition);
        let what = format!("the books of {} are exact", cache.namespace());
        let accounts =
            settle(&what, async || compare(client, cache, partition, &names).await).await;
        total += &accounts.stats;
    }
    total
}

/// The accounts of a partition if they say just what is there; else what is wrong.
pub(crate) async fn compare(
    client: &Client,
    cache: &Cache,
    partition: u32,
    names: &Keyspace,
) -> Result<Accounts, String> {
    let ask = |error| format!("{error:?}");
    let mut llen = redis::cmd("LLEN");
    llen.arg(names.journal());
    let backlog = client.command(&llen, Repeat::Safe).await.map_err(ask)?;
    // In this order: what is off the journal is in the accounts.
    let before = cache.accounts(partition).await.map_err(ask)?;
    if backlog != Value::Int(0) || is_above_limit(cache, partition, before.stats.usage)? {
        return Err(format!("backlog {backlog:?}, accounts {:?}", before.stats.usage));
    }
    let held = held(client, names).await.map_err(ask)?;
    let after = cache.accounts(partition).await.map_err(ask)?;
    let mut accounted = after.stats.usage;
    accounted += after.stats.removed_in_all();
    let is_exact = before.stats.usage == held
        && after.stats.usage == held
        && accounted == after.stats.inserted;
    if is_exact { Ok(after) } else { Err(format!("held {held:?}, accounts {after:?}")) }
}

fn is_above_limit(cache: &Cache, partition: u32, usage: Usage) -> Result<bool, String> {
    let partitions = Store::partitions(cache).into();
    let limits = cache.config().partition(partition.into(), partitions);
    let limits = limits.ok_or("the limits leave a partition without any room")?;
    Ok(limits.max_entries().is_some_and(|most| usage.entries > most)
        || limits.max_bytes().is_some_and(|most| usage.bytes > most))
}

/// What is there of a partition, in strings: anything else is no entry.
pub(crate) async fn held(client: &Client, names: &Keyspace) -> Result<Usage, inval_redis::Error> {
    let pattern = [names.entries().as_bytes(), b"*"].concat();
    let mut usage = Usage::default();
    let mut seen = std::collections::HashSet::new();
    let mut next = Some(Cursor::START);
    while let Some(cursor) = next {
        let page = client.scan(names.accounts().as_bytes(), cursor, &pattern, 1000).await?;
        let fresh: Vec<_> =
            page.names.into_iter().filter(|name| seen.insert(name.clone())).collect();
        let mut lengths = redis::pipe();
        for name in &fresh {
            lengths.cmd("STRLEN").arg(name);
        }
        let found = client.pipeline_each(&lengths, Repeat::Safe).await?;
        for (name, length) in fresh.iter().zip(found) {
            // A value is empty or not there; which of them, the next command says.
            let Ok(Value::Int(length)) = length else { continue };
            if length > 0 || exists(client, name).await? {
                let key = names.key_of(name).unwrap_or_default().len();
                usage += Usage { entries: 1, bytes: key as u64 + length.unsigned_abs() };
            }
        }
        next = page.next;
    }
    Ok(usage)
}

async fn exists(client: &Client, name: &[u8]) -> Result<bool, inval_redis::Error> {
    let mut exists = redis::cmd("EXISTS");
    exists.arg(name);
    Ok(client.command(&exists, Repeat::Safe).await? == Value::Int(1))
}

/// Everything that a namespace has on a server, of whatever kind.
pub(crate) fn belongs_to(namespace: &Namespace, name: &str) -> bool {
    name.starts_with(&format!("inval:{{{namespace}"))
}
