//! Operations on namespaces: which there are, and making, changing, deleting them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use inval_core::{ChangeError, Namespace, ReconfigureError as StoreError, Store};
use inval_runtime::{AddError, ReconfigureError};
use serde_json::{Value, json};

use super::call::{Call, to_the_end};
use super::config::{parse, patched, to_json};
use super::problem::{Kind, Problem};
use super::{Answer, empty, json as answer};
use crate::serve::{AnyError, AnyStore, BackendError, CreateError, Created, Daemon, DeleteError};

pub(super) async fn list(call: &Call<'_>) -> Answer {
    let paused = paused(call.daemon).await;
    let namespaces = call.daemon.manager.namespaces().into_iter();
    let namespaces = namespaces.filter(|(name, _)| call.caller.sees(name.as_str()));
    let namespaces = namespaces
        .map(|(name, store)| describe(name.as_str(), &store, paused.contains(&name)))
        .collect::<Vec<_>>();
    answer(StatusCode::OK, &json!({ "namespaces": namespaces }))
}

pub(super) async fn get(call: &Call<'_>) -> Answer {
    let store = call.store()?;
    described(call, StatusCode::OK, &store).await
}

pub(super) async fn create(call: &Call<'_>, body: Body) -> Answer {
    let name: Namespace = call.namespace()?.parse()?;
    let daemon = call.daemon;
    let (config, partitions) = parse(call.fields(body).await?)?;
    let created = {
        let (daemon, name) = (Arc::clone(daemon), name.clone());
        to_the_end(async move { daemon.create(&name, config, partitions).await }).await?
    };
    let created = created.map_err(not_created)?;
    let store = daemon.manager.store(name.as_str()).ok_or_else(Problem::unknown_namespace)?;
    let is_paused = created == Created::Already && paused(daemon).await.contains(&name);
    let status = if created == Created::New { StatusCode::CREATED } else { StatusCode::OK };
    let mut response = answer(status, &describe(name.as_str(), &store, is_paused))?;
    if created == Created::New
        && let Ok(location) = HeaderValue::from_str(&format!("/v1/namespaces/{name}"))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn change(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let name = call.namespace()?.into_owned();
    let daemon = call.daemon;
    let patch = call.fields(body).await?;
    daemon.change(&name, |config| patched(config, store.partitions(), patch)).await?;
    let is_paused = paused(daemon).await.iter().any(|paused| paused.as_str() == name);
    answer(StatusCode::OK, &describe(&name, &store, is_paused))
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let (daemon, name) = (Arc::clone(call.daemon), call.namespace()?.into_owned());
    let deleted = to_the_end(async move { daemon.delete(&name).await }).await?;
    deleted.map_err(|error| match error {
        DeleteError::Request(error) => error.into(),
        DeleteError::Store(error) => Problem::from(error),
    })?;
    empty(StatusCode::NO_CONTENT, None)
}

async fn described(call: &Call<'_>, status: StatusCode, store: &AnyStore) -> Answer {
    let name = call.namespace()?;
    let is_paused = paused(call.daemon).await.iter().any(|paused| paused.as_str() == name);
    answer(status, &describe(&name, store, is_paused))
}

fn describe(name: &str, store: &AnyStore, is_paused: bool) -> Value {
    json!({
        "name": name,
        "config": to_json(&store.config()),
        "partitions": store.partitions(),
        "paused": is_paused,
    })
}

/// The namespaces whose upkeep stands still because somebody asked for it.
async fn paused(daemon: &Daemon) -> Vec<Namespace> {
    let health = daemon.manager.health().await.into_iter();
    health.filter(|namespace| namespace.is_paused).map(|namespace| namespace.namespace).collect()
}

fn not_created(error: CreateError) -> Problem {
    match error {
        CreateError::Exists | CreateError::Add(AddError::Exists) => Problem::new(
            Kind::NamespaceExists,
            "it keeps to another configuration; PATCH changes that, DELETE deletes it",
        ),
        CreateError::Add(AddError::Stopped) => inval_runtime::RequestError::Stopped.into(),
        CreateError::Add(error @ AddError::Pacing(_)) => Problem::invalid(error.to_string()),
        CreateError::Backend(BackendError::Open(error)) => not_opened(error),
        CreateError::Backend(BackendError::KeySecret(error)) => Problem::invalid(error.to_string()),
        CreateError::Backend(BackendError::Adapt(error)) => match error {
            StoreError::Store(error) => AnyError::Redis(error).into(),
            StoreError::Change(error) => error.into(),
        },
    }
}

fn not_opened(error: inval_redis::OpenError) -> Problem {
    use inval_redis::OpenError;
    match error {
        OpenError::Server(error) => AnyError::Redis(error).into(),
        OpenError::Disagreement(error) => Problem::new(Kind::NamespaceExists, error.to_string()),
        error => Problem::invalid(error.to_string()),
    }
}

impl From<ReconfigureError<AnyError>> for Problem {
    fn from(error: ReconfigureError<AnyError>) -> Self {
        match error {
            ReconfigureError::Unknown => Self::unknown_namespace(),
            ReconfigureError::Store(StoreError::Store(error)) => error.into(),
            ReconfigureError::Store(StoreError::Change(error)) => error.into(),
        }
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Fixed { .. } => Self::new(Kind::Unchangeable, error.to_string()),
            ChangeError::NoRoom { .. } | ChangeError::TtlBesidesIdle => {
                Self::invalid(error.to_string())
            }
        }
    }
}
