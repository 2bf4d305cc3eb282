//! The statistics of namespaces in JSON.

use axum::http::StatusCode;
use inval_core::{RemovalCause, Stats, Store, Usage};
use inval_runtime::NamespaceHealth;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::problem::Problem;
use super::{Answer, json as answer};
use crate::serve::Daemon;

pub(super) async fn of_one(call: &Call<'_>) -> Answer {
    let name = call.namespace()?;
    let health = call.daemon.manager.health().await;
    let stats = of(call.daemon, &name, &health).await?.ok_or_else(Problem::unknown_namespace)?;
    answer(StatusCode::OK, &stats)
}

pub(super) async fn of_all(call: &Call<'_>) -> Answer {
    let health = call.daemon.manager.health().await;
    let mut all = Map::new();
    for (name, _) in call.daemon.manager.namespaces() {
        // One that has gone meanwhile has no statistics.
        if let Some(stats) = of(call.daemon, name.as_str(), &health).await? {
            all.insert(name.to_string(), stats);
        }
    }
    answer(StatusCode::OK, &json!({ "namespaces": all }))
}

/// The statistics of a namespace; `None` if there is none of this name.
async fn of(
    daemon: &Daemon,
    name: &str,
    health: &[NamespaceHealth],
) -> Result<Option<Value>, Problem> {
    let Some(store) = daemon.manager.store(name) else { return Ok(None) };
    let Some((stats, age)) = daemon.manager.stats(name).await? else { return Ok(None) };
    let config = store.config();
    let health = health.iter().find(|health| health.namespace.as_str() == name);
    Ok(Some(json!({
        "usage": usage(stats.usage),
        "limits": { "max_entries": config.max_entries(), "max_bytes": config.max_bytes() },
        "hits": stats.hits,
        "misses": stats.misses,
        "miss_ratio": stats.miss_ratio(),
        "inserted": usage(stats.inserted),
        "rejected": stats.rejected,
        "removed": removed(&stats),
        "peak": usage(stats.peak),
        "lag_ms": health.map_or(0, |health| health.lag().as_millis() as u64),
        "backlog": health.map_or(0, NamespaceHealth::backlog),
        "age_ms": age.as_millis() as u64,
    })))
}

fn removed(stats: &Stats) -> Value {
    let of = |cause| usage(stats.removed(cause));
    json!({
        "expired": of(RemovalCause::Expired),
        "evicted": of(RemovalCause::Evicted),
        "invalidated": of(RemovalCause::Invalidated),
        "replaced": of(RemovalCause::Replaced),
        "vanished": of(RemovalCause::Vanished),
    })
}

fn usage(usage: Usage) -> Value {
    json!({ "entries": usage.entries, "bytes": usage.bytes })
}
