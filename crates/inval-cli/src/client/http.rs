//! A daemon's HTTP API: how each operation is asked for, and how its answer is read.

mod url;
mod tls;
mod error;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use inval_core::{Key, Lifetime, Namespace, Put, PutCondition, PutOptions};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::{Method, Request, Response};

use super::ClientError;
use super::explanation::Explanation;
use super::keys::json_bytes;
use super::report::{Report, Wish};
use super::statistics::Statistics;
use super::values::{Changes, Created, Invalidated, NamespaceInfo, Run, Span, Upkeep};
use crate::access::Token;
use crate::args::DaemonTls;
use error::Problem;

pub(crate) use error::HttpError;
pub(crate) use url::{DaemonUrl, DaemonUrlError};

/// How long a connection may take, and how long the daemon may think.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// How long one call may do upkeep; well below the time in which an answer is expected.
const UPKEEP_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest body that is read: a value on a server, and some more.
const MOST_BYTES: u64 = 600 << 20;
/// The longest URL that HTTP libraries read.
const LONGEST_URL: usize = 65_534;
/// What is encoded in a segment of a path. The point is, for `.` and `..` are no keys to a path.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'~').remove(b':');

/// A daemon, and the connections to it.
pub(crate) struct HttpClient {
    agent: Agent,
    url: DaemonUrl,
    token: Option<Token>,
}

/// A request on its way to be sent.
struct Call<'a> {
    method: Method,
    path: String,
    /// The type of the body, and the body.
    body: Option<(&'static str, &'a [u8])>,
    condition: Option<&'static str>,
}

/// An answer with its body.
type Answer = Response<Vec<u8>>;

#[derive(Deserialize)]
struct List {
    namespaces: Vec<NamespaceInfo>,
}

#[derive(Deserialize)]
struct Version {
    version: String,
}

#[derive(Deserialize)]
struct StatisticsByName {
    namespaces: BTreeMap<String, Statistics>,
}

impl HttpClient {
    pub(super) fn new(
        url: DaemonUrl,
        tls: &DaemonTls,
        token: Option<Token>,
    ) -> Result<Self, ClientError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("inval/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls::config(tls)?)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(ANSWER_TIMEOUT))
            .build();
        Ok(Self { agent: config.into(), url, token })
    }

    pub(super) fn url(&self) -> &DaemonUrl {
        &self.url
    }

    pub(super) fn version(&self) -> Result<String, HttpError> {
        let Version { version } = self.ask(Method::GET, "/v1/version".to_owned(), None)?;
        Ok(version)
    }

    pub(super) fn get(&self, namespace: &Namespace, key: &Key) -> Result<Option<Bytes>, HttpError> {
        let answer = self.call(Call::new(Method::GET, entry(namespace, key)))?;
        match self.success(answer) {
            Ok(answer) => Ok(Some(answer.into_body().into())),
            Err(HttpError::Refused(problem)) if problem.is("no-entry") => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) fn put(
        &self,
        namespace: &Namespace,
        key: &Key,
        value: &[u8],
        options: PutOptions,
    ) -> Result<Put, HttpError> {
        let ttl = options.ttl.map_or(String::new(), |ttl| format!("?ttl={}", Span(ttl)));
        let path = entry(namespace, key) + &ttl;
        let answer = self.call(Call {
            body: Some(("application/octet-stream", value)),
            condition: match options.condition {
                PutCondition::Always => None,
                PutCondition::IfAbsent => Some("If-None-Match"),
                PutCondition::IfPresent => Some("If-Match"),
            },
            ..Call::new(Method::PUT, path)
        })?;
        if answer.status() == 412 {
            return Ok(Put::Unmet);
        }
        self.success(answer)?;
        Ok(Put::Stored)
    }

    pub(super) fn invalidate(
        &self,
        namespace: &Namespace,
        keys: &[Key],
        run: Run,
    ) -> Result<Invalidated, HttpError> {
        let keys: Vec<Value> = keys.iter().map(|key| json_bytes(key.as_bytes())).collect();
        let body = json!({ "keys": keys, "dry_run": run == Run::Dry });
        self.ask(Method::POST, named(namespace) + "/invalidate", Some(&body))
    }

    pub(super) fn lifetime(&self, namespace: &Namespace, key: &Key) -> Result<Lifetime, HttpError> {
        let answer = self.call(Call::new(Method::HEAD, entry(namespace, key)))?;
        if answer.status() == 404 {
            // This answer has no body to say what is not there.
            self.namespace(namespace)?;
            return Ok(Lifetime::Absent);
        }
        let answer = self.success(answer)?;
        let Some(remaining) = answer.headers().get("Inval-Expires-In-Ms") else {
            return Ok(Lifetime::Unlimited);
        };
        let remaining = remaining.to_str().ok().and_then(|ms| ms.parse().ok());
        let remaining = remaining.ok_or_else(|| HttpError::Unreadable(self.url.clone()))?;
        Ok(Lifetime::Remaining(Duration::from_millis(remaining)))
    }

    pub(super) fn explain(
        &self,
        namespace: &Namespace,
        key: &Key,
    ) -> Result<Explanation, HttpError> {
        self.ask(Method::GET, of_key(namespace, "explain", key), None)
    }

    pub(super) fn namespaces(&self) -> Result<Vec<NamespaceInfo>, HttpError> {
        let List { namespaces } = self.ask(Method::GET, "/v1/namespaces".to_owned(), None)?;
        Ok(namespaces)
    }

    pub(super) fn namespace(&self, namespace: &Namespace) -> Result<NamespaceInfo, HttpError> {
        self.ask(Method::GET, named(namespace), None)
    }

    pub(super) fn create(
        &self,
        namespace: &Namespace,
        changes: &Changes,
    ) -> Result<Created, HttpError> {
        let answer = self.send(Method::PUT, named(namespace), Some(&changes.creation()))?;
        Ok(if answer.status() == 201 { Created::New } else { Created::Unchanged })
    }

    pub(super) fn change(&self, namespace: &Namespace, changes: &Changes) -> Result<(), HttpError> {
        self.send(Method::PATCH, named(namespace), Some(&changes.patch())).map(drop)
    }

    pub(super) fn delete(&self, namespace: &Namespace) -> Result<(), HttpError> {
        self.send(Method::DELETE, named(namespace), None).map(drop)
    }

    pub(super) fn statistics(&self) -> Result<BTreeMap<String, Statistics>, HttpError> {
        let StatisticsByName { namespaces } =
            self.ask(Method::GET, "/v1/stats".to_owned(), None)?;
        Ok(namespaces)
    }

    pub(super) fn statistics_of(&self, namespace: &Namespace) -> Result<Statistics, HttpError> {
        self.ask(Method::GET, named(namespace) + "/stats", None)
    }

    /// Starts an analysis, and tells where it stands.
    pub(super) fn start_analysis(
        &self,
        namespace: &Namespace,
        wish: &Wish,
    ) -> Result<Report, HttpError> {
        self.ask(Method::POST, named(namespace) + "/analysis", Some(&wish.body()))
    }

    pub(super) fn analysis(&self, namespace: &Namespace) -> Result<Report, HttpError> {
        self.ask(Method::GET, named(namespace) + "/analysis", None)
    }

    pub(super) fn cancel_analysis(&self, namespace: &Namespace) -> Result<(), HttpError> {
        self.send(Method::DELETE, named(namespace) + "/analysis", None).map(drop)
    }

    /// Lets the daemon do upkeep until nothing is left, or for a while no longer than `most`.
    pub(super) fn maintain(
        &self,
        namespace: &Namespace,
        most: Duration,
    ) -> Result<Upkeep, HttpError> {
        let timeout = Span(most.clamp(Duration::from_millis(1), UPKEEP_TIMEOUT));
        self.ask(Method::POST, format!("{}/run?timeout={timeout}", named(namespace)), None)
    }

    /// The answer's body, as JSON.
    fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: String,
        body: Option<&Value>,
    ) -> Result<T, HttpError> {
        let answer = self.send(method, path, body)?;
        let value = serde_json::from_slice(answer.body());
        value.map_err(|_| HttpError::Unreadable(self.url.clone()))
    }

    /// The answer if it is a success.
    fn send(
        &self,
        method: Method,
        path: String,
        body: Option<&Value>,
    ) -> Result<Answer, HttpError> {
        let has_body = method != Method::GET && method != Method::DELETE;
        let text = body.map(Value::to_string);
        let body = match &text {
            Some(text) => Some(("application/json", text.as_bytes())),
            // Some servers ask for the length of a body even if there is none.
            None => has_body.then_some(("application/json", &b"{}"[..])),
        };
        self.success(self.call(Call { body, ..Call::new(method, path) })?)
    }

    fn success(&self, answer: Answer) -> Result<Answer, HttpError> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if let Some(error) = self.refused(&answer) {
            return Err(error);
        }
        let problem = Problem::read(status.as_u16(), answer.body());
        Err(problem.map_or_else(
            || HttpError::Stranger { url: self.url.clone(), status: status.as_u16() },
            HttpError::Refused,
        ))
    }

    /// Why it does not let us in, if that is why. Also an answer to HEAD says so, which has no body.
    fn refused(&self, answer: &Answer) -> Option<HttpError> {
        let url = self.url.clone();
        let is_challenged = answer.headers().contains_key("WWW-Authenticate");
        Some(match (answer.status().as_u16(), &self.token) {
            (401, None) if is_challenged => HttpError::TokenNeeded(url),
            (401, Some(_)) if is_challenged => HttpError::TokenWrong(url),
            (403, Some(_)) => HttpError::Forbidden(url),
            (429, Some(_)) => HttpError::TokenWrong(url),
            _ => return None,
        })
    }

    fn call(&self, call: Call<'_>) -> Result<Answer, HttpError> {
        let url = self.url.join(&call.path);
        if url.len() > LONGEST_URL {
            return Err(HttpError::LongKey);
        }
        let mut request = Request::builder().method(call.method).uri(url);
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {}", token.reveal()));
        }
        if let Some(condition) = call.condition {
            request = request.header(condition, "*");
        }
        let answer = match call.body {
            Some((content_type, body)) => {
                let request = request.header("Content-Type", content_type).body(body);
                request.map_err(ureq::Error::from).and_then(|request| self.agent.run(request))
            }
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|request| self.agent.run(request)),
        };
        let answer = answer.map_err(|error| HttpError::of_call(&error, &self.url))?;
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(MOST_BYTES).read_to_vec();
        let body = body.map_err(|error| HttpError::of_call(&error, &self.url))?;
        Ok(Response::from_parts(parts, body))
    }
}

impl Call<'_> {
    fn new(method: Method, path: String) -> Self {
        Self { method, path, body: None, condition: None }
    }
}

fn named(namespace: &Namespace) -> String {
    format!("/v1/namespaces/{}", percent_encode(namespace.to_string().as_bytes(), ENCODED))
}

fn entry(namespace: &Namespace, key: &Key) -> String {
    of_key(namespace, "entries", key)
}

fn of_key(namespace: &Namespace, what: &str, key: &Key) -> String {
    format!("{}/{what}/{}", named(namespace), percent_encode(key.as_bytes(), ENCODED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_is_one_segment_of_a_path() {
        let check = |key: &[u8], want: &str| {
            let path = entry(&"a.b".parse().unwrap(), &Key::new(key).unwrap());
            assert_eq!(path.strip_prefix("/v1/namespaces/a%2Eb/entries/"), Some(want));
        };
        check(b"user:17_a-b~c", "user:17_a-b~c");
        check(b"..", "%2E%2E");
        check(b"a/b?c#d%e f+g", "a%2Fb%3Fc%23d%25e%20f%2Bg");
        check("é".as_bytes(), "%C3%A9");
        check(&[0, 255], "%00%FF");
    }
}
