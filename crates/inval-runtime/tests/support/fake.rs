//! A store that holds nothing: it notes when it is maintained, and answers as it is told.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use inval_core::{
    Budget, Config, Cursor, EntryInfo, Key, Lifetime, Page, Put, PutOptions, ReconfigureError,
    Removal, RemovalListener, Slice, Stats, Store, Usage,
};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::refusing::refuse_operations;

/// What the store is unable to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this store is out of order")]
pub(crate) struct OutOfOrder;

/// How a slice of upkeep ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// With this, at once.
    Slice(Slice),
    /// With this, after so long.
    After(Duration, Slice),
    Fail,
    Panic,
    /// Never.
    Hang,
}

type Script = Box<dyn FnMut(u32, Budget) -> Answer + Send>;
/// What a page is, by its partition and its number in the partition; `None` is a failure.
type PageScript = Box<dyn FnMut(u32, u64) -> Option<Page> + Send>;

pub(crate) struct Fake {
    partitions: u32,
    script: Mutex<Script>,
    slices: Mutex<Vec<(Instant, u32, Budget)>>,
    page_script: Mutex<Option<PageScript>>,
    pages: Mutex<Vec<(Instant, u32)>>,
    config: Mutex<Config>,
    listener: Mutex<Option<RemovalListener>>,
    pub(crate) under_way: AtomicU64,
    pub(crate) stats_read: AtomicU64,
    pub(crate) released: AtomicU64,
    pub(crate) fails_to_release: AtomicBool,
    pressure: Notify,
}

impl Fake {
    /// A store of one partition with nothing to do.
    pub(crate) fn idle() -> Arc<Self> {
        Self::new(1, |_, _| Answer::Slice(idle()))
    }

    pub(crate) fn new(
        partitions: u32,
        script: impl FnMut(u32, Budget) -> Answer + Send + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            partitions,
            script: Mutex::new(Box::new(script)),
            slices: Mutex::default(),
            page_script: Mutex::default(),
            pages: Mutex::default(),
            config: Mutex::new(Config::builder().max_entries(100).build().unwrap()),
            listener: Mutex::default(),
            under_way: AtomicU64::new(0),
            stats_read: AtomicU64::new(0),
            released: AtomicU64::new(0),
            fails_to_release: AtomicBool::new(false),
            pressure: Notify::new(),
        })
    }

    /// When slices were asked for so far, and for which partition.
    pub(crate) fn slices(&self) -> Vec<(Instant, u32)> {
        self.slices.lock().unwrap().iter().map(|(at, partition, _)| (*at, *partition)).collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.slices.lock().unwrap().len()
    }

    pub(crate) fn last_budget(&self) -> Budget {
        self.slices.lock().unwrap().last().unwrap().2
    }

    /// Answers with these pages from now on, each of which takes as long as it holds the server.
    pub(crate) fn paged(&self, script: impl FnMut(u32, u64) -> Option<Page> + Send + 'static) {
        *self.page_script.lock().unwrap() = Some(Box::new(script));
    }

    /// When pages were asked for so far, and of what size.
    pub(crate) fn pages(&self) -> Vec<(Instant, u32)> {
        self.pages.lock().unwrap().clone()
    }

    /// Tells the listener that so many entries have left.
    pub(crate) fn remove(&self, count: u64) {
        let listener = self.listener.lock().unwrap().clone().unwrap();
        for _ in 0..count {
            let (weight, cause) = (inval_core::Weight::new(9), inval_core::RemovalCause::Evicted);
            listener(&Removal { key: b"key", weight, cause });
        }
    }

    /// Writers are waiting.
    pub(crate) fn press(&self) {
        self.pressure.notify_one();
    }
}

/// A slice that found nothing to do and wants to be the last for a minute.
pub(crate) fn idle() -> Slice {
    Slice { held: Duration::from_micros(1), next: Duration::from_secs(60), ..Slice::default() }
}

/// A slice that has something left to do.
pub(crate) fn busy(held: Duration) -> Slice {
    Slice { expired: 100, backlog: 1_000, held, next: Duration::ZERO, ..Slice::default() }
}

impl Store for Fake {
    type Error = OutOfOrder;

    refuse_operations!(OutOfOrder);

    /// As many hits as it has been asked for statistics.
    async fn stats(&self) -> Result<Stats, OutOfOrder> {
        tokio::task::yield_now().await;
        let hits = self.stats_read.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Stats { hits, ..Stats::default() })
    }

    /// As much as it has room for.
    async fn usage(&self) -> Result<Usage, OutOfOrder> {
        Ok(Usage { entries: self.config().max_entries().unwrap_or(0), bytes: 0 })
    }

    fn config(&self) -> Config {
        *self.config.lock().unwrap()
    }

    async fn reconfigure(&self, config: &Config) -> Result<(), ReconfigureError<OutOfOrder>> {
        let mut own = self.config.lock().unwrap();
        own.change(config, self.partitions)?;
        *own = *config;
        Ok(())
    }

    async fn page(&self, partition: u32, cursor: Cursor, size: u32) -> Result<Page, OutOfOrder> {
        self.pages.lock().unwrap().push((Instant::now(), size));
        let script =
            self.page_script.lock().unwrap().as_mut().map(|of| of(partition, cursor.place()));
        let page = script.flatten().ok_or(OutOfOrder)?;
        sleep(page.held).await;
        Ok(page)
    }

    fn partitions(&self) -> u32 {
        self.partitions
    }

    async fn maintain(&self, partition: u32, budget: Budget) -> Result<Slice, OutOfOrder> {
        self.slices.lock().unwrap().push((Instant::now(), partition, budget));
        let answer = (self.script.lock().unwrap())(partition, budget);
        self.under_way.fetch_add(1, Ordering::SeqCst);
        let ended = match answer {
            Answer::Slice(slice) => Ok(slice),
            Answer::After(time, slice) => {
                sleep(time).await;
                Ok(slice)
            }
            Answer::Fail => Err(OutOfOrder),
            Answer::Panic => panic!("the fake store was told to panic"),
            Answer::Hang => std::future::pending().await,
        };
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        ended
    }

    async fn pressed(&self) -> u32 {
        self.pressure.notified().await;
        0
    }

    fn watch(&self, listener: RemovalListener) {
        *self.listener.lock().unwrap() = Some(listener);
    }

    async fn release(&self) -> Result<(), OutOfOrder> {
        if self.fails_to_release.load(Ordering::SeqCst) {
            return Err(OutOfOrder);
        }
        self.released.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
