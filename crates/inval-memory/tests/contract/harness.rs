//! Embedded stores under a clock that moves when the suite says so.

use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use inval_core::testing::Harness;
use inval_memory::{Builder, Cache, Config, Key, ManualClock};

use crate::support::setup::{FixedCache, FixedHasher};

pub(crate) type ByteCache = FixedCache<Key, Bytes>;

/// Makes stores with so many shards.
pub(crate) struct Memory {
    shards: u32,
    clock: ManualClock,
}

impl Memory {
    pub(crate) fn new(shards: u32) -> Self {
        Self { shards, clock: ManualClock::new() }
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    pub(crate) fn builder(&self, config: Config, shards: u32) -> Builder<Key, Bytes, FixedHasher> {
        let builder = Cache::of_bytes(config).shards(shards as usize);
        builder.hasher(FixedHasher::default()).clock(self.clock.clone())
    }
}

impl Harness for Memory {
    type Store = ByteCache;

    const MOMENT: Duration = Duration::from_millis(10);
    const ACCESS_GRAIN: Duration = Duration::from_millis(1);
    const TTL_BESIDES_IDLE: bool = true;
    const SOLE_UPKEEP: bool = true;

    fn partitions(&self) -> u32 {
        self.shards
    }

    fn open(&self, config: Config, partitions: u32) -> impl Future<Output = ByteCache> {
        ready(self.builder(config, partitions).build())
    }

    fn pass(&self, by: Duration) -> impl Future<Output = ()> {
        self.clock.advance(by);
        ready(())
    }
}
