//! The small types that carry a meaning and a unit: namespace, key, weight, timestamp.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

/// The name of a cache: 1 to 64 bytes out of `a-z A-Z 0-9 . _ -`, so that it can stand in a Redis
/// hash tag, a metric label and a file name without any escaping.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Namespace(Arc<str>);

/// Why a text is not a [`Namespace`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NamespaceError {
    /// The name has no characters.
    #[error("a namespace needs at least one character")]
    Empty,
    /// The name is longer than [`Namespace::MAX_LEN`] bytes.
    #[error("a namespace has at most {max} bytes, this one has {len}", max = Namespace::MAX_LEN)]
    TooLong {
        /// Bytes in the rejected name.
        len: usize,
    },
    /// The name holds a character outside the allowed set.
    #[error("a namespace holds only letters, digits, '.', '_' and '-'; byte {at} is none of them")]
    Forbidden {
        /// Offset of the first offending byte.
        at: usize,
    },
}

impl Namespace {
    /// The most bytes a name may have.
    pub const MAX_LEN: usize = 64;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Namespace {
    type Err = NamespaceError;

    fn from_str(name: &str) -> Result<Self, NamespaceError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() {
            return Err(NamespaceError::Empty);
        }
        if name.len() > Self::MAX_LEN {
            return Err(NamespaceError::TooLong { len: name.len() });
        }
        match name.bytes().position(|b| !allowed(b)) {
            Some(at) => Err(NamespaceError::Forbidden { at }),
            None => Ok(Self(name.into())),
        }
    }
}

impl std::borrow::Borrow<str> for Namespace {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key of an entry: 1 to [`Key::MAX_LEN`] bytes of any value. `Debug` shows only its length, for
/// keys may hold personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Box<[u8]>);

/// Why some bytes are not a [`Key`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum KeyError {
    /// The key has no bytes.
    #[error("a key needs at least one byte")]
    Empty,
    /// The key is longer than [`Key::MAX_LEN`] bytes.
    #[error("a key has at most {max} bytes, this one has {len}", max = Key::MAX_LEN)]
    TooLong {
        /// Bytes in the rejected key.
        len: usize,
    },
}

impl Key {
    /// The most bytes a key may have.
    pub const MAX_LEN: usize = 65_535;

    /// Copies `bytes` into a key, or says why they cannot be one.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes.len() {
            0 => Err(KeyError::Empty),
            len if len > Self::MAX_LEN => Err(KeyError::TooLong { len }),
            _ => Ok(Self(bytes.into())),
        }
    }

    /// A key out of the digits of a digest.
    #[cfg(feature = "digest")]
    pub(crate) fn of_digits(digits: [u8; 32]) -> Self {
        Self(Box::new(digits))
    }

    /// The bytes of the key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

/// The bytes an entry is charged for, up to 4 GiB − 1. Totals are `u64`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Weight(u32);

impl Weight {
    /// A weight of `bytes`.
    pub const fn new(bytes: u32) -> Self {
        Self(bytes)
    }

    /// The weight of something `len` bytes long; more than 4 GiB − 1 counts as just that.
    pub const fn of_len(len: usize) -> Self {
        Self(if len > u32::MAX as usize { u32::MAX } else { len as u32 })
    }

    /// The weight in bytes.
    pub const fn bytes(self) -> u32 {
        self.0
    }
}

/// A point in time: milliseconds since an origin that whoever owns the clock chooses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `millis` milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This point moved `by` into the future, in whole milliseconds; stops at the end of time.
    pub const fn saturating_add(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }
}

/// `duration` in whole milliseconds, rounded down, at most `u64::MAX`.
pub(crate) const fn millis(duration: Duration) -> u64 {
    let ms = duration.as_millis();
    if ms > u64::MAX as u128 { u64::MAX } else { ms as u64 }
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): random numbers that a seed fixes for good.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number from 0 to below 1.
    pub(crate) fn next_share(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_holds_only_what_needs_no_escaping() {
        let check = |name: &str, want: Result<&str, NamespaceError>| {
            let got = name.parse::<Namespace>();
            assert_eq!(got.as_ref().map(Namespace::as_str), want.as_ref().map(|s| *s), "{name:?}");
        };
        check("users", Ok("users"));
        check("Users.v2_eu-1", Ok("Users.v2_eu-1"));
        check("", Err(NamespaceError::Empty));
        check("users:1", Err(NamespaceError::Forbidden { at: 5 }));
        check("a{b}", Err(NamespaceError::Forbidden { at: 1 }));
        check("*", Err(NamespaceError::Forbidden { at: 0 }));
        check("a\r\n", Err(NamespaceError::Forbidden { at: 1 }));
        check("é", Err(NamespaceError::Forbidden { at: 0 }));
        let longest = "n".repeat(64);
        check(&longest, Ok(&longest));
        check(&"n".repeat(65), Err(NamespaceError::TooLong { len: 65 }));
    }

    #[test]
    fn a_key_takes_any_bytes_but_none_and_too_many() {
        assert_eq!(Key::new(b""), Err(KeyError::Empty));
        assert_eq!(Key::new(&[0; 65_536]), Err(KeyError::TooLong { len: 65_536 }));
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(Key::new(&all).unwrap().as_bytes(), &all[..]);
    }

    #[test]
    fn debug_of_a_key_never_shows_it() {
        assert_eq!(format!("{:?}", Key::new(b"alice@example.org").unwrap()), "Key(17 bytes)");
    }

    #[test]
    fn sums_and_lengths_saturate() {
        assert_eq!(Weight::of_len(usize::MAX).bytes(), u32::MAX);
        let late = Timestamp::from_millis(u64::MAX - 1);
        assert_eq!(late.saturating_add(Duration::MAX).as_millis(), u64::MAX);
    }
}
