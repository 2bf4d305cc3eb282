//! Where user and password come from.

use std::env;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::{Zeroize, Zeroizing};

use super::secret::Secret;
use crate::error::CredentialsError;

const USER_VARIABLE: &str = "INVAL_REDIS_USER";
const PASSWORD_VARIABLE: &str = "INVAL_REDIS_PASSWORD";
const MAX_FILE_LEN: u64 = 64 * 1024;

/// Where user and password come from. They are looked up for each new connection, so a rotated
/// password in a file is taken up without a restart.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Credentials {
    /// From the target's text; none if it has none.
    #[default]
    FromTarget,
    /// From the environment: `INVAL_REDIS_PASSWORD` and, if set, `INVAL_REDIS_USER`.
    Environment,
    /// From a file of two lines, user and password, or of one, the password.
    File(PathBuf),
    /// These. The password is overwritten when it is dropped.
    Given {
        /// The user; `None` for the server's default user.
        user: Option<String>,
        /// The password.
        password: String,
    },
}

impl Drop for Credentials {
    fn drop(&mut self) {
        if let Self::Given { password, .. } = self {
            password.zeroize();
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FromTarget => "FromTarget",
            Self::Environment => "Environment",
            Self::File(_) => "File(***)",
            Self::Given { .. } => "Given(***)",
        })
    }
}

/// A password, and the user it is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Login {
    pub(crate) user: Option<Secret>,
    pub(crate) password: Secret,
}

impl Credentials {
    /// Looks them up now. `None` if there are none, and so nothing to tell the server.
    pub(super) async fn look_up(
        &self,
        target: Option<&Login>,
    ) -> Result<Option<Login>, CredentialsError> {
        Ok(Some(match self {
            Self::FromTarget => return Ok(target.cloned()),
            Self::Environment => from_environment(|name| env::var(name).ok())?,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_limited(&path)).await;
                from_text(&read.map_err(|_| CredentialsError::File(io::ErrorKind::Other))??)?
            }
            Self::Given { user, password } => Login {
                user: user.as_deref().map(Secret::from),
                password: Secret::from(password.as_str()),
            },
        }))
    }
}

fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Login, CredentialsError> {
    let read = |name| variable(name).filter(|value| !value.is_empty());
    let password = read(PASSWORD_VARIABLE).ok_or(CredentialsError::Environment)?;
    Ok(Login { user: read(USER_VARIABLE).map(Secret::new), password: Secret::new(password) })
}

fn read_limited(path: &Path) -> Result<Zeroizing<String>, CredentialsError> {
    // With room for all of it: where a text grows, what it was before stays behind.
    let mut text = Zeroizing::new(String::with_capacity(MAX_FILE_LEN as usize + 1));
    let read = File::open(path)
        .and_then(|file| file.take(MAX_FILE_LEN).read_to_string(&mut text))
        .map_err(|error| error.kind());
    match read {
        Ok(_) => Ok(text),
        Err(io::ErrorKind::InvalidData) => Err(CredentialsError::Form),
        Err(kind) => Err(CredentialsError::File(kind)),
    }
}

fn from_text(text: &str) -> Result<Login, CredentialsError> {
    let mut lines = text.lines();
    let (user, password) = match (lines.next(), lines.next(), lines.next()) {
        (Some(password), None, _) => (None, password),
        (Some(user), Some(password), None) => (Some(user), password),
        _ => return Err(CredentialsError::Form),
    };
    if password.is_empty() || user.is_some_and(str::is_empty) {
        return Err(CredentialsError::Form);
    }
    Ok(Login { user: user.map(Secret::from), password: Secret::from(password) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_a_password_or_user_and_password() {
        let check = |text: &str, want: Option<(Option<&str>, &str)>| {
            let want = want.map(|(user, password)| Login {
                user: user.map(Secret::from),
                password: Secret::from(password),
            });
            assert_eq!(from_text(text).ok(), want, "{text:?}");
        };
        check("secret", Some((None, "secret")));
        check("secret\r\n", Some((None, "secret")));
        check("app\nse cret\n", Some((Some("app"), "se cret")));
        check("", None);
        check("\n", None);
        check("app\n\n", None);
        check("\nsecret\n", None);
        check("app\nsecret\nmore\n", None);
    }

    #[test]
    fn the_environment_holds_a_password_and_perhaps_a_user() {
        let check =
            |user: Option<&str>, password: Option<&str>, want: Option<(Option<&str>, &str)>| {
                let got = from_environment(|name| match name {
                    "INVAL_REDIS_USER" => user.map(str::to_owned),
                    "INVAL_REDIS_PASSWORD" => password.map(str::to_owned),
                    _ => None,
                });
                let shown = got.as_ref().ok().map(|login| {
                    (login.user.as_ref().map(Secret::reveal), login.password.reveal())
                });
                assert_eq!(shown, want);
            };
        check(Some("app"), Some("secret"), Some((Some("app"), "secret")));
        check(None, Some("secret"), Some((None, "secret")));
        check(Some(""), Some("secret"), Some((None, "secret")));
        check(Some("app"), Some(""), None);
        check(Some("app"), None, None);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let given = Credentials::Given { user: Some("bob".into()), password: "hunter2".into() };
        let file = from_text("bob\nhunter2").unwrap();
        for shown in [format!("{given:?}"), format!("{file:?}")] {
            assert!(!shown.contains("hunter2") && !shown.contains("bob"), "{shown}");
        }
    }
}
