//! What can be wrong with a trace, and where; never the content of a line, for keys may be personal.

use std::io;
use std::sync::Arc;

use thiserror::Error;

use super::MAX_LINE_LEN;

/// Why a trace could not be read on. Names the trace, the place and the reason.
#[derive(Debug, Error)]
pub enum TraceError {
    /// A line of a text format breaks the format.
    #[error("{input}:{line}: {reason}")]
    Line {
        /// The trace's name.
        input: Arc<str>,
        /// Number of the line, the first being 1.
        line: u64,
        /// What is wrong with it.
        reason: Malformed,
    },
    /// The trace ends in the middle of a binary record.
    #[error("{input}: record {record} is cut off after {bytes} of {record_len} bytes")]
    Truncated {
        /// The trace's name.
        input: Arc<str>,
        /// Number of the record, the first being 1.
        record: u64,
        /// Bytes of it that are there.
        bytes: usize,
        /// Bytes a record has.
        record_len: usize,
    },
    /// The compressed data is damaged, cut off, or not compressed the way its name says.
    #[error("{input}: the {compression} data is damaged or cut off")]
    Corrupt {
        /// The trace's name.
        input: Arc<str>,
        /// `zstd` or `gzip`.
        compression: Compression,
    },
    /// The operating system could not open or read the trace.
    #[error("{input}: cannot be read")]
    Io {
        /// The trace's name.
        input: Arc<str>,
        /// What the operating system says.
        source: io::Error,
    },
}

impl TraceError {
    /// True if the trace itself is at fault; false if it could not be read.
    pub fn is_malformed(&self) -> bool {
        !matches!(self, Self::Io { .. })
    }

    /// True if reading again may succeed: never for a malformed trace.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
            ),
            _ => false,
        }
    }

    pub(crate) fn from_io(input: &Arc<str>, source: io::Error) -> Self {
        let input = Arc::clone(input);
        match source.get_ref().and_then(|e| e.downcast_ref::<CorruptData>()) {
            Some(CorruptData(compression)) => Self::Corrupt { input, compression: *compression },
            None => Self::Io { input, source },
        }
    }
}

/// The ways a trace may be compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// Zstandard, with a window of up to 128 MiB (`--long=27`).
    Zstd,
    /// gzip, of one or several members.
    Gzip,
}

impl std::fmt::Display for Compression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        })
    }
}

/// Carries [`TraceError::Corrupt`] through the `io::Error` of a decompressing reader.
#[derive(Debug, Error)]
#[error("the {0} data is damaged or cut off")]
pub(crate) struct CorruptData(pub(crate) Compression);

/// What is wrong with a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Malformed {
    /// A CSV trace without any line.
    #[error("a CSV trace needs a header line")]
    NoHeader,
    /// A CSV header that names no `key`.
    #[error("the header has no column named key")]
    NoKeyColumn,
    /// A CSV header that names a column twice.
    #[error("the header names a column twice")]
    ColumnTwice,
    /// A line with fewer fields than the header.
    #[error("fewer fields than the header has columns")]
    TooFewFields,
    /// A line with more fields than the header.
    #[error("more fields than the header has columns")]
    TooManyFields,
    /// A quoted field that does not end, or goes on after its closing quote.
    #[error("a quoted field does not end with its quote")]
    Quote,
    /// A request without a key.
    #[error("the key is empty")]
    NoKey,
    /// A time that is not a number of seconds.
    #[error("time_s is not a number of seconds")]
    Time,
    /// A size that is not a whole number.
    #[error("size_bytes is not a whole number")]
    Size,
    /// A size of 4 GiB or more.
    #[error("size_bytes is more than {}", u32::MAX)]
    SizeTooLarge,
    /// An ARC line whose first number is missing or none.
    #[error("the first block is not a whole number")]
    FirstBlock,
    /// An ARC line whose second number is missing or none.
    #[error("the number of blocks is not a whole number")]
    BlockCount,
    /// An ARC line that asks for more blocks at once than any device would.
    #[error("more than {} blocks in one request", super::MAX_BLOCKS)]
    TooManyBlocks,
    /// An ARC line whose blocks run past the last number.
    #[error("the blocks run past 2^64")]
    BlocksPastEnd,
    /// A line that is too long to be one.
    #[error("the line is longer than {MAX_LINE_LEN} bytes")]
    LineTooLong,
}
