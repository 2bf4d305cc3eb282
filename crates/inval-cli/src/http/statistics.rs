//! The statistics of namespaces, as they are told to clients.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use inval_core::access::Scope;
use inval_core::{Standing, Stats, Store};
use inval_runtime::NamespaceHealth;
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::{Answer, json as answer};
use crate::client::{State, Statistics, millis};
use crate::serve::AnyStore;

pub(super) async fn of_one(call: &Call<'_>) -> Answer {
    let name = call.namespace()?;
    let health = call.daemon.manager.health().await;
    let store = call.store()?;
    let reading = call.daemon.manager.stats(&name).await?.ok_or_else(Problem::unknown_namespace)?;
    answer(StatusCode::OK, &json!(told(&name, &store, reading, &health)))
}

pub(super) async fn of_all(call: &Call<'_>) -> Answer {
    let health = call.daemon.manager.health().await;
    let mut all = BTreeMap::new();
    for (name, reading) in call.daemon.manager.stats_of_all().await {
        if !call.may_read_stats(Scope::Namespace(name.as_str())) {
            continue;
        }
        // One that has gone meanwhile has none.
        let Some(store) = call.daemon.manager.store(name.as_str()) else { continue };
        all.insert(name.to_string(), told(name.as_str(), &store, reading?, &health));
    }
    let mut body = json!({ "namespaces": all });
    if call.may_read_stats(Scope::All) {
        let load = call.daemon.manager.load().await;
        body["manager"] = json!({ "duty_cycle": load.duty_cycle, "granted": load.granted });
    }
    answer(StatusCode::OK, &body)
}

/// What is told of a namespace whose statistics are so old.
fn told(
    name: &str,
    store: &AnyStore,
    (stats, age): (Arc<Stats>, Duration),
    health: &[NamespaceHealth],
) -> Statistics {
    let health = health.iter().find(|health| health.namespace.as_str() == name);
    Statistics {
        state: health.map(state),
        peak: Some(stats.peak.into()),
        lag_ms: health.map(|health| millis(health.lag())),
        max_lag_ms: health.map(|health| millis(health.max_lag)),
        backlog: health.map(NamespaceHealth::backlog),
        age_ms: millis(age),
        ..Statistics::of_store(&stats, &store.config())
    }
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
