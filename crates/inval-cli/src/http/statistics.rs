//! The statistics of namespaces, as they are told to clients.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use inval_core::{Standing, Store};
use inval_runtime::NamespaceHealth;
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::{Answer, json as answer};
use crate::client::{State, Statistics};
use crate::serve::Daemon;

pub(super) async fn of_one(call: &Call<'_>) -> Answer {
    let name = call.namespace()?;
    let health = call.daemon.manager.health().await;
    let stats = of(call.daemon, &name, &health).await?.ok_or_else(Problem::unknown_namespace)?;
    answer(StatusCode::OK, &json!(stats))
}

pub(super) async fn of_all(call: &Call<'_>) -> Answer {
    let health = call.daemon.manager.health().await;
    let mut all = BTreeMap::new();
    for (name, _) in call.daemon.manager.namespaces() {
        // One that has gone meanwhile has no statistics.
        if let Some(stats) = of(call.daemon, name.as_str(), &health).await? {
            all.insert(name.to_string(), stats);
        }
    }
    let load = call.daemon.manager.load().await;
    let manager = json!({ "duty_cycle": load.duty_cycle, "granted": load.granted });
    answer(StatusCode::OK, &json!({ "namespaces": all, "manager": manager }))
}

/// The statistics of a namespace; `None` if there is none of this name.
async fn of(
    daemon: &Daemon,
    name: &str,
    health: &[NamespaceHealth],
) -> Result<Option<Statistics>, Problem> {
    let Some(store) = daemon.manager.store(name) else { return Ok(None) };
    let Some((stats, age)) = daemon.manager.stats(name).await? else { return Ok(None) };
    let health = health.iter().find(|health| health.namespace.as_str() == name);
    Ok(Some(Statistics {
        state: health.map(state),
        peak: Some(stats.peak.into()),
        lag_ms: health.map(|health| millis(health.lag())),
        max_lag_ms: health.map(|health| millis(health.max_lag)),
        backlog: health.map(NamespaceHealth::backlog),
        age_ms: age.as_millis() as u64,
        ..Statistics::of_store(&stats, &store.config())
    }))
}

/// How upkeep of a namespace is getting on.
pub(super) fn state(health: &NamespaceHealth) -> State {
    let mut partitions = health.partitions.iter();
    let is_failing = partitions.clone().any(|partition| partition.failure.is_some());
    let is_rebuilding = partitions.any(|partition| partition.standing == Standing::Rebuilding);
    match () {
        () if health.is_paused => State::Paused,
        () if is_failing => State::Failing,
        () if is_rebuilding => State::Rebuilding,
        () => State::Ready,
    }
}

/// A duration as the API tells it.
pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
