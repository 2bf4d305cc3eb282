//! What is known of a key.

use axum::http::StatusCode;
use inval_core::{Standing, Store};
use serde_json::json;

use super::call::Call;
use super::problem::Problem;
use super::{Answer, json as answer};
use crate::client::Explanation;

pub(super) async fn of_key(call: &Call<'_>) -> Answer {
    let store = call.store()?;
    let (name, key) = (call.namespace()?, call.key()?);
    let manager = &call.daemon.manager;
    let told = manager.explain(&name, &key).await?.ok_or_else(Problem::unknown_namespace)?;
    let health = manager.health().await;
    let health = health.iter().find(|health| health.namespace.as_str() == name);
    let is_here = health.is_some_and(|health| {
        health.partitions.iter().all(|partition| partition.standing != Standing::Vacant)
    });
    let explanation = Explanation::of_manager(&told, store.partitions(), is_here);
    answer(StatusCode::OK, &json!(explanation))
}
