//! The dashboard: one page that asks this API, and what a browser lets it do.

use std::sync::LazyLock;

use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::respond;

const PAGE: &str = include_str!("dashboard.html");

/// Only the page's own script and style may run, and they may only ask the daemon.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let (script, style) = (source_of("script")?, source_of("style")?);
    let policy = format!(
        "default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).ok()
});

pub(super) fn page() -> Response {
    let mut response = respond(StatusCode::OK, "text/html; charset=utf-8", PAGE);
    let headers = response.headers_mut();
    let policy = POLICY.clone().unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// The source expression that allows what stands inside the page's one element of this name.
fn source_of(element: &str) -> Option<String> {
    let (_, rest) = PAGE.split_once(&format!("<{element}>"))?;
    let (inside, _) = rest.split_once(&format!("</{element}>"))?;
    Some(format!("'sha256-{}'", STANDARD.encode(Sha256::digest(inside))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page that needs more than the policy allows would be still-born in a browser.
    #[test]
    fn the_page_is_one_file_with_one_script_and_one_style() {
        for element in ["<script", "<style"] {
            assert_eq!(PAGE.matches(element).count(), 1, "{element}");
        }
        for foreign in ["style=\"", "onclick=", "onload=", "src=", "@import", "innerHTML", "eval("]
        {
            assert!(!PAGE.contains(foreign), "{foreign}");
        }
        assert!(
            POLICY
                .as_ref()
                .unwrap()
                .to_str()
                .unwrap()
                .starts_with("default-src 'none'; script-src 'sha256-")
        );
        assert!(PAGE.len() < 48 << 10, "{} bytes", PAGE.len());
    }
}
