//! The metrics of the process as a whole.

use metrics::Unit;

use super::{Metric, Read, Scale};

/// 15 µs to 1 s.
const SLICE: Scale = Scale { per_unit: 1_000_000, exponents: &[4, 6, 8, 10, 12, 14, 16, 18, 20] };

/// 63 µs to 17 s.
const REQUEST: Scale =
    Scale { per_unit: 1_000_000, exponents: &[6, 8, 10, 12, 14, 16, 18, 20, 22, 24] };

/// 1 to 131,071.
const BATCH: Scale = Scale { per_unit: 1, exponents: &[1, 3, 5, 7, 9, 11, 13, 15, 17] };

pub(super) const METRICS: &[Metric] = &[
    Metric::gauge(
        "inval_build_info",
        "Always 1; the label says which version this is.",
        Read::Process(|_, out| out.labelled([env!("CARGO_PKG_VERSION")]).whole(1)),
    )
    .by(&["version"]),
    Metric::gauge(
        "inval_stats_age_seconds",
        "How old the oldest of the statistics told here is.",
        Read::Process(|process, out| {
            process.stats_age.into_iter().for_each(|age| out.duration(age));
        }),
    )
    .in_unit(Unit::Seconds),
    Metric::gauge(
        "inval_upkeep_duty_cycle_ratio",
        "The share of the server's time that upkeep held it, over about the last five seconds.",
        Read::Manager(|manager, out| out.real(manager.duty_cycle)),
    ),
    Metric::gauge(
        "inval_upkeep_granted_ratio",
        "The share of the set duty cycles that the server is found to bear; below 1 where its answers are slow.",
        Read::Manager(|manager, out| out.real(manager.granted)),
    ),
    Metric::histogram(
        "inval_upkeep_slice_duration_seconds",
        SLICE,
        "How long slices of upkeep held the server.",
        Read::Manager(|manager, out| out.histogram(&manager.slice_held)),
    )
    .in_unit(Unit::Seconds),
    Metric::histogram(
        "inval_upkeep_slice_entries",
        BATCH,
        "How many changes slices of upkeep booked and entries they removed.",
        Read::Manager(|manager, out| out.histogram(&manager.slice_entries)),
    ),
    Metric::counter(
        "inval_store_calls_total",
        "Calls to the server.",
        Read::Server(|server, out| out.whole(server.calls)),
    ),
    Metric::counter(
        "inval_store_retries_total",
        "Calls to the server that were made again because the first try could not be carried out.",
        Read::Server(|server, out| out.whole(server.retries)),
    ),
    Metric::counter(
        "inval_store_errors_total",
        "Calls to the server that failed, by the kind of error.",
        Read::Server(|server, out| {
            server.errors.iter().for_each(|&(kind, count)| out.labelled([kind]).whole(count));
        }),
    )
    .by(&["kind"]),
    Metric::gauge(
        "inval_store_connections",
        "Connections to the server that are open.",
        Read::Server(|server, out| out.whole(server.connections_open)),
    ),
    Metric::gauge(
        "inval_store_connections_limit",
        "Connections to the server that may be open.",
        Read::Server(|server, out| out.whole(server.connections_most)),
    ),
    Metric::counter(
        "inval_store_connections_made_total",
        "Connections to the server that were made.",
        Read::Server(|server, out| out.whole(server.connections_made)),
    ),
    Metric::counter(
        "inval_store_connections_lost_total",
        "Connections to the server that broke.",
        Read::Server(|server, out| out.whole(server.connections_lost)),
    ),
    Metric::counter(
        "inval_http_requests_total",
        "Requests of the HTTP interface, by operation and class of the answer's status.",
        Read::Operation(|operation, out| {
            operation.answers.iter().for_each(|&(class, count)| out.labelled([class]).whole(count));
        }),
    )
    .by(&["operation", "status"]),
    Metric::histogram(
        "inval_http_request_duration_seconds",
        REQUEST,
        "How long requests of the HTTP interface took, by operation.",
        Read::Operation(|operation, out| out.histogram(&operation.duration)),
    )
    .in_unit(Unit::Seconds),
];
