//! Synthetic workloads, described by a short text and the same for a seed on every machine.

mod generate;
mod random;
mod zipf;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use generate::Requests;

/// A sequence of requests made by rule, read from texts such as
/// `zipf:keys=100000,skew=1.0,requests=1000000,seed=1`. What is left out has a default; `Display`
/// shows all of it. The kinds:
///
/// - `zipf`: key number *k* is asked for in proportion to 1/*k*^`skew`;
/// - `scan`: the same, but after `every` such requests `length` keys of a second table as large are
///   read in their order, each scan going on where the last one ended;
/// - `hotspot`: a `share` of the requests goes to `hot` neighbouring keys, which move on by `hot` keys
///   after `every` requests; the others go to any of `keys`;
/// - `loop`: all keys in their order, again and again.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    kind: Kind,
    keys: u64,
    requests: u64,
    seed: u64,
    skew: f64,
    every: u64,
    length: u64,
    hot: u64,
    share: f64,
}

/// The kinds of workloads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Popularity after Zipf.
    Zipf,
    /// Zipf, interrupted by sequential scans.
    Scan,
    /// A hot spot that moves.
    Hotspot,
    /// All keys in a circle.
    Loop,
}

/// The settings of workloads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// How many keys there are.
    Keys,
    /// How unequal their popularity is.
    Skew,
    /// How many requests there are.
    Requests,
    /// Where the random numbers begin.
    Seed,
    /// After how many requests something happens.
    Every,
    /// How many keys a scan reads.
    Length,
    /// How many keys are hot.
    Hot,
    /// The share of the requests that goes to hot keys.
    Share,
}

/// Why a text describes no [`Workload`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum WorkloadError {
    /// The text begins with no known kind.
    #[error("unknown workload; known are zipf, scan, hotspot and loop")]
    UnknownKind,
    /// A field is not written `name=value`.
    #[error("the fields of a workload are written name=value, with commas between them")]
    NotAField,
    /// The kind has no field of that name.
    #[error("{kind} has no such field; it has {}", FieldNames(kind.fields()))]
    UnknownField {
        /// The kind of the workload.
        kind: Kind,
    },
    /// A field is given twice.
    #[error("{field} is given twice")]
    Twice {
        /// The field.
        field: Field,
    },
    /// A value is not what the field takes.
    #[error("{field} is {}", field.range())]
    BadValue {
        /// The field.
        field: Field,
    },
    /// A hot spot of more keys than there are.
    #[error("hot is at most keys")]
    HotBeyondKeys,
}

/// Ranks are computed as `f64`, which counts exactly up to here.
const MAX_KEYS: u64 = 1 << 53;
const MAX_SKEW: f64 = 20.0;

impl Workload {
    /// How many requests there will be.
    pub fn request_count(&self) -> u64 {
        self.requests
    }

    /// The requests, from the first. Every call yields the same ones.
    pub fn requests(&self) -> Requests {
        Requests::new(self)
    }

    fn of_kind(kind: Kind) -> Self {
        Self {
            kind,
            keys: 100_000,
            requests: 1_000_000,
            seed: 1,
            skew: 1.0,
            every: 50_000,
            length: 10_000,
            hot: 1_000,
            share: 0.9,
        }
    }

    fn set(&mut self, field: Field, value: &str) -> Result<(), WorkloadError> {
        let bad = WorkloadError::BadValue { field };
        let whole = || value.parse::<u64>().map_err(|_| bad);
        let at_least_one = || whole().ok().filter(|n| *n > 0).ok_or(bad);
        let up_to = |max: f64| {
            let number = value.parse::<f64>().ok();
            number.filter(|n| (0.0..=max).contains(n)).ok_or(bad)
        };
        match field {
            Field::Keys => self.keys = at_least_one().ok().filter(|n| *n <= MAX_KEYS).ok_or(bad)?,
            Field::Requests => self.requests = at_least_one()?,
            Field::Seed => self.seed = whole()?,
            Field::Skew => self.skew = up_to(MAX_SKEW)?,
            Field::Every => self.every = at_least_one()?,
            Field::Length => self.length = at_least_one()?,
            Field::Hot => self.hot = at_least_one()?,
            Field::Share => self.share = up_to(1.0)?,
        }
        Ok(())
    }
}

impl FromStr for Workload {
    type Err = WorkloadError;

    fn from_str(text: &str) -> Result<Self, WorkloadError> {
        let (kind, fields) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
        let kind = Kind::ALL.into_iter().find(|k| k.name() == kind);
        let kind = kind.ok_or(WorkloadError::UnknownKind)?;
        let mut workload = Self::of_kind(kind);
        let mut seen = Vec::new();
        for part in fields.split(',').filter(|_| !fields.is_empty()) {
            let (name, value) = part.split_once('=').ok_or(WorkloadError::NotAField)?;
            let field = kind.fields().iter().find(|f| f.name() == name.trim());
            let field = *field.ok_or(WorkloadError::UnknownField { kind })?;
            if seen.contains(&field) {
                return Err(WorkloadError::Twice { field });
            }
            seen.push(field);
            workload.set(field, value.trim())?;
        }
        if kind == Kind::Hotspot && workload.hot > workload.keys {
            return Err(WorkloadError::HotBeyondKeys);
        }
        Ok(workload)
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        for (at, field) in self.kind.fields().iter().enumerate() {
            write!(f, "{}{field}=", if at == 0 { ':' } else { ',' })?;
            match field {
                Field::Keys => write!(f, "{}", self.keys)?,
                Field::Requests => write!(f, "{}", self.requests)?,
                Field::Seed => write!(f, "{}", self.seed)?,
                Field::Skew => write!(f, "{}", self.skew)?,
                Field::Every => write!(f, "{}", self.every)?,
                Field::Length => write!(f, "{}", self.length)?,
                Field::Hot => write!(f, "{}", self.hot)?,
                Field::Share => write!(f, "{}", self.share)?,
            }
        }
        Ok(())
    }
}

impl Kind {
    const ALL: [Self; 4] = [Self::Zipf, Self::Scan, Self::Hotspot, Self::Loop];

    const fn name(self) -> &'static str {
        match self {
            Self::Zipf => "zipf",
            Self::Scan => "scan",
            Self::Hotspot => "hotspot",
            Self::Loop => "loop",
        }
    }

    const fn fields(self) -> &'static [Field] {
        use Field::{Every, Hot, Keys, Length, Requests, Seed, Share, Skew};
        match self {
            Self::Zipf => &[Keys, Skew, Requests, Seed],
            Self::Scan => &[Keys, Skew, Every, Length, Requests, Seed],
            Self::Hotspot => &[Keys, Hot, Share, Every, Requests, Seed],
            Self::Loop => &[Keys, Requests],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Skew => "skew",
            Self::Requests => "requests",
            Self::Seed => "seed",
            Self::Every => "every",
            Self::Length => "length",
            Self::Hot => "hot",
            Self::Share => "share",
        }
    }

    const fn range(self) -> &'static str {
        match self {
            Self::Keys => "a whole number from 1 to 2^53",
            Self::Seed => "a whole number below 2^64",
            Self::Skew => "a number from 0 to 20",
            Self::Share => "a number from 0 to 1",
            Self::Requests | Self::Every | Self::Length | Self::Hot => {
                "a whole number from 1, below 2^64"
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Names with commas between them.
struct FieldNames(&'static [Field]);

impl fmt::Display for FieldNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, field) in self.0.iter().enumerate() {
            write!(f, "{}{field}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
