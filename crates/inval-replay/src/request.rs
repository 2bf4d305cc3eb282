//! One request of a trace: what was asked for, when, and how large it is.

/// A look-up that, if it misses, inserts what it asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Milliseconds since the trace's own origin, or `None` where the trace does not say.
    pub time_ms: Option<u64>,
    /// The key, as a number. A key written as a decimal number below 2^64 without leading zeros is
    /// that number; any other key is its 64-bit FNV-1a hash (Fowler, Noll and Vo), which is the same
    /// on every machine and in every version.
    pub key: u64,
    /// Bytes of the value, or `None` where the trace does not say.
    pub size: Option<u32>,
}

impl Request {
    /// A request of which only the key is known.
    pub const fn of_key(key: u64) -> Self {
        Self { time_ms: None, key, size: None }
    }
}
