//! Miss ratios of a real trace, beside those of the embedded store.

use std::path::Path;

use anyhow::{Context, Result};
use inval_core::{Config, Strategy};
use inval_redis::CacheOptions;
use inval_replay::trace::{Format, Reader};
use inval_replay::{Replay, Request, count_unique_keys, replay_store};

use crate::bed::{Bed, CALLS, Manager};
use crate::cost::median;
use crate::report::Row;

const STRATEGIES: [Strategy; 2] = [Strategy::Lru, Strategy::S3Fifo];

pub(crate) async fn measure(rounds: usize, trace: &Path) -> Result<Vec<Row>> {
    let requests = || Reader::open(trace, Format::Csv);
    let capacity = count_unique_keys(requests()?)? / 10;
    let config = |strategy| Config::builder().strategy(strategy).max_entries(capacity).build();
    let configs = STRATEGIES.map(config).into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut embedded = Replay::new("", configs.iter().copied(), 1);
    embedded.run(requests()?)?;
    let name = trace.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.split('.').next().unwrap_or_default();
    let bed = Bed::new().await?;
    let mut rows = Vec::new();
    for (config, embedded) in configs.into_iter().zip(embedded.finish()) {
        let mut found = Vec::new();
        for _ in 0..rounds {
            found.push(on_server(&bed, config, requests()?).await? - embedded.miss_ratio);
        }
        let least = found.iter().copied().fold(f64::INFINITY, f64::min);
        let most = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        rows.push(Row::new(
            &format!(
                "miss ratio of {name}, {} at 10 %, against {:.4} embedded",
                config.strategy(),
                embedded.miss_ratio
            ),
            format!("{:+.4} ({least:+.4} to {most:+.4})", median(found.iter().copied())),
            "≤ +0.02",
            "≤ +0.005",
        ));
    }
    Ok(rows)
}

async fn on_server<E: std::error::Error + Send + Sync + 'static>(
    bed: &Bed,
    config: Config,
    requests: impl Iterator<Item = Result<Request, E>>,
) -> Result<f64> {
    bed.flush()?;
    let cache = bed.cache("trace", config, CacheOptions::default()).await?;
    let manager = Manager::start(&cache);
    manager.settle(0).await?;
    let tally = replay_store(&cache, requests, CALLS).await.context("the replay")?;
    manager.stop().await?;
    Ok(tally.misses as f64 / tally.requests as f64)
}
