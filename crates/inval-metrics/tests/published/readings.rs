//! Readings in which everything there is has a value of its own.

use std::sync::Arc;
use std::time::Duration;

use inval_core::{Config, Histogram, Stats, Strategy, Usage};
use inval_metrics::{
    ManagerReading, NamespaceReading, OperationReading, ProcessReading, Readings, ServerReading,
    UpkeepReading,
};

/// A process with everything and the namespaces `names`, each with everything.
pub(crate) fn full(names: &[&str]) -> Readings {
    let namespaces = names.iter().map(|name| namespace(name)).collect();
    Readings { process: process(), namespaces }
}

pub(crate) fn observations(values: &[u64]) -> Histogram {
    let mut histogram = Histogram::default();
    values.iter().for_each(|&value| histogram.record(value));
    histogram
}

pub(crate) fn namespace(name: &str) -> NamespaceReading {
    let config = Config::builder()
        .strategy(Strategy::Sieve)
        .max_entries(1_000)
        .max_bytes(1 << 20)
        .ttl(Duration::from_millis(1_500))
        .build();
    NamespaceReading {
        namespace: name.parse().unwrap(),
        store: "redis",
        config: config.unwrap(),
        stats: Some(Arc::new(stats())),
        upkeep: Some(upkeep()),
    }
}

fn stats() -> Stats {
    let usage = |n| Usage { entries: n, bytes: n * 100 };
    Stats {
        hits: 900,
        misses: 100,
        inserted: usage(115),
        rejected: 5,
        expired: usage(1),
        evicted: usage(2),
        invalidated: usage(3),
        replaced: usage(4),
        vanished: usage(5),
        usage: usage(100),
        peak: usage(110),
        evicted_age: observations(&[1_023, 1_024, 50_000, u64::MAX / 4]),
        evicted_idle: observations(&[0, 70_000]),
        repaired: 6,
        poisoned: 7,
        dropped_journals: 8,
    }
}

fn upkeep() -> UpkeepReading {
    UpkeepReading {
        is_paused: true,
        lag: Duration::from_millis(250),
        max_lag: Duration::from_secs(1),
        backlog: 11,
        excess: Usage { entries: 12, bytes: 1_200 },
        slices: 13,
        store_failures: 14,
        panics: 15,
        timeouts: 16,
        records: 17,
        spared: 18,
        held: Duration::from_micros(1_250),
        longest: Duration::from_micros(500),
        partitions: 19,
        leases_held: 20,
        leases_taken: 21,
        leases_lost: 22,
        rebuilding: 23,
        rebuilt: Some(0.25),
        clock_offset_us: Some(-1_500),
    }
}

fn process() -> ProcessReading {
    let operation = |operation| OperationReading {
        operation,
        answers: vec![("2xx", 31), ("4xx", 32), ("5xx", 33)],
        duration: observations(&[63, 64, 1_000_000, 100_000_000]),
    };
    ProcessReading {
        manager: Some(ManagerReading {
            duty_cycle: 0.015,
            granted: 0.5,
            slice_held: observations(&[0, 400, 2_000_000]),
            slice_entries: observations(&[1, 4_096]),
        }),
        server: Some(ServerReading {
            calls: 42,
            retries: 43,
            errors: vec![("timeout", 44), ("connection_lost", 45)],
            connections_open: 46,
            connections_most: 47,
            connections_made: 48,
            connections_lost: 49,
        }),
        http: vec![operation("get_entry"), operation("put_entry")],
        stats_age: Some(Duration::from_millis(750)),
    }
}
