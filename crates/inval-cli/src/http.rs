//! The HTTP API of the daemon: which paths there are, and how a request becomes an answer.

mod routes;
mod gate;
mod call;
mod audit;
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
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::Value;
use tokio::time::timeout;

use crate::config::HttpSettings;
use crate::serve::Daemon;
use audit::Audit;
use call::Call;
use gate::{Gate, Refusal};
use problem::{Kind, Problem};
use routes::{Need, Operation, PATHS, Path};
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
    gate: Gate,
}

impl Api {
    pub(crate) fn new(daemon: Arc<Daemon>, settings: HttpSettings) -> Self {
        let (traffic, gate) = (Traffic::default(), Gate::new());
        Self { daemon, settings, traffic, gate }
    }

    /// Everything that can be requested.
    fn router(self: Arc<Self>) -> Router {
        let handler = |path: Option<&'static Path>| {
            let api = Arc::clone(&self);
            move |request: Request| {
                let api = Arc::clone(&api);
                async move { api.answer(path, request).await }
            }
        };
        let paths = PATHS.iter();
        let router = paths.fold(Router::new(), |router, path| {
            router.route(path.template, any(handler(Some(path))))
        });
        router.fallback(handler(None))
    }

    /// The answer to any request, also one to no path of ours.
    async fn answer(&self, path: Option<&'static Path>, request: Request) -> Response {
        let operation = path.and_then(|path| path.operation(request.method()));
        let began = Instant::now();
        let answer = self.admit(path, operation, request).await;
        let mut response = answer.unwrap_or_else(IntoResponse::into_response);
        if let Some(operation) = operation {
            self.traffic.note(operation, response.status(), began.elapsed());
        }
        // A value may be anything; a browser is not to find a page or a script in it.
        let headers = response.headers_mut();
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }

    /// Lets a request in if its sender may do what it asks for. Whoever is not known learns nothing, not even which
    /// paths there are.
    async fn admit(
        &self,
        path: Option<&'static Path>,
        operation: Option<Operation>,
        request: Request,
    ) -> Answer {
        let (parts, body) = request.into_parts();
        let need = operation.map_or(Need::Token, Operation::need);
        let identified = self.gate.identify(&self.daemon.access, need, &parts);
        let caller = identified.map_err(|Refusal { problem, is_noted }| {
            if is_noted {
                audit::tell_stranger(gate::address(&parts), operation, &problem);
            }
            problem
        })?;
        let Some(path) = path else {
            return Err(Problem::new(Kind::UnknownPath, "GET /v1/openapi.json describes the API"));
        };
        let Some(operation) = operation else {
            return Err(Problem::method_not_allowed(&path.allow()));
        };
        let call = Call::new(&self.daemon, &self.settings, parts, caller);
        let audit = Audit::begin(operation, &call);
        if let Err((problem, reason)) = gate::permit(need, &call) {
            if let Some(audit) = audit {
                audit.refuse(&reason);
            }
            return Err(problem);
        }
        let answer = self.call(operation, &call, body).await;
        if let Some(audit) = audit {
            audit.end(&answer);
        }
        answer
    }

    async fn call(&self, operation: Operation, call: &Call<'_>, body: Body) -> Answer {
        call.check_query(operation.parameters())?;
        if operation == Operation::Run {
            // It says itself how long it may take.
            return upkeep::run(call).await;
        }
        let answer = carry_out(operation, call, &self.traffic, body);
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
