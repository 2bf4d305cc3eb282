//! The test bed: a server of its own, bare connections and caches to it, loads of many calls at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use inval_core::{Budget, Config, Key, Put, PutOptions, Slice, Store};
use inval_redis::{Cache, CacheOptions, Client, ConnectOptions};
use inval_test_servers::{Reply, Server};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::task::JoinHandle;

/// Calls under way at any time.
pub(crate) const CALLS: usize = 64;
/// How long a reply to a plain command may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes in a value.
const VALUE: usize = 100;
/// The TTL of entries that are not meant to expire during a run.
pub(crate) const TTL: Duration = Duration::from_secs(3600);

/// A server, and what is needed to load it.
pub(crate) struct Bed {
    server: Server,
    client: Client,
    bare: Vec<MultiplexedConnection>,
    pub(crate) value: Bytes,
}

impl Bed {
    pub(crate) async fn new() -> Result<Self> {
        let server = Server::redis()?;
        let options = ConnectOptions::default();
        let connections = options.connections;
        let client = Client::connect(&server.url().parse()?, options).await?;
        let plain = redis::Client::open(server.url())?;
        // A busy machine is no reason to give up.
        let patient = AsyncConnectionConfig::new().set_response_timeout(Some(PATIENCE));
        let mut bare = Vec::new();
        for _ in 0..connections {
            bare.push(plain.get_multiplexed_async_connection_with_config(&patient).await?);
        }
        Ok(Self { server, client, bare, value: Bytes::from(vec![b'v'; VALUE]) })
    }

    /// CPU time that the server has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        Ok(self.server.server_cpu()?)
    }

    /// Bytes that the server uses for data: neither for connections nor for its own tables, which
    /// differ for other reasons than ours.
    pub(crate) fn data_memory(&self) -> Result<u64> {
        let info = self.server.info("memory")?;
        Ok(info.get("used_memory_dataset").context("used_memory_dataset")?.parse()?)
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.server.command(&["FLUSHALL", "SYNC"])?;
        self.server.command(&["CONFIG", "RESETSTAT"])?;
        Ok(())
    }

    pub(crate) fn ask(&self, command: &[&str]) -> Result<Reply> {
        Ok(self.server.command(command)?)
    }

    /// The time that commands took since this was last reset, but for those that ask about it, in microseconds.
    pub(crate) fn commands_us(&self) -> Result<u64> {
        let info = self.server.info("commandstats")?;
        let is_own = |name: &str| ["config", "info", "auth"].iter().any(|own| name.contains(own));
        let us = |stats: &String| -> Option<u64> {
            let (_, rest) = stats.split_once("usec=")?;
            rest.split(',').next()?.parse().ok()
        };
        let stats = info.iter().filter(|(name, _)| !is_own(name));
        Ok(stats.filter_map(|(_, stats)| us(stats)).sum())
    }

    /// How often something was read from a client since this was last reset: with one call at a time, once for
    /// each request that came in one piece.
    pub(crate) fn reads_processed(&self) -> Result<u64> {
        let info = self.server.info("stats")?;
        Ok(info.get("total_reads_processed").context("total_reads_processed")?.parse()?)
    }

    /// The number of an entry that is there, of those that were filled in.
    pub(crate) fn some_key(&self, namespace: &str) -> Result<usize> {
        for number in 0.. {
            let name = Self::name(namespace, number);
            if self.server.command(&[b"EXISTS".as_slice(), &name])?.int() == Some(1) {
                return Ok(number);
            }
        }
        anyhow::bail!("there is no entry")
    }

    /// How many keys the server has, those included that have expired and are not deleted yet.
    pub(crate) fn keys(&self) -> Result<i64> {
        self.server.command(&["DBSIZE"])?.int().context("DBSIZE")
    }

    /// The percentiles of a command's latency on the server, as it tells them.
    pub(crate) fn latency(&self, command: &str) -> Result<String> {
        let info = self.server.info("latencystats")?;
        Ok(info.get(&format!("latency_percentiles_usec_{command}")).cloned().unwrap_or_default())
    }

    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn bare(&self, number: usize) -> MultiplexedConnection {
        self.bare[number % self.bare.len()].clone()
    }

    /// The same cache over another number of connections.
    pub(crate) async fn cache_over(&self, connections: u32, config: Config) -> Result<Cache> {
        let options = ConnectOptions { connections, ..ConnectOptions::default() };
        let client = Client::connect(&self.server.url().parse()?, options).await?;
        Ok(Cache::open(client, "bench".parse()?, config, CacheOptions::default()).await?)
    }

    pub(crate) async fn cache(
        &self,
        name: &str,
        config: Config,
        options: CacheOptions,
    ) -> Result<Cache> {
        Ok(Cache::open(self.client.clone(), name.parse()?, config, options).await?)
    }

    /// The name under which a cache keeps a key.
    pub(crate) fn name(namespace: &str, number: usize) -> Vec<u8> {
        format!("inval:{{{namespace}:0}}:k:{}", text(number)).into_bytes()
    }

    /// Fills a namespace behind its manager's back, 1000 entries at a time.
    pub(crate) async fn fill(
        &self,
        namespace: &str,
        entries: usize,
        ttl: impl Fn() -> Duration,
    ) -> Result<()> {
        let numbers: Vec<usize> = (0..entries).collect();
        for chunk in numbers.chunks(1000) {
            let mut pipe = redis::pipe();
            for &number in chunk {
                let name = Self::name(namespace, number);
                pipe.cmd("SET")
                    .arg(name)
                    .arg(&self.value[..])
                    .arg("PX")
                    .arg(ttl().as_millis() as u64);
            }
            pipe.exec_async(&mut self.bare(0)).await?;
        }
        Ok(())
    }
}

fn text(number: usize) -> String {
    format!("{number:016x}")
}

/// A key of 16 bytes.
pub(crate) fn key(number: usize) -> Key {
    #[expect(clippy::expect_used, reason = "16 bytes are a key")]
    Key::new(text(number).as_bytes()).expect("a key")
}

/// Runs `call` for every number in a range, `CALLS` at a time, and returns calls per second.
pub(crate) async fn load<C, F>(numbers: std::ops::Range<usize>, call: C) -> Result<f64>
where
    C: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let count = numbers.len();
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let began = Instant::now();
    let tasks: Vec<JoinHandle<Result<()>>> = (0..CALLS)
        .map(|_| {
            let (next, call, end) = (Arc::clone(&next), call.clone(), numbers.end);
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return Ok(());
                    }
                    call(number).await?;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(count as f64 / began.elapsed().as_secs_f64())
}

pub(crate) async fn get(cache: Cache, number: usize) -> Result<()> {
    cache.get(&key(number)).await?.context("the entry should be there")?;
    Ok(())
}

pub(crate) async fn put(cache: Cache, number: usize, value: Bytes) -> Result<()> {
    match cache.put(&key(number), value, PutOptions::default()).await? {
        Put::Stored => Ok(()),
        _ => anyhow::bail!("the value should be stored"),
    }
}

/// A manager at work in the background.
pub(crate) struct Manager {
    cache: Cache,
    is_stopped: Arc<AtomicBool>,
    task: JoinHandle<Result<Slice>>,
}

impl Manager {
    pub(crate) fn start(cache: &Cache) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let (stop, managed) = (Arc::clone(&is_stopped), cache.clone());
        let task = tokio::spawn(async move {
            let mut total = Slice::default();
            while !stop.load(Ordering::Relaxed) {
                let slice = managed.maintain(0, Budget::within(Duration::from_millis(5))).await?;
                total.records += slice.records;
                total.evicted += slice.evicted;
                total.spared += slice.spared;
                total.expired += slice.expired;
                total.longest = total.longest.max(slice.longest);
                if !slice.next.is_zero() {
                    tokio::time::sleep(slice.next.min(Duration::from_millis(5))).await;
                }
            }
            Ok(total)
        });
        Self { cache: cache.clone(), is_stopped, task }
    }

    /// Waits until the books say that so many entries are there and nothing is left to be done.
    pub(crate) async fn settle(&self, entries: u64) -> Result<Duration> {
        let began = Instant::now();
        while self.cache.usage().await?.entries != entries {
            anyhow::ensure!(began.elapsed() < Duration::from_secs(120), "it does not settle");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(began.elapsed())
    }

    pub(crate) async fn stop(self) -> Result<Slice> {
        self.is_stopped.store(true, Ordering::Relaxed);
        let total = self.task.await??;
        self.cache.release().await?;
        Ok(total)
    }
}
