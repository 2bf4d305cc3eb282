//! The address of a daemon.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use ureq::http::Uri;

/// Where a daemon answers: `http://host:port` or `https://host:port`, perhaps with a path before ours.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct DaemonUrl(String);

/// Why a text is no [`DaemonUrl`]. Shows nothing of it, for it may hold a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum DaemonUrlError {
    #[error("a daemon's URL begins with http:// or https://, such as http://127.0.0.1:7171")]
    Scheme,
    #[error("a daemon asks for no user and password; leave them out of the URL")]
    User,
    #[error("a daemon's URL is http://host:port, such as http://127.0.0.1:7171")]
    Form,
}

impl DaemonUrl {
    /// The URL of `path`, which begins with a slash.
    pub(super) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl Default for DaemonUrl {
    fn default() -> Self {
        Self("http://127.0.0.1:7171".to_owned())
    }
}

/// Without `http://`.
impl fmt::Display for DaemonUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.strip_prefix("http://").unwrap_or(&self.0))
    }
}

impl FromStr for DaemonUrl {
    type Err = DaemonUrlError;

    fn from_str(text: &str) -> Result<Self, DaemonUrlError> {
        let rest = ["http://", "https://"].iter().find_map(|scheme| text.strip_prefix(scheme));
        let Some(rest) = rest else { return Err(DaemonUrlError::Scheme) };
        if rest.contains('@') {
            return Err(DaemonUrlError::User);
        }
        let is_plain = text.parse::<Uri>().is_ok_and(|uri| uri.query().is_none());
        if !is_plain || rest.contains('#') {
            return Err(DaemonUrlError::Form);
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_a_host_and_perhaps_a_path() {
        let check = |text: &str, want: Result<&str, DaemonUrlError>| {
            let url = text.parse::<DaemonUrl>().map(|url| url.to_string());
            assert_eq!(url, want.map(str::to_owned), "{text}");
        };
        check("http://127.0.0.1:7171", Ok("127.0.0.1:7171"));
        check("http://[::1]:80/", Ok("[::1]:80"));
        check("http://caches.example.org/inval/", Ok("caches.example.org/inval"));
        check("127.0.0.1:7171", Err(DaemonUrlError::Scheme));
        check("https://host:7171", Ok("https://host:7171"));
        check("ftp://host", Err(DaemonUrlError::Scheme));
        check("http://bob:hush@host", Err(DaemonUrlError::User));
        for wrong in ["http://", "http:///", "http://a b", "http://host/?x=1", "http://host:port#x"]
        {
            check(wrong, Err(DaemonUrlError::Form));
        }
        assert_eq!(
            DaemonUrl::default().to_string().parse::<DaemonUrl>(),
            Err(DaemonUrlError::Scheme)
        );
    }
}
