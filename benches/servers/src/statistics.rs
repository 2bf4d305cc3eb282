//! What reading the statistics of a full namespace costs the server, beside plain commands.

use anyhow::{Context, Result};
use inval_core::{Config, Store, Strategy};
use inval_redis::{CacheOptions, Repeat};
use redis::{Cmd, cmd};

use crate::bed::{Bed, Manager, TTL, get};
use crate::report::Row;

/// How often each is measured.
const READINGS: usize = 10_000;
const NAMESPACE: &str = "statistics";

/// What one reading cost the server.
struct Cost {
    us: f64,
    round_trips: f64,
}

pub(crate) async fn measure(entries: usize) -> Result<Vec<Row>> {
    let bed = Bed::new().await?;
    bed.flush()?;
    // A tenth of them has to go, so that there are ages to tell.
    bed.fill(NAMESPACE, entries + entries / 10, || TTL).await?;
    let config = Config::builder().strategy(Strategy::Fifo).max_entries(entries as u64).build()?;
    let cache = bed.cache(NAMESPACE, config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    manager.settle(entries as u64).await?;
    manager.stop().await?;
    let present = bed.some_key(NAMESPACE)?;

    let accounts = format!("inval:{{{NAMESPACE}:0}}:s");
    let mut hgetall = cmd("HGETALL");
    hgetall.arg(&accounts);
    let fields = bed.ask(&["HLEN", &accounts])?.int().context("HLEN")?;
    let plain = commands(&bed, &hgetall).await?;
    let ping = commands(&bed, &cmd("PING")).await?;
    let reading = cost(&bed, async || {
        for _ in 0..READINGS {
            anyhow::ensure!(cache.stats().await?.usage.entries == entries as u64);
        }
        Ok(())
    })
    .await?;
    let telling = cost(&bed, async || {
        for _ in 0..READINGS {
            get(cache.clone(), present).await?;
            cache.stats().await?;
        }
        Ok(())
    })
    .await?;
    let measure = |what: &str| format!("reading the statistics of {entries} entries, {what}");
    Ok(vec![
        Row::new(
            &measure("server time"),
            format!(
                "{:.2} µs ({fields} fields; plain HGETALL {:.2} µs, PING {:.2} µs)",
                reading.us, plain.us, ping.us
            ),
            "",
            "",
        ),
        Row::new(&measure("round trips"), format!("{:.2}", reading.round_trips), "1", "1"),
        Row::new(
            &measure("after each GET, with the GET and telling of it"),
            format!("{:.2} µs, {:.2} round trips", telling.us, telling.round_trips),
            "",
            "2 round trips",
        ),
    ])
}

async fn commands(bed: &Bed, command: &Cmd) -> Result<Cost> {
    let client = bed.client();
    cost(bed, async || {
        for _ in 0..READINGS {
            client.command(command, Repeat::Safe).await?;
        }
        Ok(())
    })
    .await
}

/// What each of the readings cost that `work` does, one after the other.
async fn cost(bed: &Bed, work: impl AsyncFnOnce() -> Result<()>) -> Result<Cost> {
    bed.ask(&["CONFIG", "RESETSTAT"])?;
    work().await?;
    let each = |sum: u64| sum as f64 / READINGS as f64;
    let round_trips = each(bed.reads_processed()?);
    Ok(Cost { us: each(bed.commands_us()?), round_trips })
}
