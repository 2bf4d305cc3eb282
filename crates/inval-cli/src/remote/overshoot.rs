//! How far the entries of a namespace go beyond their limit, sampled while it is in use.

use std::time::Duration;

use inval_core::Config;
use inval_redis::{Client, Error, Repeat};
use redis::{Pipeline, Value};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::commands::Commands;
use super::names::Names;

/// How often a namespace of one partition is counted; one of several as many times less often.
const INTERVAL: Duration = Duration::from_millis(10);

/// How entries are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counting {
    /// The keys of the database, for there is nothing else in it.
    Keys,
    /// What the manager has booked, and the records that it has not read. Never less than there is,
    /// but once the journal was dropped.
    Books,
}

impl Counting {
    /// The way that suits the server before the namespace is made; `commands` is what it told of itself.
    pub(super) async fn choose(client: &Client, commands: Option<&Commands>) -> Self {
        if commands.is_none_or(Commands::is_of_cluster) {
            return Self::Books;
        }
        match client.command(&redis::cmd("DBSIZE"), Repeat::Safe).await {
            Ok(Value::Int(0)) => Self::Keys,
            _ => Self::Books,
        }
    }
}

/// A task that counts now and then. Dropped, it ends.
pub(super) struct Overshoot {
    end: oneshot::Sender<()>,
    most: JoinHandle<Option<u64>>,
}

impl Overshoot {
    /// Watches the entries of a namespace that keeps to `config`.
    pub(super) fn watch(
        client: &Client,
        names: &Names,
        config: &Config,
        counting: Counting,
    ) -> Self {
        let (end, ended) = oneshot::channel();
        let sampler = Sampler { client: client.clone(), names: names.clone(), counting };
        let limit = config.max_entries();
        let most = tokio::spawn(async move {
            match limit {
                Some(limit) => sampler.most_above(limit, ended).await,
                None => None,
            }
        });
        Self { end, most }
    }

    /// The most entries that were above the limit; `None` if there is no limit, or no counting.
    pub(super) async fn end(self) -> Option<u64> {
        let Self { end, most } = self;
        drop(end);
        most.await.ok().flatten()
    }
}

struct Sampler {
    client: Client,
    names: Names,
    counting: Counting,
}

impl Sampler {
    async fn most_above(self, limit: u64, mut ended: oneshot::Receiver<()>) -> Option<u64> {
        let interval = INTERVAL.saturating_mul(self.names.partitions().len() as u32);
        let mut most = None;
        loop {
            // One that fails is one less.
            if let Ok(entries) = self.entries().await {
                most = most.max(Some(entries.saturating_sub(limit)));
            }
            if timeout(interval, &mut ended).await.is_ok() {
                return most;
            }
        }
    }

    async fn entries(&self) -> Result<u64, Error> {
        match self.counting {
            Counting::Keys => self.keys().await,
            Counting::Books => self.booked().await,
        }
    }

    /// Keys in the database that are entries. Expired ones that the server still has are among them.
    async fn keys(&self) -> Result<u64, Error> {
        let mut pipe = redis::pipe();
        pipe.cmd("DBSIZE");
        for names in self.names.partitions() {
            pipe.cmd("LLEN").arg(names.journal());
            pipe.cmd("LLEN").arg(names.accesses());
            pipe.cmd("HLEN").arg(names.accounts());
            pipe.cmd("STRLEN").arg(names.lease());
        }
        let numbers = self.numbers(&pipe).await?;
        let others = numbers.iter().skip(1).filter(|&&length| length > 0).count() as u64;
        const CONFIG: u64 = 1;
        Ok(numbers.first().map_or(0, |keys| keys.saturating_sub(others + CONFIG)))
    }

    async fn booked(&self) -> Result<u64, Error> {
        let mut entries = 0;
        for names in self.names.partitions() {
            let mut pipe = redis::pipe();
            pipe.cmd("HGET").arg(names.accounts()).arg("entries");
            pipe.cmd("LLEN").arg(names.journal());
            entries += self.numbers(&pipe).await?.iter().sum::<u64>();
        }
        Ok(entries)
    }

    async fn numbers(&self, pipe: &Pipeline) -> Result<Vec<u64>, Error> {
        let replies = self.client.pipeline(pipe, Repeat::Safe).await?;
        Ok(replies.iter().map(number).collect())
    }
}

/// A number, as it is or in digits; 0 for what is not there.
fn number(reply: &Value) -> u64 {
    match reply {
        Value::Int(number) => u64::try_from(*number).unwrap_or(0),
        Value::BulkString(digits) => {
            std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(0)
        }
        _ => 0,
    }
}
