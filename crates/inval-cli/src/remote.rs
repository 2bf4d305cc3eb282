//! A replay against a server: one cache after the other, each in a namespace of its own that is gone
//! afterwards.

mod names;
mod manager;
mod overshoot;
mod commands;
mod stop;

use std::io::{self, Write};

use anyhow::Context;
use inval_core::{Config, Store};
use inval_redis::{Cache, CacheOptions, Client, ConnectOptions, Target};
use inval_replay::{OnServer, Outcome, StoreReplayError, Tally, replay_store};
use tokio::runtime::Runtime;

use crate::args::ReplayArgs;
use crate::failure::{Interrupted, UsageError};
use crate::replay::tell_skipped;
use crate::source::Source;
use commands::Commands;
use manager::Manager;
use names::Names;
use overshoot::{Counting, Overshoot};
use stop::Stop;

/// Replays the source through a cache on the server for each of `configs`.
pub(crate) fn replay(
    args: &ReplayArgs,
    source: &Source,
    configs: &[Config],
    target: &Target,
) -> anyhow::Result<Vec<Outcome>> {
    if configs.len() > 1 && !source.is_repeatable() {
        return Err(UsageError::SeveralPasses.into());
    }
    Runtime::new()?.block_on(async {
        let credentials = args.store_credentials.clone().unwrap_or_default();
        let options = ConnectOptions { credentials, ..ConnectOptions::default() };
        let client = Client::connect(target, options).await;
        let client = client.with_context(|| target.to_string())?;
        let stop = Stop::on_signals();
        let mut session = Session { args, source, target, client, stop, skipped: 0 };
        let mut outcomes = Vec::with_capacity(configs.len());
        for config in configs {
            outcomes.push(session.pass(config).await?);
        }
        tell_skipped(session.skipped);
        Ok(outcomes)
    })
}

/// What all passes have in common.
struct Session<'a> {
    args: &'a ReplayArgs,
    source: &'a Source,
    target: &'a Target,
    client: Client,
    stop: Stop,
    /// Malformed lines passed over, the same in every pass.
    skipped: u64,
}

impl Session<'_> {
    /// Replays in a new namespace, and deletes it whatever came of that.
    async fn pass(&mut self, config: &Config) -> anyhow::Result<Outcome> {
        let names = Names::new(config, self.args.shards)?;
        let before = Commands::read(&self.client, &names).await;
        let counting = Counting::choose(&self.client, before.as_ref()).await;
        let options = CacheOptions { partitions: self.args.shards, ..CacheOptions::default() };
        let namespace = names.namespace().clone();
        let cache = Cache::open(self.client.clone(), namespace, *config, options).await;
        let cache = self.of_server(cache)?;

        let outcome = async {
            let overshoot = Overshoot::watch(&self.client, &names, config, counting);
            let tally = self.managed(&cache).await?;
            let overshoot_max_entries = overshoot.end().await;
            let after = Commands::read(&self.client, &names).await;
            let spent = before.zip(after).and_then(|(before, after)| after.since(&before));
            let on_server = OnServer {
                overshoot_max_entries,
                server_us_per_get: spent.and_then(|spent| spent.us_per_read()),
                server_us_per_put: spent.and_then(|spent| spent.us_per_write(tally.misses)),
            };
            let stats = self.of_server(cache.stats().await)?;
            Ok(tally.outcome(&self.source.name(), config, &stats, Some(on_server)))
        };
        let outcome = outcome.await;
        match cache.destroy().await {
            Ok(()) => outcome,
            Err(error) => {
                let names = names.pattern();
                let _ = writeln!(io::stderr(), "inval: keys were left on the server: {names}");
                outcome.and(self.of_server(Err(error)))
            }
        }
    }

    /// Replays while a manager works, and until it has done all that there was to do.
    async fn managed(&mut self, cache: &Cache) -> anyhow::Result<Tally> {
        let manager = Manager::start(cache, &self.stop);
        let tally = self.requests(cache).await;
        let is_wanted = tally.is_ok() && !self.stop.is_wanted();
        let ended = if is_wanted { manager.settle().await } else { manager.end().await };
        self.of_server(ended)?;
        if self.stop.is_wanted() { Err(Interrupted.into()) } else { tally }
    }

    async fn requests(&mut self, cache: &Cache) -> anyhow::Result<Tally> {
        let mut requests = self.source.open(cache.config().strategy().name())?;
        let until_stopped = requests.by_ref().take_while(|_| !self.stop.is_wanted());
        let tally = replay_store(cache, until_stopped, self.args.concurrency as usize).await;
        self.skipped = requests.skipped();
        tally.or_else(|error| match error {
            StoreReplayError::Store(error) => self.of_server(Err(error)),
            StoreReplayError::Requests(error) => Err(error.into()),
        })
    }

    /// Adds to an error which server it came from.
    fn of_server<T, E>(&self, result: Result<T, E>) -> anyhow::Result<T>
    where
        Result<T, E>: Context<T, E>,
    {
        result.with_context(|| self.target.to_string())
    }
}
