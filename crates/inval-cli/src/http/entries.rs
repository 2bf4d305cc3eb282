//! Operations on one entry.

use axum::body::Body;
use axum::http::header::{HeaderName, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use inval_core::{Lifetime, Put, PutCondition, PutOptions, Store};

use super::call::Call;
use super::problem::{Kind, Problem};
use super::{Answer, empty, respond};
use crate::client::millis;

pub(super) async fn get(call: &Call<'_>) -> Answer {
    let store = call.store()?;
    let key = call.key()?;
    match store.get(&key).await? {
        Some(value) => Ok(respond(StatusCode::OK, "application/octet-stream", value)),
        None => Err(Problem::no_entry()),
    }
}

pub(super) async fn head(call: &Call<'_>) -> Answer {
    let store = call.store()?;
    let key = call.key()?;
    match store.lifetime(&key).await? {
        Lifetime::Absent => Err(Problem::no_entry()),
        Lifetime::Unlimited => empty(StatusCode::OK, None),
        Lifetime::Remaining(time) => {
            empty(StatusCode::OK, Some(("inval-expires-in-ms", millis(time))))
        }
    }
}

pub(super) async fn put(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let key = call.key()?;
    let options = PutOptions { ttl: call.duration("ttl")?, condition: condition(call.headers())? };
    // A copy, or it would hold the buffer that it was received in for as long as it lives.
    let value = Bytes::copy_from_slice(&call.bytes(body).await?);
    match store.put(&key, value, options).await? {
        Put::Stored => empty(StatusCode::NO_CONTENT, None),
        Put::Unmet => Err(Problem::new(
            Kind::ConditionUnmet,
            match options.condition {
                PutCondition::IfAbsent => "there is an entry, and If-None-Match: * wants none",
                _ => "there is no entry, and If-Match: * wants one",
            },
        )),
        Put::Rejected(rejection) => Err(rejection.into()),
    }
}

pub(super) async fn delete(call: &Call<'_>) -> Answer {
    let store = call.store()?;
    let deleted = store.invalidate(&[call.key()?]).await?;
    empty(StatusCode::NO_CONTENT, Some(("inval-deleted", deleted)))
}

/// On what a write depends. There are no entity tags, so only `*` has a meaning.
fn condition(headers: &HeaderMap) -> Result<PutCondition, Problem> {
    let is_there = |name: &HeaderName| match headers.get(name) {
        None => Ok(false),
        Some(value) if value == "*" => Ok(true),
        Some(_) => Err(Problem::invalid(format!("{name}: only * has a meaning here"))),
    };
    match (is_there(&IF_NONE_MATCH)?, is_there(&IF_MATCH)?) {
        (false, false) => Ok(PutCondition::Always),
        (true, false) => Ok(PutCondition::IfAbsent),
        (false, true) => Ok(PutCondition::IfPresent),
        (true, true) => {
            Err(Problem::invalid("If-None-Match: * and If-Match: * exclude each other"))
        }
    }
}
