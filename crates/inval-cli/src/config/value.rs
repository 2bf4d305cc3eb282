//! The kinds of values that fields have: how each is read, and how it is written.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::ops::{Bound, RangeBounds};
use std::path::PathBuf;
use std::time::Duration;

use inval_core::{Strategy, UnknownStrategy};
use inval_redis::{Credentials, SecretSource, TargetError};
use inval_replay::ByteSize;
use inval_replay::quantity::{ByteSizeError, DurationError, parse_duration};
use thiserror::Error;
use toml::de::DeValue;

use crate::args::Place;

/// What somebody wrote for a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'a> {
    /// A text in quotes.
    Text(&'a str),
    /// A whole number; one beyond the type counts as its end.
    Integer(i128),
    Float(f64),
    Boolean(bool),
    /// Anything else, by the name of its type.
    Other(&'static str),
    /// The text of a variable, where numbers have no form of their own.
    Variable(&'a str),
}

impl<'a> Input<'a> {
    pub(super) fn of_toml(value: &'a DeValue<'_>) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text),
            DeValue::Integer(number) => {
                let end = if number.as_str().starts_with('-') { i128::MIN } else { i128::MAX };
                let number = i128::from_str_radix(number.as_str(), number.radix());
                Self::Integer(number.unwrap_or(end))
            }
            DeValue::Float(number) => Self::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Self::Boolean(*value),
            DeValue::Datetime(_) => Self::Other("a date"),
            DeValue::Array(_) => Self::Other("a list"),
            DeValue::Table(_) => Self::Other("a table"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text(_) | Self::Variable(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a fraction",
            Self::Boolean(_) => "true or false",
            Self::Other(name) => name,
        }
    }
}

/// What is wrong with a value. Repeats nothing of it, for it may hold a password.
#[derive(Clone, Debug, Error)]
pub(super) enum Wrong {
    #[error("{found} stands here, where {wanted} belongs")]
    Kind { wanted: &'static str, found: &'static str },
    #[error("this must be {}", .0())]
    Range(fn() -> String),
    #[error("this is not a number from 0 to {0}")]
    Number(u64),
    #[error(transparent)]
    Size(#[from] ByteSizeError),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error(transparent)]
    Strategy(#[from] UnknownStrategy),
    #[error(
        "a store is memory:, or a server that begins with redis://, rediss://, unix://, \
         redis+cluster:// or redis+sentinel://, such as redis://127.0.0.1:6379"
    )]
    Scheme,
    #[error(transparent)]
    Target(TargetError),
    #[error("an address is an IP address and a port, such as 127.0.0.1:7171 or [::1]:7171")]
    Address,
    #[error("the name of a file belongs here, and this is empty")]
    EmptyPath,
    #[error("this is not UTF-8")]
    NotUtf8,
}

/// A kind of values.
pub(super) trait Value: Sized + PartialEq {
    /// What belongs into such a field, with an example.
    const KIND: &'static str;

    /// Reads it, from whatever form of it.
    fn read(input: Input<'_>) -> Result<Self, Wrong>;

    /// How the file writes it; `None` if by leaving the field out.
    fn show(&self) -> Option<String>;

    /// The same without quotes.
    fn plain(&self) -> String {
        self.show().map_or_else(|| "nothing".to_owned(), |shown| shown.replace('"', ""))
    }

    fn mismatch<T>(input: Input<'_>) -> Result<T, Wrong> {
        Err(Wrong::Kind { wanted: Self::KIND, found: input.name() })
    }
}

/// `value` if it is within `range`, which `described` tells.
pub(super) fn within<T: PartialOrd>(
    value: T,
    range: &impl RangeBounds<T>,
    described: fn() -> String,
) -> Result<T, Wrong> {
    if range.contains(&value) { Ok(value) } else { Err(Wrong::Range(described)) }
}

/// A range in words.
pub(super) fn describe<T: Value>(range: &impl RangeBounds<T>) -> String {
    let low = match range.start_bound() {
        Bound::Included(low) => Some(format!("at least {}", low.plain())),
        Bound::Excluded(low) => Some(format!("above {}", low.plain())),
        Bound::Unbounded => None,
    };
    let high = match range.end_bound() {
        Bound::Included(high) => Some(format!("at most {}", high.plain())),
        Bound::Excluded(high) => Some(format!("below {}", high.plain())),
        Bound::Unbounded => None,
    };
    low.into_iter().chain(high).collect::<Vec<_>>().join(" and ")
}

impl Value for Duration {
    const KIND: &'static str = "a duration in quotes, such as \"250ms\" or \"1h30m\",";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text(text) | Input::Variable(text) => Ok(parse_duration(text)?),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        const UNITS: [(u128, &str); 5] = [
            (86_400_000_000, "d"),
            (3_600_000_000, "h"),
            (60_000_000, "m"),
            (1_000_000, "s"),
            (1_000, "ms"),
        ];
        let us = self.as_micros();
        let unit = UNITS.iter().find(|(unit, _)| us > 0 && us.is_multiple_of(*unit));
        Some(match unit {
            Some((unit, name)) => format!("\"{}{name}\"", us / unit),
            None if us == 0 => "\"0s\"".to_owned(),
            None => format!("\"{us}us\""),
        })
    }
}

impl Value for ByteSize {
    const KIND: &'static str = "a size such as \"256 MiB\", or a number of bytes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text(text) | Input::Variable(text) => Ok(text.parse()?),
            Input::Integer(bytes) => {
                u64::try_from(bytes).map(Self).map_err(|_| Wrong::Number(u64::MAX))
            }
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        const UNITS: [(u64, &str); 4] =
            [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let Self(bytes) = *self;
        let unit = UNITS.iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
        Some(match unit {
            Some((unit, name)) => format!("\"{} {name}\"", bytes / unit),
            None => format!("\"{bytes} B\""),
        })
    }
}

impl Value for bool {
    const KIND: &'static str = "true or false, without quotes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Boolean(value) => Ok(value),
            Input::Variable(text) => text.trim().parse().or_else(|_| Self::mismatch(input)),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u64 {
    const KIND: &'static str = "a whole number without quotes";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Integer(number) => number.try_into().map_err(|_| Wrong::Number(Self::MAX)),
            Input::Variable(text) => text.trim().parse().map_err(|_| Wrong::Number(Self::MAX)),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for u32 {
    const KIND: &'static str = u64::KIND;

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        let most = Wrong::Number(Self::MAX.into());
        match u64::read(input) {
            Ok(number) => number.try_into().map_err(|_| most),
            Err(Wrong::Number(_)) => Err(most),
            Err(wrong) => Err(wrong),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for f64 {
    const KIND: &'static str = "a number without quotes, such as 0.5,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Float(number) => Ok(number),
            Input::Integer(number) => Ok(number as Self),
            Input::Variable(text) => text.trim().parse().or_else(|_| Self::mismatch(input)),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl Value for SocketAddr {
    const KIND: &'static str = "an address in quotes, such as \"127.0.0.1:7171\",";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text(text) | Input::Variable(text) => text.parse().map_err(|_| Wrong::Address),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for Place {
    const KIND: &'static str = "memory: or the URL of a server, in quotes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text(text) | Input::Variable(text) => {
                text.parse().map_err(|error| match error {
                    TargetError::Scheme => Wrong::Scheme,
                    error => Wrong::Target(error),
                })
            }
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

impl Value for Credentials {
    const KIND: &'static str = "\"env\" or the name of a file";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text("env") | Input::Variable("env") => Ok(Self::Environment),
            _ => PathBuf::read(input).map(Self::File),
        }
    }

    fn show(&self) -> Option<String> {
        match self {
            Self::Environment => Some("\"env\"".to_owned()),
            Self::File(path) => path.show(),
            Self::FromTarget | Self::Given { .. } => None,
        }
    }
}

impl Value for SecretSource {
    const KIND: &'static str = "the name of a file, or env: and that of a variable, in quotes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text("") | Input::Variable("") => Err(Wrong::EmptyPath),
            Input::Text(text) | Input::Variable(text) => {
                Ok(text.parse().unwrap_or_else(|never: Infallible| match never {}))
            }
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(match self {
            Self::File(path) => format!("\"{}\"", path.display()),
            Self::Variable(name) => format!("\"env:{name}\""),
        })
    }
}

impl Value for PathBuf {
    const KIND: &'static str = "the name of a file, in quotes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text("") => Err(Wrong::EmptyPath),
            Input::Text(text) | Input::Variable(text) => Ok(text.into()),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{}\"", self.display()))
    }
}

impl Value for Strategy {
    const KIND: &'static str = "the name of a strategy, in quotes,";

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        match input {
            Input::Text(text) | Input::Variable(text) => Ok(text.parse()?),
            _ => Self::mismatch(input),
        }
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{self}\""))
    }
}

/// A field that can be left out.
impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;

    fn read(input: Input<'_>) -> Result<Self, Wrong> {
        T::read(input).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    fn check<T: Value + Debug>(value: T, want: &str) {
        let shown = value.show().unwrap();
        assert_eq!(shown, want);
        let toml = DeValue::parse(&shown).unwrap();
        assert_eq!(T::read(Input::of_toml(toml.get_ref())).unwrap(), value, "{want}");
        assert_eq!(T::read(Input::Variable(&value.plain())).unwrap(), value, "{want}");
    }

    #[test]
    fn what_is_shown_is_read_back() {
        check(Duration::ZERO, "\"0s\"");
        check(Duration::from_micros(1500), "\"1500us\"");
        check(Duration::from_millis(1500), "\"1500ms\"");
        check(Duration::from_secs(5400), "\"90m\"");
        check(Duration::from_secs(172_800), "\"2d\"");
        check(ByteSize(0), "\"0 B\"");
        check(ByteSize(1025), "\"1025 B\"");
        check(ByteSize(3 << 29), "\"1536 MiB\"");
        check(true, "true");
        check(17_u64, "17");
        check(u32::MAX, "4294967295");
        check(0.0, "0.0");
        check(0.02, "0.02");
        check::<SocketAddr>("[::1]:80".parse().unwrap(), "\"[::1]:80\"");
        check(Place::Memory, "\"memory:\"");
        check::<Place>("redis://host/3".parse().unwrap(), "\"redis://host:6379/3\"");
        check(Credentials::Environment, "\"env\"");
        check(Credentials::File("a b".into()), "\"a b\"");
        check(PathBuf::from("/x"), "\"/x\"");
        check(SecretSource::File("/x".into()), "\"/x\"");
        check(SecretSource::Variable("X".into()), "\"env:X\"");
        check(Strategy::S3Fifo, "\"s3-fifo\"");
        check(Some(7_u32), "7");
    }

    #[test]
    fn what_is_wrong_is_said_without_repeating_it() {
        fn check<T: Value + Debug>(toml: &str, want: &str) {
            let value = DeValue::parse(toml).unwrap();
            let wrong = T::read(Input::of_toml(value.get_ref())).unwrap_err();
            assert_eq!(wrong.to_string(), want, "{toml}");
        }
        check::<u32>("-1", "this is not a number from 0 to 4294967295");
        check::<u32>("4294967296", "this is not a number from 0 to 4294967295");
        let number = "340282366920938463463374607431768211456";
        check::<u64>(number, "this is not a number from 0 to 18446744073709551615");
        check::<u64>("\"64\"", "a text stands here, where a whole number without quotes belongs");
        check::<f64>(
            "[0.1]",
            "a list stands here, where a number without quotes, such as 0.5, belongs",
        );
        let strategies =
            "unknown strategy; known are ttl, lru, lfu, fifo, sieve, s3-fifo and w-tinylfu";
        check::<Strategy>("\"mru\"", strategies);
        check::<Credentials>("\"\"", "the name of a file belongs here, and this is empty");
    }

    #[test]
    fn ranges_are_told_in_words() {
        assert_eq!(describe(&(1_u32..)), "at least 1");
        assert_eq!(describe(&(1_u32..=64)), "at least 1 and at most 64");
        assert_eq!(describe(&(..=Duration::from_secs(3600))), "at most 1h");
        assert_eq!(describe(&(0.0..1.0)), "at least 0.0 and below 1.0");
        let share = (Bound::Excluded(0.0), Bound::Included(1.0));
        assert_eq!(describe(&share), "above 0.0 and at most 1.0");
    }
}
