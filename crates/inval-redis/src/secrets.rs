//! Which secrets a client has for the keys of a namespace, and under which keys an entry may be kept.

use std::borrow::Cow;
use std::env;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use inval_core::digest::{Fingerprint, KeyDigester, KeySecret, KeySecretError};
use inval_core::{Key, Namespace};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::error::Error as CallError;

/// A secret, and the one that it is taking the place of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeySecrets {
    current: KeySecret,
    old: Option<KeySecret>,
}

impl KeySecrets {
    /// One secret.
    pub fn new(current: KeySecret) -> Self {
        Self { current, old: None }
    }

    /// The same while `old` is still in use, or may be: from before the first client has the new one until the last
    /// does without the old one.
    #[must_use]
    pub fn with_old(self, old: KeySecret) -> Self {
        Self { old: Some(old), ..self }
    }

    /// What digests the keys of a namespace, by the current secret and by the old one.
    pub(crate) fn digesters(&self, namespace: &Namespace) -> Digesters {
        let secrets = [Some(&self.current), self.old.as_ref()].into_iter().flatten();
        secrets.map(|secret| Arc::new(KeyDigester::new(secret, namespace))).collect()
    }
}

/// Where a secret comes from: a file that holds its digits, or `env:` and the name of a variable that does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
}

/// Why a secret could not be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SecretError {
    /// The file cannot be read.
    #[error("the file of the key secret cannot be read ({0}); check its path and permissions")]
    File(io::ErrorKind),
    /// There is no such variable.
    #[error("the variable of the key secret is not set; set it to 64 hexadecimal digits")]
    Variable,
    /// What is there is no secret.
    #[error(transparent)]
    Form(#[from] KeySecretError),
}

impl FromStr for SecretSource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text.strip_prefix("env:") {
            Some(name) => Self::Variable(name.to_owned()),
            None => Self::File(text.into()),
        })
    }
}

impl SecretSource {
    /// Reads the secret. Waits for the file.
    pub fn read(&self) -> Result<KeySecret, SecretError> {
        const ROOM: usize = 4096;
        let mut text = Zeroizing::new(String::with_capacity(ROOM));
        match self {
            Self::File(path) => {
                let read = File::open(path)
                    .and_then(|file| file.take(ROOM as u64).read_to_string(&mut text));
                read.map_err(|error| SecretError::File(error.kind()))?;
            }
            Self::Variable(name) => {
                text = Zeroizing::new(env::var(name).map_err(|_| SecretError::Variable)?);
            }
        }
        Ok(text.trim_ascii().parse()?)
    }
}

/// What a client can digest keys with, the current secret's first; empty where it has none.
pub(crate) type Digesters = Box<[Arc<KeyDigester>]>;

/// What stands on the server for a key.
pub(crate) enum Keying {
    /// The key.
    Plain,
    /// A digest of it.
    Digests {
        first: Arc<KeyDigester>,
        /// While one secret takes the place of another, an entry may be kept by this one's as well.
        other: Option<Arc<KeyDigester>>,
        /// What this one wrote is never found again, but others may not have noticed yet.
        given_up: Option<Arc<KeyDigester>>,
    },
    /// A digest by a secret that this client does not have.
    Unknown,
}

impl Keying {
    /// How keys are kept in a namespace that has agreed on these secrets, as far as this client can tell.
    pub(crate) fn of(agreed: &[Fingerprint], held: &Digesters) -> Self {
        let find = |fingerprint: &Fingerprint| {
            held.iter().find(|digester| digester.fingerprint() == *fingerprint)
        };
        let Some(newest) = agreed.first() else { return Self::Plain };
        match find(newest) {
            Some(first) if agreed.iter().all(|fingerprint| find(fingerprint).is_some()) => {
                let is_other = |digester: &&Arc<_>| !Arc::ptr_eq(digester, first);
                let other = held.iter().find(is_other).cloned();
                let is_current = held.first().is_some_and(|current| Arc::ptr_eq(current, first));
                let has_ended = agreed.len() == 1 && is_current;
                let (other, given_up) = if has_ended { (None, other) } else { (other, None) };
                Self::Digests { first: Arc::clone(first), other, given_up }
            }
            _ => Self::Unknown,
        }
    }

    /// Under which keys the entry of `key` may be kept.
    pub(crate) fn places<'a>(&self, key: &'a Key) -> Result<Places<'a>, CallError> {
        match self {
            Self::Plain => Ok(Places { first: Cow::Borrowed(key), other: None, given_up: None }),
            Self::Digests { first, other, given_up } => Ok(Places {
                first: Cow::Owned(first.digest(key)),
                other: other.as_ref().map(|digester| digester.digest(key)),
                given_up: given_up.as_ref().map(|digester| digester.digest(key)),
            }),
            Self::Unknown => Err(CallError::KeySecret),
        }
    }
}

/// Where an entry may be. It is never written in two places.
pub(crate) struct Places<'a> {
    /// Where it is written, and looked for first.
    pub(crate) first: Cow<'a, Key>,
    /// Where it was written before, and may be still.
    pub(crate) other: Option<Key>,
    /// Where it is not looked for any more, but deleted for the sake of those who still do.
    pub(crate) given_up: Option<Key>,
}

impl Places<'_> {
    /// Where nothing may be left once the entry has been written.
    pub(crate) fn stale(&self) -> impl Iterator<Item = &Key> {
        self.other.iter().chain(&self.given_up)
    }

    /// Wherever the entry may be or may have been, first where it is written.
    pub(crate) fn all(self) -> Vec<Key> {
        let before = self.other.into_iter().chain(self.given_up);
        std::iter::once(self.first.into_owned()).chain(before).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> KeySecret {
        KeySecret::new([byte; 32])
    }

    #[test]
    fn the_newest_agreed_secret_comes_first_and_all_must_be_there() {
        let namespace = "users".parse().unwrap();
        let print = |byte| KeyDigester::new(&secret(byte), &namespace).fingerprint();
        let check = |agreed: &[u8], held: &[u8], want: Option<(u8, Option<u8>)>| {
            let mut secrets = held.iter().map(|&byte| secret(byte));
            let held = secrets.next().map_or_else(Digesters::default, |current| {
                KeySecrets { current, old: secrets.next() }.digesters(&namespace)
            });
            let agreed: Vec<_> = agreed.iter().map(|&byte| print(byte)).collect();
            let got = match Keying::of(&agreed, &held) {
                Keying::Digests { first, other, .. } => {
                    Some((first.fingerprint(), other.map(|other| other.fingerprint())))
                }
                Keying::Plain | Keying::Unknown => None,
            };
            assert_eq!(got, want.map(|(first, other)| (print(first), other.map(print))));
        };
        check(&[1], &[1], Some((1, None)));
        check(&[1], &[2, 1], Some((1, Some(2))));
        check(&[2, 1], &[2, 1], Some((2, Some(1))));
        check(&[2], &[2, 1], Some((2, None)));
        check(&[2, 1], &[2], None);
        check(&[2, 1], &[1], None);
        check(&[1], &[2], None);
        check(&[1], &[], None);
        check(&[], &[1], None);
    }

    #[test]
    fn a_secret_comes_from_a_file_or_the_environment() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        let check = |text: &str, want: Result<KeySecret, SecretError>| {
            std::fs::write(&path, text).unwrap();
            let source: SecretSource = path.to_str().unwrap().parse().unwrap();
            assert_eq!(source.read(), want, "{text}");
        };
        check(&"07".repeat(32), Ok(secret(7)));
        check(&format!("{}\r\n", "07".repeat(32)), Ok(secret(7)));
        check("", Err(KeySecretError.into()));
        check(&"07".repeat(33), Err(KeySecretError.into()));
        let read = |text: &str| text.parse::<SecretSource>().unwrap().read();
        assert_eq!(read("/nowhere"), Err(SecretError::File(io::ErrorKind::NotFound)));
        assert_eq!(read("env:INVAL_NO_SUCH_VARIABLE"), Err(SecretError::Variable));
    }
}
