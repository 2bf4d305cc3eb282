//! What clients tell the manager: the records of the journal and the batches of the access buffer.

use std::io::Write;

use thiserror::Error;

use crate::units::Key;

/// A change of one entry, as the journal tells it. The encoding is text up to the key:
/// `1p <bytes> <ttl in ms, or -> <key>`, `1d <key>`, `1l <key>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// A value was written.
    Put {
        /// The entry's key.
        key: &'a [u8],
        /// Bytes in the value.
        bytes: u32,
        /// Milliseconds until it expires, if it does.
        ttl_ms: Option<u64>,
    },
    /// The entry was deleted because somebody asked.
    Deleted {
        /// The entry's key.
        key: &'a [u8],
    },
    /// Something may have happened to the entry: it has to be looked at.
    Look {
        /// The entry's key.
        key: &'a [u8],
    },
}

/// Why some bytes are not a [`Record`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum RecordError {
    /// It is shorter than any record.
    #[error("the record is cut short")]
    Truncated,
    /// Its version is not 1.
    #[error("the record's version is {0:#04x}, this program knows only '1'")]
    UnknownVersion(u8),
    /// Its kind is none of `p`, `d` and `l`.
    #[error("the record's kind is {0:#04x}, known are 'p', 'd' and 'l'")]
    UnknownKind(u8),
    /// A number in it is none, or too large.
    #[error("the record's {0} is no number in range")]
    BadNumber(&'static str),
    /// Its key is empty or too long.
    #[error("the record's key has {0} bytes; a key has 1 to {max}", max = Key::MAX_LEN)]
    BadKey(usize),
}

impl<'a> Record<'a> {
    /// The record as it stands in the journal.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24 + self.key().len());
        // Writing into a vector cannot fail.
        let _ = match self {
            Self::Put { bytes, ttl_ms: Some(ttl), .. } => write!(out, "1p {bytes} {ttl} "),
            Self::Put { bytes, ttl_ms: None, .. } => write!(out, "1p {bytes} - "),
            Self::Deleted { .. } => write!(out, "1d "),
            Self::Look { .. } => write!(out, "1l "),
        };
        out.extend_from_slice(self.key());
        out
    }

    /// Reads a record.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let [version, kind, b' ', rest @ ..] = bytes else {
            return Err(bytes.first().map_or(RecordError::Truncated, |&b| match b {
                b'1' => RecordError::Truncated,
                other => RecordError::UnknownVersion(other),
            }));
        };
        match (version, kind) {
            (b'1', b'p') => Self::decode_put(rest),
            (b'1', b'd') => Ok(Self::Deleted { key: check_key(rest)? }),
            (b'1', b'l') => Ok(Self::Look { key: check_key(rest)? }),
            (b'1', kind) => Err(RecordError::UnknownKind(*kind)),
            (version, _) => Err(RecordError::UnknownVersion(*version)),
        }
    }

    fn decode_put(rest: &'a [u8]) -> Result<Self, RecordError> {
        let (bytes, rest) = word(rest)?;
        let (ttl, key) = word(rest)?;
        let bytes = number(bytes, "size")?;
        let bytes = u32::try_from(bytes).map_err(|_| RecordError::BadNumber("size"))?;
        let ttl_ms = if ttl == b"-" { None } else { Some(number(ttl, "ttl")?) };
        Ok(Self::Put { key: check_key(key)?, bytes, ttl_ms })
    }

    /// The key of the entry.
    pub fn key(&self) -> &'a [u8] {
        match self {
            Self::Put { key, .. } | Self::Deleted { key } | Self::Look { key } => key,
        }
    }
}

/// Without the key, which may be personal.
impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Put { bytes, ttl_ms, .. } => f
                .debug_struct("Put")
                .field("bytes", bytes)
                .field("ttl_ms", ttl_ms)
                .finish_non_exhaustive(),
            Self::Deleted { .. } => f.write_str("Deleted"),
            Self::Look { .. } => f.write_str("Look"),
        }
    }
}

fn check_key(key: &[u8]) -> Result<&[u8], RecordError> {
    if key.is_empty() || key.len() > Key::MAX_LEN {
        return Err(RecordError::BadKey(key.len()));
    }
    Ok(key)
}

/// The bytes before the first space, and those after it.
fn word(bytes: &[u8]) -> Result<(&[u8], &[u8]), RecordError> {
    let at = bytes.iter().position(|&b| b == b' ').ok_or(RecordError::Truncated)?;
    Ok((&bytes[..at], &bytes[at + 1..]))
}

fn number(digits: &[u8], field: &'static str) -> Result<u64, RecordError> {
    let digit = |value: Option<u64>, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value?.checked_mul(10)?.checked_add(digit)
    };
    let value = digits.iter().fold(Some(0), digit).filter(|_| !digits.is_empty());
    value.ok_or(RecordError::BadNumber(field))
}

/// A batch of keys that were read, as it stands in the access buffer: the byte `1`, then for each
/// read the length of the key in two bytes, most significant first, and the key.
#[derive(Clone, Debug)]
pub struct AccessBatch(Vec<u8>);

impl AccessBatch {
    /// A batch of no reads.
    pub fn new() -> Self {
        Self(vec![b'1'])
    }

    /// Adds a read.
    pub fn push(&mut self, key: &Key) {
        let key = key.as_bytes();
        self.0.extend_from_slice(&(key.len() as u16).to_be_bytes());
        self.0.extend_from_slice(key);
    }

    /// Whether there is no read in it.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    /// The batch as it is pushed.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The keys of a batch, up to the first thing in it that makes no sense. What is lost is harmless.
    pub fn keys(batch: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut rest = batch.strip_prefix(b"1").unwrap_or_default();
        std::iter::from_fn(move || {
            let (len, after) = rest.split_first_chunk()?;
            let (key, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
            rest = after;
            (!key.is_empty()).then_some(key)
        })
    }
}

impl Default for AccessBatch {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written() {
        let check = |record: Record<'_>, text: &[u8]| {
            assert_eq!(record.encode(), text);
            assert!(Record::decode(text) == Ok(record), "{record:?}");
        };
        check(Record::Put { key: b"k 1", bytes: 100, ttl_ms: Some(60_000) }, b"1p 100 60000 k 1");
        check(Record::Put { key: b"\0\r\n", bytes: 0, ttl_ms: None }, b"1p 0 - \0\r\n");
        check(Record::Deleted { key: b" " }, b"1d  ");
        check(Record::Look { key: b"{}*" }, b"1l {}*");
    }

    #[test]
    fn what_is_no_record_is_told_apart() {
        let check = |text: &[u8], want: RecordError| {
            assert!(Record::decode(text) == Err(want), "{:?}", text.escape_ascii().to_string());
        };
        check(b"", RecordError::Truncated);
        check(b"1", RecordError::Truncated);
        check(b"1d", RecordError::Truncated);
        check(b"2p 1 1 k", RecordError::UnknownVersion(b'2'));
        check(b"x", RecordError::UnknownVersion(b'x'));
        check(b"1q k", RecordError::UnknownKind(b'q'));
        check(b"1d ", RecordError::BadKey(0));
        check(b"1p 1", RecordError::Truncated);
        check(b"1p 1 2", RecordError::Truncated);
        check(b"1p 1 2 ", RecordError::BadKey(0));
        check(b"1p  2 k", RecordError::BadNumber("size"));
        check(b"1p -1 2 k", RecordError::BadNumber("size"));
        check(b"1p 4294967296 2 k", RecordError::BadNumber("size"));
        check(b"1p 1 99999999999999999999 k", RecordError::BadNumber("ttl"));
        let long = [&b"1l "[..], &[b'k'; Key::MAX_LEN + 1]].concat();
        check(&long, RecordError::BadKey(Key::MAX_LEN + 1));
    }

    #[test]
    fn a_batch_gives_its_keys_back_and_nonsense_gives_none() {
        let mut batch = AccessBatch::new();
        assert!(batch.is_empty());
        for key in [&b"a"[..], b"\0 {", &[7; 300]] {
            batch.push(&Key::new(key).unwrap());
        }
        let keys: Vec<_> = AccessBatch::keys(batch.as_bytes()).collect();
        assert_eq!(keys, [&b"a"[..], b"\0 {", &[7; 300]]);
        for nonsense in [&b""[..], b"2\0\x01a", b"1", b"1\0", b"1\0\x05ab", b"1\0\0"] {
            assert_eq!(AccessBatch::keys(nonsense).count(), 0);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let record = Record::Put { key: b"alice", bytes: 1, ttl_ms: None };
        assert!(!format!("{record:?}").contains("alice"));
    }
}
