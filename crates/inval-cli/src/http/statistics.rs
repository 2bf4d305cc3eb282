//! The statistics of namespaces, as they are told to clients.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use inval_core::Store;
use inval_runtime::NamespaceHealth;
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::{Answer, json as answer};
use crate::client::Statistics;
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
    answer(StatusCode::OK, &json!({ "namespaces": all }))
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
        peak: Some(stats.peak.into()),
        lag_ms: Some(health.map_or(0, |health| health.lag().as_millis() as u64)),
        backlog: Some(health.map_or(0, NamespaceHealth::backlog)),
        age_ms: age.as_millis() as u64,
        ..Statistics::of_store(&stats, &store.config())
    }))
}
