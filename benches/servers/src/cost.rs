//! What a read and a write cost the server and the client, beside the plain commands.

use std::time::Duration;

use anyhow::Result;
use inval_core::{Config, Strategy};
use inval_redis::{CacheOptions, Repeat};
use redis::aio::MultiplexedConnection;

use crate::bed::{Bed, Manager, TTL, get, load, put};
use crate::report::Row;

/// Numbers of connections to compare.
const CONNECTIONS: [u32; 4] = [1, 2, 4, 8];

/// Server CPU and speed of one load.
#[derive(Clone, Copy)]
struct Cost {
    us_per_call: f64,
    per_second: f64,
}

/// What each round found, in the order of its loads.
#[derive(Default)]
struct Rounds {
    /// The plain commands over the library's connections, and its calls.
    get: Vec<(Cost, Cost)>,
    put_below: Vec<(Cost, Cost)>,
    put_at: Vec<(Cost, Cost)>,
    /// By hand with redis-rs, and through the library.
    get_calls: Vec<(Cost, Cost)>,
    /// The transaction by hand, and through the library with the manager elsewhere.
    put_calls: Vec<(Cost, Cost)>,
    /// The same with the manager in the process of the clients.
    put_managed: Vec<(Cost, Cost)>,
    get_over: [Vec<f64>; CONNECTIONS.len()],
    bytes: Vec<f64>,
}

pub(crate) async fn measure(rounds: usize, operations: usize) -> Result<Vec<Row>> {
    let bed = Bed::new().await?;
    let mut found = Rounds::default();
    // The first one warms up.
    one_round(&bed, operations, &mut Rounds::default()).await?;
    for _ in 0..rounds {
        one_round(&bed, operations, &mut found).await?;
    }
    let cpu = |pairs: &[(Cost, Cost)]| {
        let plain = median(pairs.iter().map(|(plain, _)| plain.us_per_call));
        let ours = median(pairs.iter().map(|(_, ours)| ours.us_per_call));
        let ratio = median(pairs.iter().map(|(plain, ours)| ours.us_per_call / plain.us_per_call));
        format!("{ratio:.2}× ({ours:.2} µs; plain {plain:.2} µs)")
    };
    let speed = |pairs: &[(Cost, Cost)]| {
        let ours = median(pairs.iter().map(|(_, ours)| ours.per_second));
        let ratio = median(pairs.iter().map(|(plain, ours)| ours.per_second / plain.per_second));
        format!("{ratio:.2}× ({:.0} k/s)", ours / 1e3)
    };
    let over = CONNECTIONS.iter().zip(found.get_over).map(|(connections, per_second)| {
        format!("{connections}: {:.0} k/s", median(per_second.into_iter()) / 1e3)
    });
    let over = over.collect::<Vec<_>>().join(", ");
    Ok(vec![
        Row::new("get, throughput by connections shared by 64 calls", over, "", ""),
        Row::new("get ÷ GET, server CPU", cpu(&found.get), "≤ 1.05×", "1.00×"),
        Row::new(
            "put below the limit ÷ SET PX, server CPU, drain included",
            cpu(&found.put_below),
            "≤ 2.0×",
            "≤ 1.6×",
        ),
        Row::new(
            "put at the limit ÷ SET PX, server CPU, drain and eviction included",
            cpu(&found.put_at),
            "≤ 2.8×",
            "≤ 2.2×",
        ),
        Row::new(
            "bytes per entry added on the server, drained",
            format!("{:.2}", median(found.bytes.iter().copied())),
            "≤ 2",
            "0",
        ),
        Row::new("get ÷ bare redis-rs, throughput", speed(&found.get_calls), "≥ 0.9×", "≥ 0.95×"),
        Row::new(
            "put ÷ bare redis-rs sending the same transaction, throughput",
            speed(&found.put_calls),
            "≥ 0.9×",
            "≥ 0.95×",
        ),
        Row::new(
            "the same with the manager on the client's one thread as well",
            speed(&found.put_managed),
            "",
            "",
        ),
    ])
}

async fn one_round(bed: &Bed, operations: usize, found: &mut Rounds) -> Result<()> {
    bed.flush()?;
    let empty = bed.data_memory()?;
    let set = plain_set(bed, operations).await?;
    let plain_bytes = bed.data_memory()? - empty;
    let plain_get = plain_get(bed, operations).await?;
    let bare_get = bare_get(bed, operations).await?;

    bed.flush()?;
    let transaction = bare_transaction(bed, operations).await?;

    let config = Config::builder()
        .strategy(Strategy::Lru)
        .max_entries(4 * operations as u64)
        .ttl(TTL)
        .build()?;
    bed.flush()?;
    let journal_cap = 2 * operations as u64;
    let options = CacheOptions { journal_cap, ..CacheOptions::default() };
    let (putting, value) = (bed.cache("bench", config, options).await?, bed.value.clone());
    let calls = measured(bed, operations, move |n| put(putting.clone(), n, value.clone())).await?;
    found.put_calls.push((transaction, calls));

    bed.flush()?;
    let cache = bed.cache("bench", config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    manager.settle(0).await?;
    let empty = bed.data_memory()?;
    let (putting, value) = (cache.clone(), bed.value.clone());
    let before = bed.cpu()?;
    let per_second = load(0..operations, move |n| put(putting.clone(), n, value.clone())).await?;
    manager.settle(operations as u64).await?;
    let put = cost(bed, before, operations, per_second)?;
    found.put_below.push((set, put));
    found.put_managed.push((transaction, put));
    found
        .bytes
        .push((bed.data_memory()? as f64 - empty as f64 - plain_bytes as f64) / operations as f64);

    for (connections, speeds) in CONNECTIONS.iter().zip(&mut found.get_over) {
        let cache = bed.cache_over(*connections, config).await?;
        speeds.push(load(0..operations, move |n| get(cache.clone(), n)).await?);
    }
    let get = measured(bed, operations, move |n| get(cache.clone(), n)).await?;
    found.get.push((plain_get, get));
    found.get_calls.push((bare_get, get));
    manager.stop().await?;

    put_at_limit(bed, operations, set, found).await
}

async fn put_at_limit(bed: &Bed, operations: usize, set: Cost, found: &mut Rounds) -> Result<()> {
    bed.flush()?;
    let limit = operations / 2;
    let config =
        Config::builder().strategy(Strategy::Lru).max_entries(limit as u64).ttl(TTL).build()?;
    let cache = bed.cache("bench", config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    let (putting, value) = (cache.clone(), bed.value.clone());
    let fill = move |n| put(putting.clone(), n, value.clone());
    load(0..limit, fill.clone()).await?;
    manager.settle(limit as u64).await?;
    let before = bed.cpu()?;
    let per_second = load(limit..limit + operations, fill).await?;
    manager.settle(limit as u64).await?;
    found.put_at.push((set, cost(bed, before, operations, per_second)?));
    manager.stop().await?;
    Ok(())
}

/// Over the library's own connections, so that as many commands come together as with its calls: how
/// many come in one piece decides what each costs the server.
async fn plain_set(bed: &Bed, operations: usize) -> Result<Cost> {
    let (client, value) = (bed.client(), bed.value.clone());
    measured(bed, operations, move |n| {
        let (client, value) = (client.clone(), value.clone());
        async move {
            let mut set = redis::cmd("SET");
            set.arg(Bed::name("bench", n)).arg(&value[..]).arg("PX").arg(TTL.as_millis() as u64);
            client.command(&set, Repeat::Safe).await?;
            Ok(())
        }
    })
    .await
}

async fn plain_get(bed: &Bed, operations: usize) -> Result<Cost> {
    let client = bed.client();
    measured(bed, operations, move |n| {
        let client = client.clone();
        async move {
            let mut get = redis::cmd("GET");
            get.arg(Bed::name("bench", n));
            let value = client.command(&get, Repeat::Safe).await?;
            anyhow::ensure!(value != redis::Value::Nil);
            Ok(())
        }
    })
    .await
}

/// What a put sends, sent by hand.
async fn bare_transaction(bed: &Bed, operations: usize) -> Result<Cost> {
    let value = bed.value.clone();
    bare(bed, operations, move |mut connection, n| {
        let value = value.clone();
        async move {
            let ttl = TTL.as_millis() as u64;
            let mut pipe = redis::pipe();
            let pipe = pipe.atomic();
            pipe.cmd("SET").arg(Bed::name("bench", n)).arg(&value[..]).arg("PX").arg(ttl);
            let record = format!("1p {} {ttl} {n:016x}", value.len());
            pipe.cmd("RPUSH").arg("inval:{bench:0}:j").arg(record);
            Ok(pipe.exec_async(&mut connection).await?)
        }
    })
    .await
}

async fn bare_get(bed: &Bed, operations: usize) -> Result<Cost> {
    bare(bed, operations, |mut connection, n| async move {
        let mut get = redis::cmd("GET");
        get.arg(Bed::name("bench", n));
        let value: Vec<u8> = get.query_async(&mut connection).await?;
        anyhow::ensure!(!value.is_empty());
        Ok(())
    })
    .await
}

/// The cost of a call made by hand, over the bare connections in turn.
async fn bare<C, F>(bed: &Bed, operations: usize, call: C) -> Result<Cost>
where
    C: Fn(MultiplexedConnection, usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let connections = [bed.bare(0), bed.bare(1)];
    measured(bed, operations, move |n| call(connections[n % 2].clone(), n)).await
}

async fn measured<C, F>(bed: &Bed, operations: usize, call: C) -> Result<Cost>
where
    C: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let before = bed.cpu()?;
    let per_second = load(0..operations, call).await?;
    cost(bed, before, operations, per_second)
}

fn cost(bed: &Bed, before: Duration, operations: usize, per_second: f64) -> Result<Cost> {
    let used = bed.cpu()?.saturating_sub(before);
    Ok(Cost { us_per_call: used.as_secs_f64() * 1e6 / operations as f64, per_second })
}

pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
