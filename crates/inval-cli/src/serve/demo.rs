//! The demonstration: sample namespaces, and traffic made up for them.

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use inval_core::pacing::PacingSettings;
use inval_core::{Config, Key, Namespace, PutOptions, Store, Strategy};
use inval_replay::{Request, Workload};
use inval_runtime::Manager;
use tokio::time::{MissedTickBehavior, interval};

use super::any_store::AnyStore;
use crate::config::NamespaceSettings;

const SESSIONS: &str = "sessions";
const PAGES: &str = "pages";
const COUNTERS: &str = "counters";

/// Visitors, of whom some come often; pages, of which a crawler reads many once.
const VISITORS: &str = "zipf:keys=20000,skew=0.9,requests=1000000000000";
const READERS: &str = "scan:keys=20000,skew=1,every=10000,length=4000,requests=1000000000000";

const TICK: Duration = Duration::from_millis(10);
/// Requests of each workload in a tick.
const REQUESTS: usize = 9;
/// So many ticks lie between two bursts of counters, which expire together.
const BURST_EVERY: u64 = 300;
const BURST: u64 = 1_000;

/// Three namespaces with different jobs.
pub(super) fn namespaces(
    pacing: PacingSettings,
) -> anyhow::Result<BTreeMap<Namespace, NamespaceSettings>> {
    let sessions =
        Config::builder().strategy(Strategy::Lru).max_entries(1_000).ttl(Duration::from_secs(30));
    let pages = Config::builder().strategy(Strategy::S3Fifo).max_bytes(2 << 20);
    let counters = Config::builder().strategy(Strategy::Ttl).ttl(Duration::from_secs(2));
    let mut namespaces = BTreeMap::new();
    for (name, config) in [(SESSIONS, sessions), (PAGES, pages), (COUNTERS, counters)] {
        let settings = NamespaceSettings { config: config.build()?, partitions: None, pacing };
        namespaces.insert(name.parse()?, settings);
    }
    Ok(namespaces)
}

/// Says where to look, with this program under the name by which it was started.
pub(super) fn announce(base: &str) -> io::Result<()> {
    let program = env::args_os().next().unwrap_or_else(|| "inval".into());
    let program = program.display();
    let mut out = io::stdout().lock();
    write!(
        out,
        "\nA demonstration: three namespaces in memory, some 2,000 requests a second. Look around:\n
  {base}/ in a browser
  {program} top --daemon {base}
  curl {base}/metrics
  curl {base}/v1/namespaces/{PAGES}
  curl -X POST {base}/v1/namespaces/{SESSIONS}/clear -H 'Content-Type: application/json' -d '{{}}'\n
Ctrl-C ends it.\n"
    )?;
    out.flush()
}

/// Makes traffic for the namespaces, as long as they are there.
pub(super) async fn traffic(manager: Manager<AnyStore>) -> anyhow::Result<()> {
    let (visitors, readers): (Workload, Workload) = (VISITORS.parse()?, READERS.parse()?);
    let (mut visits, mut reads) = (visitors.requests(), readers.requests());
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    for tick in 0_u64.. {
        ticks.tick().await;
        if let Some(store) = manager.store(SESSIONS) {
            look_up(&store, "session", visits.by_ref().take(REQUESTS)).await?;
        }
        if let Some(store) = manager.store(PAGES) {
            look_up(&store, "page", reads.by_ref().take(REQUESTS)).await?;
        }
        if let Some(store) = manager.store(COUNTERS)
            && tick.is_multiple_of(BURST_EVERY)
        {
            count(&store, tick / BURST_EVERY).await?;
        }
    }
    Ok(())
}

/// Reads each key, and writes it where it is missing.
async fn look_up(
    store: &Arc<AnyStore>,
    kind: &str,
    requests: impl Iterator<Item = Request>,
) -> anyhow::Result<()> {
    for request in requests {
        let key = Key::new(format!("{kind}:{}", request.key).as_bytes())?;
        if store.get(&key).await?.is_none() {
            // From 100 bytes to 4 KiB, the same for a key each time.
            let len = 100 + (request.key.wrapping_mul(2_654_435_761) % 3_997) as usize;
            let _ = store.put(&key, Bytes::from(vec![b'.'; len]), PutOptions::default()).await?;
        }
    }
    Ok(())
}

/// Writes counters that expire together.
async fn count(store: &Arc<AnyStore>, burst: u64) -> anyhow::Result<()> {
    let entry = |number| {
        let key = Key::new(format!("counter:{burst}:{number}").as_bytes())?;
        Ok((key, Bytes::from_static(b"1")))
    };
    let entries = (0..BURST).map(entry).collect::<anyhow::Result<Vec<_>>>()?;
    let _ = store.put_many(&entries, None).await?;
    Ok(())
}
