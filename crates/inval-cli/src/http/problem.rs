//! What the API says when it cannot do what it was asked (RFC 9457).

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use inval_core::{ConfigError, KeyError, NamespaceError, Rejection};
use inval_redis::Error as RedisError;
use inval_runtime::{RequestError, StartAnalysisError};
use serde_json::json;

use crate::serve::AnyError;

/// What a client without a token is told (RFC 6750), and one with a wrong token.
const CHALLENGE: &str = "Bearer realm=\"inval\"";
const REJECTION: &str = "Bearer realm=\"inval\", error=\"invalid_token\"";

/// Something that went wrong with a request: which of the known problems, and the particulars of this one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    /// What a header has to say besides.
    header: Option<(HeaderName, HeaderValue)>,
}

/// All problems. The names of their types never change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    MalformedRequest,
    MalformedJson,
    Unauthenticated,
    Forbidden,
    TooManyAttempts,
    UnknownPath,
    UnknownNamespace,
    NoEntry,
    NoAnalysis,
    MethodNotAllowed,
    BodyTimeout,
    NamespaceExists,
    Unchangeable,
    AnalysisRunning,
    ReloadIncomplete,
    LengthRequired,
    ConditionUnmet,
    BodyTooLarge,
    ValueTooLarge,
    AnswerTooLarge,
    UnsupportedMediaType,
    Invalid,
    StoreFailed,
    StoreUnavailable,
    Stopping,
    Timeout,
}

impl Kind {
    fn describe(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as Code;
        match self {
            Self::MalformedRequest => {
                (Code::BAD_REQUEST, "malformed-request", "The request is malformed")
            }
            Self::MalformedJson => (Code::BAD_REQUEST, "malformed-json", "The body is not JSON"),
            Self::Unauthenticated => {
                (Code::UNAUTHORIZED, "unauthenticated", "A token is needed that is worth something")
            }
            Self::Forbidden => (Code::FORBIDDEN, "forbidden", "This is not allowed"),
            Self::TooManyAttempts => (
                Code::TOO_MANY_REQUESTS,
                "too-many-attempts",
                "There were too many wrong tokens from this address",
            ),
            Self::UnknownPath => (Code::NOT_FOUND, "unknown-path", "There is nothing at this path"),
            Self::UnknownNamespace => {
                (Code::NOT_FOUND, "unknown-namespace", "There is no such namespace")
            }
            Self::NoEntry => (Code::NOT_FOUND, "no-entry", "There is no such entry"),
            Self::NoAnalysis => {
                (Code::NOT_FOUND, "no-analysis", "The namespace has not been analysed")
            }
            Self::MethodNotAllowed => (
                Code::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The path does not know the method",
            ),
            Self::BodyTimeout => {
                (Code::REQUEST_TIMEOUT, "body-timeout", "The body did not come in time")
            }
            Self::NamespaceExists => {
                (Code::CONFLICT, "namespace-exists", "There is another namespace of this name")
            }
            Self::Unchangeable => {
                (Code::CONFLICT, "unchangeable", "This cannot change while the namespace is in use")
            }
            Self::AnalysisRunning => {
                (Code::CONFLICT, "analysis-running", "The namespace is being analysed already")
            }
            Self::ReloadIncomplete => {
                (Code::CONFLICT, "reload-incomplete", "Part of the file could not take effect")
            }
            Self::LengthRequired => {
                (Code::LENGTH_REQUIRED, "length-required", "The request has no body")
            }
            Self::ConditionUnmet => (
                Code::PRECONDITION_FAILED,
                "condition-unmet",
                "The condition of the write does not hold",
            ),
            Self::BodyTooLarge => {
                (Code::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large")
            }
            Self::ValueTooLarge => (
                Code::PAYLOAD_TOO_LARGE,
                "value-too-large",
                "The entry is too large for the namespace",
            ),
            Self::AnswerTooLarge => {
                (Code::PAYLOAD_TOO_LARGE, "answer-too-large", "The answer would be too large")
            }
            Self::UnsupportedMediaType => (
                Code::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is not of a type that belongs here",
            ),
            Self::Invalid => {
                (Code::UNPROCESSABLE_ENTITY, "invalid", "Something in the request is not valid")
            }
            Self::StoreFailed => (Code::BAD_GATEWAY, "store-failed", "The store failed"),
            Self::StoreUnavailable => (
                Code::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "The store cannot do it now, but may soon",
            ),
            Self::Stopping => {
                (Code::SERVICE_UNAVAILABLE, "stopping", "The daemon is shutting down")
            }
            Self::Timeout => (Code::GATEWAY_TIMEOUT, "timeout", "The request took too long"),
        }
    }
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), header: None }
    }

    /// Something well-formed that is not valid.
    pub(super) fn invalid(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Kind::Invalid, detail)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.kind.describe().0
    }

    pub(super) fn token_needed() -> Self {
        let problem = Self::new(
            Kind::Unauthenticated,
            "send one as Authorization: Bearer; `inval token create` makes one",
        );
        Self { header: Some((WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))), ..problem }
    }

    /// Says nothing of why: it may be malformed, unknown, revoked or expired.
    pub(super) fn wrong_token() -> Self {
        let problem = Self::new(Kind::Unauthenticated, "the one that was sent is not");
        Self { header: Some((WWW_AUTHENTICATE, HeaderValue::from_static(REJECTION))), ..problem }
    }

    /// Says nothing of what would be allowed, nor of whether there is such a namespace.
    pub(super) fn forbidden() -> Self {
        Self::new(Kind::Forbidden, "whoever runs the daemon can allow it")
    }

    pub(super) fn foreign_page() -> Self {
        Self::new(Kind::Forbidden, "a page of another origin changes nothing here")
    }

    /// Valid tokens are let in meanwhile.
    pub(super) fn too_many_attempts(pause: Duration) -> Self {
        let seconds = pause.as_millis().div_ceil(1000).max(1) as u64;
        let problem = Self::new(Kind::TooManyAttempts, "send a token that is worth something");
        Self { header: Some((RETRY_AFTER, seconds.into())), ..problem }
    }

    pub(super) fn unknown_namespace() -> Self {
        Self::new(
            Kind::UnknownNamespace,
            "GET /v1/namespaces lists those that are there; PUT /v1/namespaces/{ns} makes one",
        )
    }

    pub(super) fn no_entry() -> Self {
        Self::new(Kind::NoEntry, "it was never written, or it expired, was evicted or invalidated")
    }

    /// The path knows only the methods in `allow`, a list with commas.
    pub(super) fn method_not_allowed(allow: &str) -> Self {
        let problem = Self::new(Kind::MethodNotAllowed, format!("known here: {allow}"));
        Self { header: HeaderValue::from_str(allow).ok().map(|allow| (ALLOW, allow)), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.kind.describe();
        let body = json!({
            "type": format!("urn:inval:problem:{name}"),
            "title": title,
            "status": status.as_u16(),
            "detail": self.detail,
        });
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<AnyError> for Problem {
    fn from(error: AnyError) -> Self {
        let AnyError::Redis(cause) = error;
        let kind = match cause {
            RedisError::ValueTooLarge(_) => Kind::ValueTooLarge,
            RedisError::OwnTtlWithIdle => Kind::Invalid,
            _ if error.is_retryable() => Kind::StoreUnavailable,
            _ => Kind::StoreFailed,
        };
        Self::new(kind, cause.to_string())
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        let kind = match rejection {
            Rejection::TooHeavy { .. } => Kind::ValueTooLarge,
            Rejection::NoTimeToLive => Kind::Invalid,
        };
        Self::new(kind, rejection.to_string())
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Unknown => Self::unknown_namespace(),
            RequestError::Stopped => Self::new(Kind::Stopping, "try again when it is back"),
        }
    }
}

impl From<StartAnalysisError> for Problem {
    fn from(error: StartAnalysisError) -> Self {
        match error {
            StartAnalysisError::Unknown => Self::unknown_namespace(),
            StartAnalysisError::Running => {
                Self::new(Kind::AnalysisRunning, "GET tells how far it has got, DELETE cancels it")
            }
            StartAnalysisError::Stopped => RequestError::Stopped.into(),
            StartAnalysisError::Options(error) => Self::invalid(error.to_string()),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<NamespaceError> for Problem {
    fn from(error: NamespaceError) -> Self {
        Self::invalid(error.to_string())
    }
}

impl From<ConfigError> for Problem {
    fn from(error: ConfigError) -> Self {
        Self::invalid(error.to_string())
    }
}
