//! Telling the server what was read, and reading the accounts: both in one round trip.

use inval_core::engine::Accounts;
use inval_core::{Key, Stats};
use redis::{Cmd, Pipeline, Value, cmd};
use tokio::task::JoinHandle;

use crate::cache::{Cache, Partition};
use crate::connect::Repeat;
use crate::error::Error;
use crate::reads::Report;
use crate::wire;

/// The longest access buffer, in batches.
const MOST_BATCHES: i64 = 256;

impl Cache {
    /// What the accounts of a partition say, with what this client has read; the last partition's if there are
    /// fewer.
    pub async fn accounts(&self, partition: u32) -> Result<Accounts, Error> {
        arrived(self.ask(self.partition(partition).index).await)
    }

    /// What this client counted and the accounts of all partitions, which are asked at the same time.
    pub(crate) async fn total(&self) -> Result<Stats, Error> {
        let answers: Vec<_> = (0..self.partitions().len()).map(|index| self.ask(index)).collect();
        let mut total = Stats::default();
        for answer in answers {
            total += &arrived(answer.await)?.stats;
        }
        Ok(total)
    }

    /// Counts a read, and tells the server of reads when it is time to.
    pub(crate) fn count_read(&self, partition: &Partition, key: &Key, is_hit: bool) {
        if partition.reads.count(key, is_hit)
            && let Some(report) = partition.reads.begin()
        {
            let (cache, index) = (self.clone(), partition.index);
            tokio::spawn(async move {
                let partition = &cache.partitions()[index];
                let mut question = cmd("HGET");
                question.arg(partition.names.accounts()).arg("touch_permille");
                let answer = cache.tell(partition, report, question).await;
                partition.reads.told(answer.ok().as_ref().and_then(permille));
                cache.follow_soon();
            });
        }
    }

    /// Asks a partition for its accounts. It is carried to its end even if nobody waits for it, so that
    /// what is told on the way is either told or kept.
    fn ask(&self, index: usize) -> JoinHandle<Result<Accounts, Error>> {
        let cache = self.clone();
        tokio::spawn(async move { cache.read_accounts(&cache.partitions()[index]).await })
    }

    async fn read_accounts(&self, partition: &Partition) -> Result<Accounts, Error> {
        // Where somebody is telling just now, that will be counted the next time.
        let Some(report) = partition.reads.begin() else {
            return accounts_of(self.client().command(&hgetall(partition), Repeat::Safe).await?);
        };
        let was_telling = !report.is_empty();
        let answer = match self.tell(partition, report, hgetall(partition)).await {
            // What was told must not be told again, but there is no harm in asking again.
            Err(error) if was_telling && error.is_outcome_unknown() => {
                self.client().command(&hgetall(partition), Repeat::Safe).await
            }
            answer => answer,
        };
        let accounts = answer.and_then(accounts_of);
        partition.reads.told(accounts.as_ref().ok().map(|accounts| accounts.touch_permille));
        accounts
    }

    /// Tells what is in a report and asks a question along with it. What the server refuses to take is kept. What
    /// may or may not have been told is not: counting twice would be worse than not at all.
    async fn tell(
        &self,
        partition: &Partition,
        mut report: Report,
        question: Cmd,
    ) -> Result<Value, Error> {
        let mut pipe = redis::pipe();
        push_report(&mut pipe, partition, &report);
        pipe.add_command(question);
        let repeat = if report.is_empty() { Repeat::Safe } else { Repeat::Never };
        let replies = self.client().pipeline_each(&pipe, repeat).await;
        if let Ok(replies) = &replies {
            report.strike_off(replies);
        }
        if !replies.as_ref().is_err_and(Error::is_outcome_unknown) {
            partition.reads.keep(&report);
        }
        replies?.pop().unwrap_or(Err(Error::UnexpectedReply))
    }
}

fn push_report(pipe: &mut Pipeline, partition: &Partition, report: &Report) {
    let names = &partition.names;
    for (field, count) in [("hits", report.hits), ("misses", report.misses)] {
        if count > 0 {
            pipe.cmd("HINCRBY").arg(names.accounts()).arg(field).arg(count);
        }
    }
    if !report.touched.is_empty() {
        pipe.cmd("RPUSH").arg(names.accesses()).arg(report.touched.as_bytes());
        pipe.cmd("LTRIM").arg(names.accesses()).arg(-MOST_BATCHES).arg(-1);
    }
}

fn hgetall(partition: &Partition) -> Cmd {
    let mut command = cmd("HGETALL");
    command.arg(partition.names.accounts());
    command
}

fn accounts_of(value: Value) -> Result<Accounts, Error> {
    let fields = wire::fields_of(value)?;
    Ok(Accounts::from_fields(fields.iter().map(|(field, value)| (field.as_str(), *value))))
}

fn permille(reply: &Value) -> Option<u64> {
    match reply {
        Value::BulkString(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        Value::Nil => Some(0),
        _ => None,
    }
}

/// What a task came to. One that did not end was ended with its runtime.
fn arrived<T>(outcome: Result<Result<T, Error>, tokio::task::JoinError>) -> Result<T, Error> {
    outcome.unwrap_or(Err(Error::ConnectionLost))
}
