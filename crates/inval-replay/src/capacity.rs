//! The capacity of a cache as people give it: entries, or a percentage of a trace's unique keys.

use std::str::FromStr;

use foldhash::fast::FixedState;
use hashbrown::HashSet;
use thiserror::Error;

use crate::Request;
use crate::quantity::{Decimal, DecimalError};

/// How many entries a cache may hold, read from `5000`, `10%` or `0.1%`. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity(Kind);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Entries(u64),
    Percent(Decimal),
}

/// Why a text is not a [`Capacity`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CapacityError {
    /// The text is not a number, or a number and a percent sign.
    #[error(
        "a capacity is a number of entries, such as 5000, or a percentage, such as 10% or 0.1%"
    )]
    NotANumber,
    /// The capacity is zero.
    #[error("a capacity is more than zero")]
    Zero,
    /// The number is 2^64 or more, or has too many digits.
    #[error("the capacity has too many digits")]
    TooLarge,
}

impl Capacity {
    /// Whether the capacity is known only once the unique keys of the trace are counted.
    pub fn needs_unique_keys(self) -> bool {
        matches!(self.0, Kind::Percent(_))
    }

    /// The capacity in entries for a trace of `unique_keys`: a percentage is rounded to the nearest
    /// entry and is at least one. A capacity given in entries ignores `unique_keys`.
    pub fn entries(self, unique_keys: u64) -> u64 {
        match self.0 {
            Kind::Entries(entries) => entries,
            Kind::Percent(percent) => percent.percent_of(unique_keys).max(1),
        }
    }
}

impl FromStr for Capacity {
    type Err = CapacityError;

    fn from_str(text: &str) -> Result<Self, CapacityError> {
        let text = text.trim();
        let number = text.strip_suffix('%').map_or(text, str::trim_end);
        let decimal = Decimal::parse(number).map_err(|error| match error {
            DecimalError::NotANumber => CapacityError::NotANumber,
            DecimalError::TooLarge => CapacityError::TooLarge,
        })?;
        if decimal.is_zero() {
            return Err(CapacityError::Zero);
        }
        if text.ends_with('%') {
            return Ok(Self(Kind::Percent(decimal)));
        }
        let entries = number.parse().map_err(|_| CapacityError::NotANumber)?;
        Ok(Self(Kind::Entries(entries)))
    }
}

/// Counts the unique keys of `requests`, up to the first error. Takes some 20 bytes per unique key.
pub fn count_unique_keys<E>(
    requests: impl IntoIterator<Item = Result<Request, E>>,
) -> Result<u64, E> {
    let mut keys = HashSet::with_hasher(FixedState::default());
    for request in requests {
        keys.insert(request?.key);
    }
    Ok(keys.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_is_entries_or_a_percentage_of_the_unique_keys() {
        let check = |text: &str, unique: u64, want| {
            let got = text.parse().map(|capacity: Capacity| capacity.entries(unique));
            assert_eq!(got, want, "{text:?} of {unique}");
        };
        check("5000", 7, Ok(5000));
        check("10%", 2606, Ok(261));
        check("1%", 2606, Ok(26));
        check("5%", 1011, Ok(51));
        check(" 0.1 % ", 100_000, Ok(100));
        check("0.1%", 10, Ok(1));
        check("50%", 0, Ok(1));
        check("0.5%", 100, Ok(1));
        check("1.5%", 100, Ok(2));
        check("100%", u64::MAX, Ok(u64::MAX));
        check("250%", u64::MAX, Ok(u64::MAX));
        check("0", 7, Err(CapacityError::Zero));
        check("0.0%", 7, Err(CapacityError::Zero));
        check("1.5", 7, Err(CapacityError::NotANumber));
        check("", 7, Err(CapacityError::NotANumber));
        check("%", 7, Err(CapacityError::NotANumber));
        check("-5%", 7, Err(CapacityError::NotANumber));
        check("10%%", 7, Err(CapacityError::NotANumber));
        check("1e3", 7, Err(CapacityError::NotANumber));
        check("18446744073709551616", 7, Err(CapacityError::TooLarge));
        check("0.00000000000000000000001%", 7, Err(CapacityError::TooLarge));
    }

    #[test]
    fn unique_keys_are_counted_once() {
        let requests = [1, 2, 1, 3, 3].map(|key| Ok::<_, ()>(Request::of_key(key)));
        assert_eq!(count_unique_keys(requests), Ok(3));
        assert_eq!(count_unique_keys([Err("broken")]), Err("broken"));
    }
}
