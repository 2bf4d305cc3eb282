//! A request as operations see it: the parts of its path, its query, its body.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::request::Parts;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use inval_core::Key;
use inval_core::access::{Operation as Right, Scope};
use inval_replay::quantity::parse_duration;

use super::gate::Caller;
use super::json::Fields;
use super::percent::decode;
use super::problem::{Kind, Problem};
use crate::config::HttpSettings;
use crate::serve::{AnyStore, Daemon};

/// Where the name of the namespace and the key stand among the parts of a path.
const NAMESPACE_AT: usize = 3;
const KEY_AT: usize = 5;

/// A request that is being carried out.
pub(super) struct Call<'a> {
    pub(super) daemon: &'a Arc<Daemon>,
    pub(super) caller: Caller,
    settings: &'a HttpSettings,
    parts: Parts,
    /// Whether it waits for the rest of its body.
    is_reading: AtomicBool,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        daemon: &'a Arc<Daemon>,
        settings: &'a HttpSettings,
        parts: Parts,
        caller: Caller,
    ) -> Self {
        Self { daemon, caller, settings, parts, is_reading: AtomicBool::new(false) }
    }

    /// What to say of a call that took too long.
    pub(super) fn overdue(&self) -> Problem {
        if self.is_reading.load(Ordering::Relaxed) {
            Problem::new(Kind::BodyTimeout, "send it faster, or in smaller parts")
        } else {
            Problem::new(Kind::Timeout, "what it was to do may or may not have been done")
        }
    }

    /// Whether it may be told the statistics of a namespace, or of all together.
    pub(super) fn may_read_stats(&self, scope: Scope<'_>) -> bool {
        self.caller.may(Right::Stats, scope)
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// The namespace's name as the path has it, whether or not there is such a namespace.
    pub(super) fn namespace(&self) -> Result<Cow<'_, str>, Problem> {
        // What is no text becomes one that no namespace is called.
        Ok(match self.part(NAMESPACE_AT)? {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        })
    }

    /// The store of the namespace.
    pub(super) fn store(&self) -> Result<Arc<AnyStore>, Problem> {
        let name = self.namespace()?;
        self.daemon.manager.store(&name).ok_or_else(Problem::unknown_namespace)
    }

    /// The key that the path has.
    pub(super) fn key(&self) -> Result<Key, Problem> {
        Ok(Key::new(&self.part(KEY_AT)?)?)
    }

    /// The duration that a parameter of the query holds, if it is there.
    pub(super) fn duration(&self, name: &'static str) -> Result<Option<Duration>, Problem> {
        let Some(text) = self.parameters().find(|(known, _)| *known == name).map(|(_, text)| text)
        else {
            return Ok(None);
        };
        let text = decode(text).and_then(|text| String::from_utf8(text.into_owned()).ok());
        let text = text.ok_or_else(|| malformed("the query"))?;
        duration(name, &text).map(Some)
    }

    /// Refuses parameters that nobody knows, for they may be misspelt.
    pub(super) fn check_query(&self, known: &[&str]) -> Result<(), Problem> {
        if self.parameters().all(|(name, _)| known.contains(&name)) {
            return Ok(());
        }
        Err(Problem::invalid(match known {
            [] => "the query must be empty here".to_owned(),
            known => format!("the query has an unknown parameter; known is {}", known.join(", ")),
        }))
    }

    /// The bytes of a body, which must be there even if it is empty.
    pub(super) async fn bytes(&self, body: Body) -> Result<Bytes, Problem> {
        let headers = &self.parts.headers;
        if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
            let detail = "the body is the value; an empty one needs Content-Length: 0";
            return Err(Problem::new(Kind::LengthRequired, detail));
        }
        self.read(body).await
    }

    /// The object in a body of JSON.
    pub(super) async fn fields(&self, body: Body) -> Result<Fields, Problem> {
        let is_json = self.parts.headers.get(CONTENT_TYPE).is_some_and(|value| {
            let kind = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
            let kind = kind.trim().to_ascii_lowercase();
            kind == "application/json" || kind == "application/merge-patch+json"
        });
        if !is_json {
            let detail = "send JSON, with Content-Type: application/json";
            return Err(Problem::new(Kind::UnsupportedMediaType, detail));
        }
        Fields::parse(&self.read(body).await?)
    }

    async fn read(&self, body: Body) -> Result<Bytes, Problem> {
        let most = self.settings.max_body.0;
        let too_large =
            || Problem::new(Kind::BodyTooLarge, format!("at most {most} bytes are taken"));
        let length = self.parts.headers.get(CONTENT_LENGTH);
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if length.is_some_and(|length| length > most) {
            return Err(too_large());
        }
        let body = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX));
        self.is_reading.store(true, Ordering::Relaxed);
        let body = body.collect().await;
        self.is_reading.store(false, Ordering::Relaxed);
        match body {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
            Err(_) => Err(malformed("the body")),
        }
    }

    fn part(&self, at: usize) -> Result<Cow<'_, [u8]>, Problem> {
        let part = self.parts.uri.path().split('/').nth(at).unwrap_or_default();
        decode(part).ok_or_else(|| malformed("the path"))
    }

    fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.parts.uri.query().unwrap_or_default();
        let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
        parameters.map(|parameter| parameter.split_once('=').unwrap_or((parameter, "")))
    }
}

/// Carries out what must not be left half done, even if nobody waits for it any more.
pub(super) async fn to_the_end<F>(future: F) -> Result<F::Output, Problem>
where
    F: Future<Output: Send> + Send + 'static,
{
    let outcome = tokio::spawn(future).await;
    outcome.map_err(|_| Problem::new(Kind::StoreFailed, "it broke off; the log says why"))
}

/// The duration that a field or parameter holds.
pub(super) fn duration(name: &str, text: &str) -> Result<Duration, Problem> {
    parse_duration(text).map_err(|error| Problem::invalid(format!("{name}: {error}")))
}

fn malformed(what: &str) -> Problem {
    Problem::new(Kind::MalformedRequest, format!("{what} is not encoded as it should be"))
}
