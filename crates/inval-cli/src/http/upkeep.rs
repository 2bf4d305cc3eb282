//! Operations on upkeep and on the daemon itself.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use inval_core::Namespace;
use inval_runtime::NamespaceHealth;
use serde_json::{Value, json};

use super::audit::touching;
use super::call::{Call, to_the_end};
use super::problem::{Kind, Problem};
use super::statistics::state;
use super::{Answer, empty, json as answer};
use crate::client::millis;
use crate::serve::Reloaded;

/// How long a request for upkeep waits for its end unless it says so, and at most.
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_PATIENCE: Duration = Duration::from_secs(600);

pub(super) async fn run(call: &Call<'_>) -> Answer {
    let patience = call.duration("timeout")?.unwrap_or(PATIENCE);
    if patience > LONGEST_PATIENCE {
        return Err(Problem::invalid("timeout: at most 10m"));
    }
    let run = call.daemon.manager.run_now(&call.namespace()?, patience).await?;
    let body = json!({
        "evicted": run.evicted,
        "expired": run.expired,
        "records": run.records,
        "is_done": run.is_done,
    });
    touching(run.evicted + run.expired, answer(StatusCode::OK, &body))
}

pub(super) async fn pause(call: &Call<'_>) -> Answer {
    call.daemon.manager.pause(&call.namespace()?).await?;
    empty(StatusCode::NO_CONTENT, None)
}

pub(super) async fn resume(call: &Call<'_>) -> Answer {
    call.daemon.manager.resume(&call.namespace()?).await?;
    empty(StatusCode::NO_CONTENT, None)
}

pub(super) async fn reload(call: &Call<'_>) -> Answer {
    let daemon = Arc::clone(call.daemon);
    let reloaded = to_the_end(async move { daemon.reload().await }).await?;
    let reloaded = reloaded.map_err(|error| Problem::invalid(error.to_string()))?;
    if !reloaded.failed.is_empty() {
        return Err(Problem::new(Kind::ReloadIncomplete, not_as_the_file_says(&reloaded)));
    }
    let names = |names: &[Namespace]| names.iter().map(Namespace::to_string).collect::<Vec<_>>();
    let body = json!({
        "added": names(&reloaded.added),
        "changed": names(&reloaded.changed),
        "removed": names(&reloaded.removed),
        "unchanged": names(&reloaded.unchanged),
        "needs_restart": reloaded.needs_restart,
    });
    answer(StatusCode::OK, &body)
}

fn not_as_the_file_says(reloaded: &Reloaded) -> String {
    let failed = reloaded.failed.iter();
    let failed: Vec<_> = failed.map(|(name, error)| format!("namespace {name}: {error}")).collect();
    format!("the rest of the file is in force, but not this: {}", failed.join("; "))
}

pub(super) fn health() -> Answer {
    answer(StatusCode::OK, &json!({ "status": "ok" }))
}

pub(super) async fn ready(call: &Call<'_>) -> Answer {
    let health = call.daemon.manager.health().await;
    let is_ready = health.iter().all(NamespaceHealth::is_ready);
    let (status, word) = match is_ready {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "degraded"),
    };
    let namespaces: Vec<Value> = health.iter().map(describe).collect();
    answer(status, &json!({ "status": word, "namespaces": namespaces }))
}

pub(super) fn version(call: &Call<'_>) -> Answer {
    let body = json!({
        "name": "inval",
        "version": env!("CARGO_PKG_VERSION"),
        "store": call.daemon.backend.name(),
    });
    answer(StatusCode::OK, &body)
}

fn describe(health: &NamespaceHealth) -> Value {
    let failures = health.partitions.iter().filter_map(|partition| partition.failure.as_ref());
    let failure = failures.max_by_key(|failure| failure.since);
    let mut description = json!({
        "name": health.namespace.as_str(),
        "state": state(health),
        "lag_ms": millis(health.lag()),
        "backlog": health.backlog(),
    });
    if let Some(failure) = failure {
        description["failing_for_ms"] = millis(failure.since).into();
        description["error"] = failure.cause.to_string().into();
    }
    description
}
