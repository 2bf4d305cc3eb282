//! The HTTP API of the daemon: which paths there are, and how a request becomes an answer.

mod routes;
mod call;
mod problem;

mod entries;
mod explain;
mod batch;
mod namespaces;
mod config;
mod statistics;
mod metrics;
mod analysis;
mod upkeep;
mod dashboard;

mod json;
mod percent;
mod server;
mod tls;
mod traffic;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;
use tokio::time::timeout;

use crate::config::HttpSettings;
use crate::serve::Daemon;
use call::Call;
use problem::{Kind, Problem};
use routes::{Operation, PATHS, Path};
use traffic::Traffic;

pub(crate) use server::Server;
pub(crate) use tls::{Tls, TlsError};

/// The document that describes this API, in OpenAPI 3.1.
const OPENAPI: &str = include_str!("../openapi.json");

/// What an operation returns.
type Answer = Result<Response, Problem>;

/// What all requests share.
pub(crate) struct Api {
    daemon: Arc<Daemon>,
    settings: HttpSettings,
    traffic: Traffic,
}

impl Api {
    pub(crate) fn new(daemon: Arc<Daemon>, settings: HttpSettings) -> Self {
        Self { daemon, settings, traffic: Traffic::default() }
    }

    /// Everything that can be requested.
    fn router(self: Arc<Self>) -> Router {
        let nothing = Problem::new(Kind::UnknownPath, "GET /v1/openapi.json describes the API");
        PATHS
            .iter()
            .fold(Router::new(), |router, path| {
                let api = Arc::clone(&self);
                let handler = move |request: Request| {
                    let api = Arc::clone(&api);
                    async move { api.answer(path, request).await }
                };
                router.route(path.template, any(handler))
            })
            .fallback(move || std::future::ready(nothing.clone()))
    }

    async fn answer(&self, path: &'static Path, request: Request) -> Response {
        let Some(operation) = path.operation(request.method()) else {
            return Problem::method_not_allowed(&path.allow()).into_response();
        };
        let began = Instant::now();
        let answer = self.call(operation, request).await;
        let answer = answer.unwrap_or_else(IntoResponse::into_response);
        self.traffic.note(operation, answer.status(), began.elapsed());
        answer
    }

    async fn call(&self, operation: Operation, request: Request) -> Answer {
        let (parts, body) = request.into_parts();
        let call = Call::new(&self.daemon, &self.settings, parts);
        call.check_query(operation.parameters())?;
        if operation == Operation::Run {
            // It says itself how long it may take.
            return upkeep::run(&call).await;
        }
        let answer = carry_out(operation, &call, &self.traffic, body);
        timeout(self.settings.request_timeout, answer).await.unwrap_or_else(|_| Err(call.overdue()))
    }
}

async fn carry_out(operation: Operation, call: &Call<'_>, traffic: &Traffic, body: Body) -> Answer {
    use Operation as Op;
    match operation {
        Op::GetEntry => entries::get(call).await,
        Op::PutEntry => entries::put(call, body).await,
        Op::HeadEntry => entries::head(call).await,
        Op::DeleteEntry => entries::delete(call).await,
        Op::Explain => explain::of_key(call).await,
        Op::GetMany => batch::get(call, body).await,
        Op::PutMany => batch::put(call, body).await,
        Op::Invalidate => batch::invalidate(call, body).await,
        Op::Clear => batch::clear(call, body).await,
        Op::ListNamespaces => namespaces::list(call).await,
        Op::GetNamespace => namespaces::get(call).await,
        Op::CreateNamespace => namespaces::create(call, body).await,
        Op::ChangeNamespace => namespaces::change(call, body).await,
        Op::DeleteNamespace => namespaces::delete(call).await,
        Op::GetStats => statistics::of_one(call).await,
        Op::ListStats => statistics::of_all(call).await,
        Op::Metrics => metrics::scrape(call, traffic).await,
        Op::StartAnalysis => analysis::start(call, body).await,
        Op::GetAnalysis => analysis::get(call),
        Op::CancelAnalysis => analysis::cancel(call),
        Op::Run => upkeep::run(call).await,
        Op::Pause => upkeep::pause(call).await,
        Op::Resume => upkeep::resume(call).await,
        Op::Reload => upkeep::reload(call).await,
        Op::Health => upkeep::health(),
        Op::Ready => upkeep::ready(call).await,
        Op::Version => upkeep::version(call),
        Op::OpenApi => Ok(respond(StatusCode::OK, "application/json", OPENAPI)),
        Op::Dashboard => Ok(dashboard::page()),
    }
}

/// An answer with a body.
fn respond(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer with JSON in it.
fn json(status: StatusCode, body: &Value) -> Answer {
    Ok(respond(status, "application/json", body.to_string()))
}

/// An answer without a body, with perhaps a header that holds a number.
fn empty(status: StatusCode, header: Option<(&'static str, u64)>) -> Answer {
    let mut response = Response::default();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some((name, value)) = header {
        headers.insert(HeaderName::from_static(name), value.into());
    }
    Ok(response)
}
