//! What the daemon knows of itself, gathered for those who watch it.

use std::collections::HashMap;

use inval_core::{Standing, Store, Usage};
use inval_metrics::{
    ManagerReading, NamespaceReading, OperationReading, ProcessReading, Readings, ServerReading,
    UpkeepReading,
};
use inval_redis::{Client, Connections};
use inval_runtime::{NamespaceHealth, PartitionHealth};

use super::any_store::AnyStore;
use super::backend::Backend;
use super::daemon::Daemon;

impl Daemon {
    /// Everything that is counted, with what HTTP has counted. Statistics that cannot be read are left out, and
    /// the rest is told all the same.
    pub(crate) async fn readings(&self, http: Vec<OperationReading>) -> Readings {
        let health = self.manager.health().await;
        let mut health: HashMap<_, _> =
            health.iter().map(|health| (&health.namespace, health)).collect();
        let (mut namespaces, mut stats_age) = (Vec::new(), None);
        for (name, reading) in self.manager.stats_of_all().await {
            // One that has gone meanwhile is not told of.
            let Some(store) = self.manager.store(name.as_str()) else { continue };
            let (stats, age) = reading.ok().unzip();
            stats_age = stats_age.max(age);
            let upkeep = health.remove(&name).map(upkeep);
            let (store, config) = (kind(&store), store.config());
            namespaces.push(NamespaceReading { namespace: name, store, config, stats, upkeep });
        }
        let process = ProcessReading {
            manager: Some(self.manager_reading().await),
            server: self.server_reading(),
            http,
            stats_age,
        };
        Readings { process, namespaces }
    }

    async fn manager_reading(&self) -> ManagerReading {
        let load = self.manager.load().await;
        ManagerReading {
            duty_cycle: load.duty_cycle,
            granted: load.granted,
            slice_held: load.slice_held,
            slice_entries: load.slice_entries,
        }
    }

    fn server_reading(&self) -> Option<ServerReading> {
        match &self.backend {
            Backend::Memory => None,
            Backend::Redis(client) => Some(server(client)),
        }
    }
}

fn server(client: &Client) -> ServerReading {
    let activity = client.activity();
    let Connections { open, most, made, lost } = activity.connections;
    ServerReading {
        calls: activity.calls,
        retries: activity.retries,
        errors: activity.failures().collect(),
        connections_open: open,
        connections_most: most,
        connections_made: made,
        connections_lost: lost,
    }
}

fn kind(store: &AnyStore) -> &'static str {
    match store {
        AnyStore::Memory(_) => "memory",
        AnyStore::Redis(_) => "redis",
    }
}

fn upkeep(health: &NamespaceHealth) -> UpkeepReading {
    let totals = health.totals();
    let is_rebuilding = |partition: &&PartitionHealth| partition.standing == Standing::Rebuilding;
    let mut excess = Usage::default();
    health.partitions.iter().for_each(|partition| excess += partition.excess);
    let rebuilding = health.partitions.iter().filter(is_rebuilding);
    let holds = |partition: &&PartitionHealth| partition.standing != Standing::Vacant;
    let rebuilt = |partition: &PartitionHealth| match partition.standing {
        Standing::Rebuilding => partition.rebuilt,
        Standing::Vacant | Standing::Steady => Some(1.0),
    };
    let offsets = health.partitions.iter().filter_map(|partition| partition.clock_offset_us);
    UpkeepReading {
        is_paused: health.is_paused,
        lag: health.lag(),
        max_lag: health.max_lag,
        backlog: health.backlog(),
        excess,
        slices: totals.slices,
        store_failures: totals.failures - totals.panics - totals.timeouts,
        panics: totals.panics,
        timeouts: totals.timeouts,
        records: totals.records,
        spared: totals.spared,
        held: totals.held,
        longest: totals.longest,
        partitions: health.partitions.len() as u64,
        leases_held: health.partitions.iter().filter(holds).count() as u64,
        leases_taken: totals.leases_taken,
        leases_lost: totals.leases_lost,
        rebuilding: rebuilding.count() as u64,
        // The partition that is furthest behind.
        rebuilt: health.partitions.iter().filter_map(rebuilt).reduce(f64::min),
        clock_offset_us: offsets.max_by_key(|offset| offset.unsigned_abs()),
    }
}
