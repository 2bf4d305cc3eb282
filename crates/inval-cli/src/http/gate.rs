//! The one place that every request passes: who asks, and whether they may.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use inval_core::access::{Operation, Scope};

use super::call::Call;
use super::problem::{Kind, Problem};
use super::routes::Need;
use super::server::Peer;
use crate::access::{Access, Holder, Moment, Throttle, Token};

/// Parameters by which tokens are sent elsewhere.
const TOKEN_PARAMETERS: [&str; 2] = ["access_token", "token"];

/// Who asks.
pub(super) enum Caller {
    /// Somebody who may do everything, as everybody may.
    Anyone,
    /// Somebody unknown, for what needs no token.
    Stranger,
    /// The holder of a token.
    Holder(Arc<Holder>),
}

/// Tells callers from each other, and notes who comes with a wrong token.
pub(super) struct Gate {
    throttle: Mutex<Throttle>,
}

/// Why somebody is not let in.
pub(super) struct Refusal {
    pub(super) problem: Problem,
    /// Whether to log it. Not where there were many from the same address.
    pub(super) is_noted: bool,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { throttle: Mutex::new(Throttle::new()) }
    }

    /// Who sent a request that needs this. Looks neither at the namespace nor at the body.
    pub(super) fn identify(
        &self,
        access: &Access,
        need: Need,
        parts: &Parts,
    ) -> Result<Caller, Refusal> {
        if let Err(problem) = check_url(parts).and_then(|()| check_origin(parts)) {
            return Err(Refusal { problem, is_noted: self.note_failure(parts).is_ok() });
        }
        let tokens = match (access, need) {
            (Access::Open, _) => return Ok(Caller::Anyone),
            (Access::Tokens(_), Need::Nothing) => return Ok(Caller::Stranger),
            (Access::Tokens(tokens), _) => tokens.load(),
        };
        let Some(token) = bearer(&parts.headers) else {
            let is_noted = self.note_failure(parts).is_ok();
            return Err(Refusal { problem: Problem::token_needed(), is_noted });
        };
        match token.and_then(|token| tokens.holder(&token, Moment::now())) {
            Some(holder) => Ok(Caller::Holder(holder)),
            None => Err(match self.note_failure(parts) {
                Ok(()) => Refusal { problem: Problem::wrong_token(), is_noted: true },
                Err(pause) => {
                    Refusal { problem: Problem::too_many_attempts(pause), is_noted: false }
                }
            }),
        }
    }

    /// Whether there is still room for a failure of this address.
    fn note_failure(&self, parts: &Parts) -> Result<(), Duration> {
        let mut throttle = self.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.fail(address(parts), Instant::now())
    }
}

impl Caller {
    /// Whether it may do this.
    pub(super) fn may(&self, operation: Operation, scope: Scope<'_>) -> bool {
        match self {
            Self::Anyone => true,
            Self::Stranger => false,
            Self::Holder(holder) => holder.principal.decide(operation, scope).is_allowed(),
        }
    }

    /// Whether it may know of a namespace of this name.
    pub(super) fn sees(&self, namespace: &str) -> bool {
        match self {
            Self::Anyone => true,
            Self::Stranger => false,
            Self::Holder(holder) => holder.principal.sees(namespace),
        }
    }

    /// Why it may not do this. For the log.
    fn reason(&self, operation: Operation, scope: Scope<'_>) -> String {
        match self {
            Self::Anyone | Self::Stranger => String::new(),
            Self::Holder(holder) => holder.principal.decide(operation, scope).to_string(),
        }
    }
}

/// What to say to whoever may not do something, and why not, for the log.
pub(super) type Denial = (Problem, Box<str>);

/// Lets a call pass if its caller may do what the operation needs, and else says why not. The client is told the
/// same whether or not there is such a namespace, for nobody has looked.
pub(super) fn permit(need: Need, call: &Call<'_>) -> Result<(), Denial> {
    let name = || call.namespace().map_err(|problem| (problem, "malformed path".into()));
    let check = |operation, scope: Scope<'_>| match call.caller.may(operation, scope) {
        true => Ok(()),
        false => Err((Problem::forbidden(), call.caller.reason(operation, scope).into())),
    };
    match need {
        Need::Nothing | Need::Token => Ok(()),
        Need::Sight if call.caller.sees(&name()?) => Ok(()),
        Need::Sight => Err((Problem::forbidden(), "no grant allows anything".into())),
        Need::OfNamespace(operation) => check(operation, Scope::Namespace(&name()?)),
        Need::OfAll(operation) => check(operation, Scope::All),
    }
}

/// From where a request came.
pub(super) fn address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([0; 4]), |peer| peer.0)
}

/// The token of the request: `None` if there is none, `Some(None)` if what is there is none.
fn bearer(headers: &HeaderMap) -> Option<Option<Token>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next()?;
    if values.next().is_some() {
        return Some(None);
    }
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().parse().ok())
}

/// Refuses tokens in URLs, for those end up in logs and histories.
fn check_url(parts: &Parts) -> Result<(), Problem> {
    let query = parts.uri.query().unwrap_or_default();
    let mut names = query.split('&').map(|parameter| parameter.split('=').next().unwrap_or(""));
    if names.any(|name| TOKEN_PARAMETERS.contains(&name)) || query.contains("inval_") {
        return Err(Problem::new(
            Kind::MalformedRequest,
            "a token does not belong in a URL, where it is logged: send it as Authorization: Bearer, and revoke \
             this one",
        ));
    }
    Ok(())
}

/// Refuses what a page of another origin has a browser send, but for reads, which it cannot see the answers of.
fn check_origin(parts: &Parts) -> Result<(), Problem> {
    let Some(origin) = parts.headers.get(ORIGIN) else { return Ok(()) };
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    let of_origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    let is_ours = of_origin.is_some_and(|(_, authority)| Some(authority) == host);
    match is_ours || matches!(parts.method, Method::GET | Method::HEAD) {
        true => Ok(()),
        false => Err(Problem::foreign_page()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri(uri);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_token_comes_in_one_header_as_bearer() {
        let token = Token::generate().unwrap();
        let text = token.reveal();
        let check = |values: &[&str], want: Option<Option<&Token>>| {
            let headers: Vec<_> = values.iter().map(|value| ("Authorization", *value)).collect();
            let found = bearer(&parts("GET", "/", &headers).headers);
            assert_eq!(found.as_ref().map(Option::as_ref), want, "{values:?}");
        };
        check(&[], None);
        check(&[&format!("Bearer {text}")], Some(Some(&token)));
        check(&[&format!("bEARER  {text} ")], Some(Some(&token)));
        check(&["Bearer hush"], Some(None));
        check(&[text], None);
        check(&["Basic YWxpY2U6aHVzaA=="], None);
        check(&[&format!("Bearer {text}"), &format!("Bearer {text}")], Some(None));
    }

    #[test]
    fn a_token_in_a_url_is_refused() {
        let check = |uri: &str, is_fine: bool| {
            assert_eq!(check_url(&parts("GET", uri, &[])).is_ok(), is_fine, "{uri}");
        };
        check("/v1/stats", true);
        check("/v1/namespaces/users/entries/token?ttl=5m", true);
        check("/v1/stats?token=x", false);
        check("/v1/stats?a=b&access_token=x", false);
        check("/v1/stats?key=inval_x", false);
    }

    #[test]
    fn pages_of_other_origins_change_nothing() {
        let check = |method: &str, origin: Option<&str>, is_fine: bool| {
            let headers = [Some(("Host", "127.0.0.1:7171")), origin.map(|o| ("Origin", o))];
            let headers: Vec<_> = headers.into_iter().flatten().collect();
            let parts = parts(method, "/", &headers);
            assert_eq!(check_origin(&parts).is_ok(), is_fine, "{method} {origin:?}");
        };
        check("POST", None, true);
        check("POST", Some("http://127.0.0.1:7171"), true);
        check("POST", Some("https://127.0.0.1:7171"), true);
        check("POST", Some("http://127.0.0.1"), false);
        check("DELETE", Some("http://evil.example"), false);
        check("POST", Some("null"), false);
        check("GET", Some("http://evil.example"), true);
    }
}
