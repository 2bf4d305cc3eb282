//! Operations on many entries.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::StatusCode;
use bytes::Bytes;
use inval_core::{Key, Put, Store};
use serde_json::{Value, json};

use super::audit::touching;
use super::call::{Call, duration, to_the_end};
use super::json::{Fields, bytes_of};
use super::problem::{Kind, Problem};
use super::{Answer, json as answer};
use crate::client::json_bytes;

/// The most keys or entries of a request.
const MOST_ITEMS: usize = 10_000;
/// Values are read so many at a time, until there are more bytes than an answer may have.
const READ_AT_ONCE: usize = 100;
const MOST_ANSWER: usize = 64 << 20;

pub(super) async fn get(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let mut fields = call.fields(body).await?;
    let keys = keys(&mut fields)?;
    fields.finish(&["keys"])?;
    let (mut values, mut bytes) = (Vec::with_capacity(keys.len()), 0);
    for keys in keys.chunks(READ_AT_ONCE) {
        for value in store.get_many(keys).await? {
            bytes += value.as_ref().map_or(0, Bytes::len);
            values.push(value.map_or(Value::Null, |value| json_bytes(&value)));
        }
        if bytes > MOST_ANSWER {
            let detail =
                format!("the values have more than {MOST_ANSWER} bytes; ask for fewer keys");
            return Err(Problem::new(Kind::AnswerTooLarge, detail));
        }
    }
    answer(StatusCode::OK, &json!({ "values": values }))
}

pub(super) async fn put(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let mut fields = call.fields(body).await?;
    let entries = fields.take_list("entries", MOST_ITEMS)?;
    let ttl = fields.take_text("ttl")?.map(|text| duration("ttl", &text)).transpose()?;
    fields.finish(&["entries", "ttl"])?;
    let entries = entries.into_iter().enumerate();
    let entries = entries.map(|(at, value)| entry(at, value)).collect::<Result<Vec<_>, _>>()?;
    let outcomes = store.put_many(&entries, ttl).await?;
    let outcomes: Vec<Value> = outcomes.into_iter().map(outcome).collect();
    answer(StatusCode::OK, &json!({ "outcomes": outcomes }))
}

pub(super) async fn invalidate(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let mut fields = call.fields(body).await?;
    let keys: BTreeSet<Key> = keys(&mut fields)?.into_iter().collect();
    let is_dry_run = fields.take_switch("dry_run")?;
    fields.finish(&["keys", "dry_run"])?;
    let keys: Vec<Key> = keys.into_iter().collect();
    let (mut matched, mut deleted) = (0, 0);
    if is_dry_run {
        for key in &keys {
            matched += u64::from(store.contains(key).await?);
        }
    } else {
        deleted = store.invalidate(&keys).await?;
        matched = deleted;
    }
    let body = json!({ "matched": matched, "deleted": deleted, "dry_run": is_dry_run });
    touching(deleted, answer(StatusCode::OK, &body))
}

pub(super) async fn clear(call: &Call<'_>, body: Body) -> Answer {
    let store = call.store()?;
    let mut fields = call.fields(body).await?;
    let is_dry_run = fields.take_switch("dry_run")?;
    fields.finish(&["dry_run"])?;
    let matched = store.usage().await?.entries;
    if !is_dry_run {
        to_the_end(async move { store.clear().await }).await??;
    }
    let body = json!({ "matched": matched, "dry_run": is_dry_run });
    touching(if is_dry_run { 0 } else { matched }, answer(StatusCode::OK, &body))
}

fn keys(fields: &mut Fields) -> Result<Vec<Key>, Problem> {
    let keys = fields.take_list("keys", MOST_ITEMS)?.into_iter().enumerate();
    keys.map(|(at, value)| key(value, &format!("keys[{at}]"))).collect()
}

fn entry(at: usize, value: Value) -> Result<(Key, Bytes), Problem> {
    let name = format!("entries[{at}]");
    let Value::Object(map) = value else {
        return Err(Problem::invalid(format!("{name} must be {{\"key\": …, \"value\": …}}")));
    };
    let mut fields = Fields::from_map(map);
    let mut field = |field: &str| {
        let missing = || Problem::invalid(format!("{name} has no {field}"));
        fields.take(field).ok_or_else(missing)
    };
    let (key_text, value_text) = (field("key")?, field("value")?);
    fields.finish(&["key", "value"])?;
    Ok((key(key_text, &name)?, bytes_of(value_text, &name)?))
}

fn key(value: Value, name: &str) -> Result<Key, Problem> {
    let bytes = bytes_of(value, name)?;
    Key::new(&bytes).map_err(|error| Problem::invalid(format!("{name}: {error}")))
}

fn outcome(put: Put) -> Value {
    match put {
        Put::Stored => "stored".into(),
        // A write of many has no condition.
        Put::Unmet => json!({ "rejected": "the condition of the write does not hold" }),
        Put::Rejected(rejection) => json!({ "rejected": rejection.to_string() }),
    }
}
