//! The manager of the replay's namespace: a task for each partition that maintains it.

use std::time::Duration;

use inval_core::{Budget, Slice, Store};
use inval_redis::{Cache, Error};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::stop::Stop;

/// How long one slice may take.
const BUDGET: Budget = Budget::within(Duration::from_millis(10));
/// The pause after an error that may pass.
const PAUSE: Duration = Duration::from_millis(50);
/// How long it may take, after the last request, to book everything and to keep the limits.
const SETTLING: Duration = Duration::from_secs(10);

/// What the tasks are to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wish {
    GoOn,
    /// End as soon as there is nothing left to do.
    Settle,
    End,
}

/// The tasks. Dropped, they end in the middle of what they do.
pub(super) struct Manager {
    wish: watch::Sender<Wish>,
    tasks: JoinSet<Result<(), Error>>,
}

impl Manager {
    /// Maintains all partitions of `cache`. Wants everything to `stop` when it cannot go on.
    pub(super) fn start(cache: &Cache, stop: &Stop) -> Self {
        let wish = watch::Sender::new(Wish::GoOn);
        let mut tasks = JoinSet::new();
        for partition in 0..Store::partitions(cache) {
            let (cache, stop, wish) = (cache.clone(), stop.clone(), wish.subscribe());
            tasks.spawn(async move {
                let ended = maintain(&cache, partition, wish).await;
                if ended.is_err() {
                    stop.want();
                }
                ended
            });
        }
        Self { wish, tasks }
    }

    /// Ends it when all that was written is booked and the limits are kept, or after a while.
    pub(super) async fn settle(mut self) -> Result<(), Error> {
        self.wish.send_replace(Wish::Settle);
        match timeout(SETTLING, self.joined()).await {
            Ok(joined) => joined,
            Err(_) => self.end().await,
        }
    }

    /// Ends it after the slices under way.
    pub(super) async fn end(mut self) -> Result<(), Error> {
        self.wish.send_replace(Wish::End);
        self.joined().await
    }

    async fn joined(&mut self) -> Result<(), Error> {
        while let Some(task) = self.tasks.join_next().await {
            // A task that panicked has said so on standard error.
            task.unwrap_or(Ok(()))?;
        }
        Ok(())
    }
}

async fn maintain(
    cache: &Cache,
    partition: u32,
    mut wish: watch::Receiver<Wish>,
) -> Result<(), Error> {
    loop {
        let wished = *wish.borrow_and_update();
        if wished == Wish::End {
            return Ok(());
        }
        let pause = match Store::maintain(cache, partition, BUDGET).await {
            Ok(slice) if wished == Wish::Settle && is_settled(&slice) => return Ok(()),
            Ok(slice) => slice.next,
            Err(error) if error.is_retryable() => PAUSE,
            Err(error) => return Err(error),
        };
        tokio::select! {
            () = sleep(pause) => {}
            _ = wish.changed() => {}
        }
    }
}

/// Whether a slice has asked the server, and there was nothing to do: what was done before is accounted for.
fn is_settled(slice: &Slice) -> bool {
    slice.is_idle() && slice.held > Duration::ZERO
}
