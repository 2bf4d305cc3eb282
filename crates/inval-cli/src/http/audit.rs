//! The audit log: who did what that changes more than an entry, or was refused. Never a key, a value or a token.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::http::StatusCode;
use axum::response::Response;
use inval_core::Namespace;
use tracing::{info, warn};

use super::Answer;
use super::call::Call;
use super::gate::Caller;
use super::problem::Problem;
use super::routes::Operation;
use crate::access::Token;

/// How many entries an operation touched; goes with its answer.
#[derive(Clone, Copy)]
struct Touched(u64);

/// An operation that is to be told of. If nobody waits for its end any more, that is what is told.
pub(super) struct Audit {
    operation: Operation,
    who: Who,
    namespace: Option<String>,
    is_told: bool,
}

/// Whom the log names.
struct Who {
    principal: Cow<'static, str>,
    token: Option<Box<str>>,
}

impl Who {
    fn new(caller: &Caller) -> Self {
        match caller {
            Caller::Anyone => Self { principal: "(anyone)".into(), token: None },
            Caller::Stranger => Self { principal: "(nobody)".into(), token: None },
            Caller::Holder(holder) => Self {
                principal: holder.principal.name().to_string().into(),
                token: Some(holder.token.clone()),
            },
        }
    }
}

impl Audit {
    /// Begins to tell of a call; `None` if nothing is told of such calls.
    pub(super) fn begin(operation: Operation, call: &Call<'_>) -> Option<Self> {
        operation.is_audited().then(|| Self {
            operation,
            who: Who::new(&call.caller),
            namespace: call.namespace().ok().and_then(|name| loggable(&name)),
            is_told: false,
        })
    }

    /// Tells that it was not allowed.
    pub(super) fn refuse(mut self, reason: &str) {
        self.is_told = true;
        let (Who { principal, token }, namespace) = (&self.who, self.namespace.as_deref());
        warn!(
            target: "inval::audit",
            %principal, token_id = token.as_deref(), operation = ?self.operation, namespace, reason,
            outcome = "refused", "audit"
        );
    }

    /// Tells what came of it.
    pub(super) fn end(mut self, answer: &Answer) {
        self.is_told = true;
        let (Who { principal, token }, namespace) = (&self.who, self.namespace.as_deref());
        let entries = answer.as_ref().ok().and_then(|answer| answer.extensions().get::<Touched>());
        let status = answer.as_ref().map_or_else(Problem::status, Response::status);
        let outcome = match status {
            StatusCode::GATEWAY_TIMEOUT => "unknown",
            status if status.is_success() => "done",
            _ => "failed",
        };
        info!(
            target: "inval::audit",
            %principal, token_id = token.as_deref(), operation = ?self.operation, namespace,
            entries = entries.map(|touched| touched.0), status = status.as_u16(), outcome, "audit"
        );
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if !self.is_told {
            let (Who { principal, token }, namespace) = (&self.who, self.namespace.as_deref());
            warn!(
                target: "inval::audit",
                %principal, token_id = token.as_deref(), operation = ?self.operation, namespace,
                outcome = "unknown", "audit"
            );
        }
    }
}

/// An answer that tells the audit log of how many entries it is about.
pub(super) fn touching(entries: u64, answer: Answer) -> Answer {
    answer.map(|mut answer| {
        answer.extensions_mut().insert(Touched(entries));
        answer
    })
}

/// Tells of somebody without a token that is worth something.
pub(super) fn tell_stranger(address: IpAddr, operation: Option<Operation>, problem: &Problem) {
    let operation = operation.map(|operation| format!("{operation:?}"));
    warn!(
        target: "inval::audit",
        %address, operation = operation.as_deref(), status = problem.status().as_u16(), outcome = "refused", "audit"
    );
}

/// A name as it may stand in a log: `None` if no namespace can be called so, or it looks like a secret.
fn loggable(name: &str) -> Option<String> {
    let is_secret = name.parse::<Token>().is_ok();
    (!is_secret).then(|| name.parse::<Namespace>().ok()).flatten().map(|name| name.to_string())
}
