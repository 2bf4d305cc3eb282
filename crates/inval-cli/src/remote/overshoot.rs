//! How far the entries of a namespace go beyond their limit, sampled while it is in use.

use std::ops::AddAssign;
use std::time::Duration;

use inval_core::Config;
use inval_core::keyspace::Keyspace;
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
    /// The keys of the database, which was empty, but no more than by the books: somebody else may have
    /// begun to write there.
    Keys,
    /// What the manager has booked, and the records that it has not read. That is never less than there
    /// is, unless a journal was dropped.
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
            Counting::Keys => self.least_count().await,
            Counting::Books => self.booked().await,
        }
    }

    /// The lesser of two counts, neither of which is too low: keys in the database that are nothing else
    /// of the namespace, expired ones among them that the server still has; and what is booked or waits.
    async fn least_count(&self) -> Result<u64, Error> {
        let mut pipe = redis::pipe();
        pipe.cmd("DBSIZE");
        for names in self.names.partitions() {
            ask_books(&mut pipe, names);
            pipe.cmd("LLEN").arg(names.accesses());
            pipe.cmd("STRLEN").arg(names.lease());
            pipe.cmd("HLEN").arg(names.accounts());
        }
        let replies = self.client.pipeline(&pipe, Repeat::Safe).await?;
        let (keys, partitions) = replies.split_first().ok_or(Error::UnexpectedReply)?;
        // The configuration is a key as well.
        // The configuration is a key as well.
        let (mut keys, mut total) = (number(keys).saturating_sub(1), Books::default());
        for partition in partitions.chunks_exact(2 + 3) {
            let (books, others) = partition.split_at(2);
            let is_there = |length: &&Value| number(length) > 0;
            let others = others.iter().chain(&books[1..]).filter(is_there).count();
            keys = keys.saturating_sub(others as u64);
            total += Books::read(books);
        }
        Ok(if total.lacks_records { keys } else { keys.min(total.entries) })
    }

    async fn booked(&self) -> Result<u64, Error> {
        let mut total = Books::default();
        for names in self.names.partitions() {
            let mut pipe = redis::pipe();
            ask_books(&mut pipe, names);
            total += Books::read(&self.client.pipeline(&pipe, Repeat::Safe).await?);
        }
        Ok(total.entries)
    }
}

/// Asks for the accounts and for the length of the journal.
fn ask_books(pipe: &mut Pipeline, names: &Keyspace) {
    pipe.cmd("HMGET").arg(names.accounts()).arg("entries").arg("generation");
    pipe.cmd("LLEN").arg(names.journal());
}

/// What the answers to [`ask_books`] say.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Books {
    /// Entries booked, and records waiting.
    entries: u64,
    /// Whether a journal was dropped, with what it told.
    lacks_records: bool,
}

impl Books {
    fn read(replies: &[Value]) -> Self {
        let [Value::Array(accounts), waiting] = replies else { return Self::default() };
        let [entries, generation] = &accounts[..] else { return Self::default() };
        Self {
            entries: number(entries).saturating_add(number(waiting)),
            lacks_records: number(generation) > 0,
        }
    }
}

impl AddAssign for Books {
    fn add_assign(&mut self, other: Self) {
        self.entries += other.entries;
        self.lacks_records |= other.lacks_records;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn digits(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn books_count_what_is_booked_and_what_waits() {
        let check = |entries: Value, generation: Value, want: (u64, bool)| {
            let replies = [Value::Array(vec![entries, generation]), Value::Int(7)];
            let (entries, lacks_records) = want;
            assert_eq!(Books::read(&replies), Books { entries, lacks_records }, "{replies:?}");
        };
        check(Value::Nil, Value::Nil, (7, false));
        check(digits("100"), Value::Nil, (107, false));
        check(digits("100"), digits("0"), (107, false));
        check(digits("100"), digits("1"), (107, true));
    }
}
