//! The metrics of each namespace.

use inval_core::RemovalCause;
use metrics::Unit;

use super::{Metric, Read, Scale};
use crate::walk::Out;

/// 1 s to 50 days.
const AGE: Scale =
    Scale { per_unit: 1_000, exponents: &[10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32] };

const BY_CAUSE: &[&str] = &["namespace", "cause"];

pub(super) const METRICS: &[Metric] = &[
    Metric::gauge(
        "inval_namespace_info",
        "Always 1; the labels say how the namespace chooses what to evict and where it is kept.",
        Read::Namespace(|namespace, out| {
            out.labelled([namespace.config.strategy().name(), namespace.store]).whole(1);
        }),
    )
    .by(&["namespace", "strategy", "store"]),
    Metric::counter(
        "inval_hits_total",
        "Reads that found a live entry.",
        Read::Stats(|stats, out| out.whole(stats.hits)),
    ),
    Metric::counter(
        "inval_misses_total",
        "Reads that found none, or an expired one.",
        Read::Stats(|stats, out| out.whole(stats.misses)),
    ),
    Metric::counter(
        "inval_inserted_entries_total",
        "Writes taken in, overwriting ones among them.",
        Read::Stats(|stats, out| out.whole(stats.inserted.entries)),
    ),
    Metric::counter(
        "inval_inserted_bytes_total",
        "Bytes of the writes taken in.",
        Read::Stats(|stats, out| out.whole(stats.inserted.bytes)),
    )
    .in_unit(Unit::Bytes),
    Metric::counter(
        "inval_rejected_writes_total",
        "Writes refused: heavier than the limit in bytes, or with no time to live.",
        Read::Stats(|stats, out| out.whole(stats.rejected)),
    ),
    Metric::counter(
        "inval_removed_entries_total",
        "Entries that left, by cause.",
        Read::Stats(|stats, out| by_cause(out, |cause| stats.removed(cause).entries)),
    )
    .by(BY_CAUSE),
    Metric::counter(
        "inval_removed_bytes_total",
        "Bytes of the entries that left, by cause.",
        Read::Stats(|stats, out| by_cause(out, |cause| stats.removed(cause).bytes)),
    )
    .by(BY_CAUSE)
    .in_unit(Unit::Bytes),
    Metric::histogram(
        "inval_evicted_age_seconds",
        AGE,
        "How long ago evicted entries had been written.",
        Read::Stats(|stats, out| out.histogram(&stats.evicted_age)),
    )
    .in_unit(Unit::Seconds),
    Metric::histogram(
        "inval_evicted_idle_seconds",
        AGE,
        "How long ago evicted entries had last been read or written.",
        Read::Stats(|stats, out| out.histogram(&stats.evicted_idle)),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_usage_entries",
        "Entries held, expired ones that await collection included.",
        Read::Stats(|stats, out| out.whole(stats.usage.entries)),
    ),
    Metric::gauge(
        "inval_usage_bytes",
        "Bytes held, as the sum of the entries' weights.",
        Read::Stats(|stats, out| out.whole(stats.usage.bytes)),
    )
    .in_unit(Unit::Bytes),
    Metric::gauge(
        "inval_usage_peak_entries",
        "The most entries held so far; over several partitions an upper bound.",
        Read::Stats(|stats, out| out.whole(stats.peak.entries)),
    ),
    Metric::gauge(
        "inval_usage_peak_bytes",
        "The most bytes held so far; over several partitions an upper bound.",
        Read::Stats(|stats, out| out.whole(stats.peak.bytes)),
    )
    .in_unit(Unit::Bytes),
    Metric::gauge(
        "inval_limit_entries",
        "The most entries that may be held; absent where there is no such limit.",
        Read::Namespace(|namespace, out| {
            namespace.config.max_entries().into_iter().for_each(|most| out.whole(most));
        }),
    ),
    Metric::gauge(
        "inval_limit_bytes",
        "The most bytes that may be held; absent where there is no such limit.",
        Read::Namespace(|namespace, out| {
            namespace.config.max_bytes().into_iter().for_each(|most| out.whole(most));
        }),
    )
    .in_unit(Unit::Bytes),
    Metric::gauge(
        "inval_ttl_seconds",
        "How long an entry lives that names no time of its own; absent where it lives for ever.",
        Read::Namespace(|namespace, out| {
            namespace.config.ttl().into_iter().for_each(|ttl| out.duration(ttl));
        }),
    )
    .in_unit(Unit::Seconds),
    Metric::counter(
        "inval_repaired_entries_total",
        "Entries whose books a look at the server put right.",
        Read::Stats(|stats, out| out.whole(stats.repaired)),
    ),
    Metric::counter(
        "inval_poisoned_records_total",
        "Records of a journal that could not be read.",
        Read::Stats(|stats, out| out.whole(stats.poisoned)),
    ),
    Metric::counter(
        "inval_dropped_journals_total",
        "Journals that were dropped because they had grown beyond their cap; a rebuild follows each.",
        Read::Stats(|stats, out| out.whole(stats.dropped_journals)),
    ),
    Metric::gauge(
        "inval_upkeep_paused",
        "1 while upkeep stands still because somebody asked for it, else 0.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.is_paused.into())),
    ),
    Metric::gauge(
        "inval_upkeep_lag_seconds",
        "For how long something has been on the books that should be off them.",
        Read::Upkeep(|upkeep, out| out.duration(upkeep.lag)),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_upkeep_max_lag_seconds",
        "How late upkeep may be: the objective that inval_upkeep_lag_seconds is to keep.",
        Read::Upkeep(|upkeep, out| out.duration(upkeep.max_lag)),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_upkeep_backlog_records",
        "Changes that clients told of and that are not booked yet.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.backlog)),
    ),
    Metric::gauge(
        "inval_excess_entries",
        "Entries booked above the limit.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.excess.entries)),
    ),
    Metric::gauge(
        "inval_excess_bytes",
        "Bytes booked above the limit.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.excess.bytes)),
    )
    .in_unit(Unit::Bytes),
    Metric::counter(
        "inval_upkeep_slices_total",
        "Slices of upkeep that came to an end.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.slices)),
    ),
    Metric::counter(
        "inval_upkeep_failures_total",
        "Slices of upkeep that failed: by an error of the store, by a panic, or not ended in time.",
        Read::Upkeep(|upkeep, out| {
            out.labelled(["store"]).whole(upkeep.store_failures);
            out.labelled(["panicked"]).whole(upkeep.panics);
            out.labelled(["timed_out"]).whole(upkeep.timeouts);
        }),
    )
    .by(&["namespace", "kind"]),
    Metric::counter(
        "inval_upkeep_records_total",
        "Changes booked that clients had told of.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.records)),
    ),
    Metric::counter(
        "inval_upkeep_spared_entries_total",
        "Entries that were to be evicted and stayed, as they had been accessed since.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.spared)),
    ),
    Metric::counter(
        "inval_upkeep_held_seconds_total",
        "How long upkeep held the server.",
        Read::Upkeep(|upkeep, out| out.duration(upkeep.held)),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_upkeep_longest_hold_seconds",
        "The longest time at once that upkeep held the server.",
        Read::Upkeep(|upkeep, out| out.duration(upkeep.longest)),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_partitions",
        "Partitions of the namespace.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.partitions)),
    ),
    Metric::gauge(
        "inval_leases_held",
        "Partitions that this process has the right to maintain.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.leases_held)),
    ),
    Metric::counter(
        "inval_leases_taken_total",
        "How often this process took the right to maintain a partition.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.leases_taken)),
    ),
    Metric::counter(
        "inval_leases_lost_total",
        "How often this process lost that right or gave it up.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.leases_lost)),
    ),
    Metric::gauge(
        "inval_rebuilding_partitions",
        "Partitions whose books are being made from what is on the server.",
        Read::Upkeep(|upkeep, out| out.whole(upkeep.rebuilding)),
    ),
    Metric::gauge(
        "inval_rebuild_progress_ratio",
        "About what share of the rebuild is done, 1 where none is under way; absent where nobody can tell.",
        Read::Upkeep(|upkeep, out| upkeep.rebuilt.into_iter().for_each(|share| out.real(share))),
    ),
    Metric::gauge(
        "inval_clock_offset_seconds",
        "How far the server's clock is ahead of this process's; absent where there is no server.",
        Read::Upkeep(|upkeep, out| {
            upkeep.clock_offset_us.into_iter().for_each(|us| out.real(us as f64 / 1e6));
        }),
    )
    .in_unit(Unit::Seconds),
];

fn by_cause(out: &mut Out<'_>, count: impl Fn(RemovalCause) -> u64) {
    for cause in RemovalCause::ALL {
        let name = match cause {
            RemovalCause::Expired => "expired",
            RemovalCause::Evicted => "evicted",
            RemovalCause::Invalidated => "invalidated",
            RemovalCause::Replaced => "replaced",
            RemovalCause::Vanished => "vanished",
        };
        out.labelled([name]).whole(count(cause));
    }
}
