//! The names of principals and roles.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The name of a principal or a role: 1 to 64 bytes out of `a-z A-Z 0-9 . _ - @`, so that it can stand
/// in a log without any escaping.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Name(Box<str>);

/// Why a text is not a [`Name`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NameError {
    /// It has no characters, or more than [`Name::MAX_LEN`].
    #[error("a name has from 1 to {max} bytes, this one has {len}", max = Name::MAX_LEN)]
    Length {
        /// Bytes in the rejected name.
        len: usize,
    },
    /// It holds a character outside the allowed set.
    #[error("a name holds only letters, digits, '.', '_', '-' and '@'; byte {at} is none of them")]
    Forbidden {
        /// Offset of the first offending byte.
        at: usize,
    },
}

impl Name {
    /// The most bytes a name may have.
    pub const MAX_LEN: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
        if name.is_empty() || name.len() > Self::MAX_LEN {
            return Err(NameError::Length { len: name.len() });
        }
        match name.bytes().position(|b| !allowed(b)) {
            Some(at) => Err(NameError::Forbidden { at }),
            None => Ok(Self(name.into())),
        }
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
