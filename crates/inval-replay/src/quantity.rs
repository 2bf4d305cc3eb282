//! Sizes and durations as people write them: `256 MiB`, `1h30m`.

use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// A number of bytes, read from texts such as `4096`, `1GB` (10^9), `256 MiB` (2^28) or `1.5 GiB`;
/// a fraction of a byte is dropped.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ByteSize(pub u64);

/// Why a text is not a [`ByteSize`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ByteSizeError {
    /// The text does not begin with a number.
    #[error("a size begins with a number, such as 4096, 1GB or 256MiB")]
    Number,
    /// What follows the number is no unit.
    #[error("unknown unit of size; known are B, kB, MB, GB, TB and KiB, MiB, GiB, TiB")]
    Unit,
    /// The size is 2^64 bytes or more.
    #[error("the size is beyond 2^64 bytes")]
    TooLarge,
}

impl FromStr for ByteSize {
    type Err = ByteSizeError;

    fn from_str(text: &str) -> Result<Self, ByteSizeError> {
        let text = text.trim();
        let (number, unit) = text.split_at(number_len(text));
        let number = Decimal::parse(number).map_err(|error| match error {
            DecimalError::NotANumber => ByteSizeError::Number,
            DecimalError::TooLarge => ByteSizeError::TooLarge,
        })?;
        let unit = match unit.trim_start().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1_u64 << 40,
            _ => return Err(ByteSizeError::Unit),
        };
        number.times(unit).map(Self).ok_or(ByteSizeError::TooLarge)
    }
}

/// Why a text is not a duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum DurationError {
    /// A part of the text is not a whole number and a unit.
    #[error("a duration is whole numbers with units, such as 250ms, 90s or 1h30m")]
    Number,
    /// A number has no unit, or one that is not known.
    #[error("a number lacks its unit of time; known are d, h, m, s, ms and us")]
    Unit,
    /// A unit stands behind a smaller one or behind itself.
    #[error("the units of a duration go from large to small, each once")]
    Order,
    /// The duration is 2^64 milliseconds or more.
    #[error("the duration is beyond 2^64 milliseconds")]
    TooLong,
}

/// The duration that texts such as `250ms`, `90s`, `10m` or `1h30m` tell, in whole microseconds (`us` or
/// `µs`).
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim();
    let mut total_us = 0_u128;
    let mut last_unit_us = u128::MAX;
    loop {
        let (number, tail) = split_off(rest, |c| c.is_ascii_digit());
        let (unit, tail) = split_off(tail, char::is_alphabetic);
        let unit_us = match unit {
            _ if number.is_empty() => return Err(DurationError::Number),
            "d" => 86_400_000_000,
            "h" => 3_600_000_000,
            "m" => 60_000_000,
            "s" => 1_000_000,
            "ms" => 1_000,
            "us" | "µs" => 1,
            _ => return Err(DurationError::Unit),
        };
        if unit_us >= last_unit_us {
            return Err(DurationError::Order);
        }
        last_unit_us = unit_us;
        let part_us = number.parse::<u128>().ok().and_then(|number| number.checked_mul(unit_us));
        total_us = part_us
            .and_then(|part_us| total_us.checked_add(part_us))
            .ok_or(DurationError::TooLong)?;
        rest = tail.trim_start();
        if rest.is_empty() {
            return whole_micros(total_us).ok_or(DurationError::TooLong);
        }
    }
}

/// `None` from 2^64 milliseconds.
fn whole_micros(us: u128) -> Option<Duration> {
    let millis = u64::try_from(us / 1_000).ok()?;
    Duration::from_millis(millis).checked_add(Duration::from_micros((us % 1_000) as u64))
}

/// The longest beginning of `text` of characters that are `wanted`, and the rest.
fn split_off(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !wanted(c)).unwrap_or(text.len()))
}

/// Bytes at the beginning of `text` that are digits or a point.
fn number_len(text: &str) -> usize {
    text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count()
}

/// A decimal number, exact: `mantissa` / 10^`places`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decimal {
    mantissa: u64,
    places: u32,
}

pub(crate) enum DecimalError {
    NotANumber,
    TooLarge,
}

impl Decimal {
    /// Reads digits, perhaps with a point and more digits.
    pub(crate) fn parse(text: &str) -> Result<Self, DecimalError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) {
            return Err(DecimalError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        let digits = whole.bytes().chain(fraction.bytes());
        let mantissa = digits
            .map(|b| u64::from(b - b'0'))
            .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(digit));
        // More than 19 places cannot get here unless every digit before the last ones is a zero.
        match (mantissa, u32::try_from(fraction.len())) {
            (Some(mantissa), Ok(places @ 0..=19)) => Ok(Self { mantissa, places }),
            _ => Err(DecimalError::TooLarge),
        }
    }

    /// This number times `factor`, rounded down; `None` from 2^64.
    pub(crate) fn times(self, factor: u64) -> Option<u64> {
        let product = u128::from(self.mantissa) * u128::from(factor);
        u64::try_from(product / 10_u128.pow(self.places)).ok()
    }

    /// This many hundredths of `whole`, rounded to the nearest, halves up; at most `u64::MAX`.
    pub(crate) fn percent_of(self, whole: u64) -> u64 {
        let product = u128::from(self.mantissa) * u128::from(whole);
        let divisor = 100 * 10_u128.pow(self.places);
        u64::try_from((product + divisor / 2) / divisor).unwrap_or(u64::MAX)
    }

    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_decimal_and_binary_units() {
        let check =
            |text: &str, want| assert_eq!(text.parse().map(|ByteSize(n)| n), want, "{text:?}");
        check("4096", Ok(4096));
        check("0", Ok(0));
        check("1GB", Ok(1_000_000_000));
        check("256 MiB", Ok(256 << 20));
        check(" 1.5 gib ", Ok(3 << 29));
        check("0.0015kB", Ok(1));
        check("18446744073709551615", Ok(u64::MAX));
        check("18446744073709551616", Err(ByteSizeError::TooLarge));
        check("16777216 TiB", Err(ByteSizeError::TooLarge));
        check("0.00000000000000000001", Err(ByteSizeError::TooLarge));
        check("", Err(ByteSizeError::Number));
        check("MiB", Err(ByteSizeError::Number));
        check("-1", Err(ByteSizeError::Number));
        check(".5GB", Err(ByteSizeError::Number));
        check("1.GB", Err(ByteSizeError::Number));
        check("1.2.3", Err(ByteSizeError::Number));
        check("256M", Err(ByteSizeError::Unit));
        check("1 2", Err(ByteSizeError::Unit));
    }

    #[test]
    fn durations_go_from_large_units_to_small() {
        let check = |text: &str, want: Result<u64, DurationError>| {
            assert_eq!(parse_duration(text), want.map(Duration::from_millis), "{text:?}");
        };
        check("250ms", Ok(250));
        check("90s", Ok(90_000));
        check("10m", Ok(600_000));
        check("1h30m", Ok(5_400_000));
        check("1d 2h 3m 4s 5ms", Ok(93_784_005));
        check("0s", Ok(0));
        check("18446744073709551615ms", Ok(u64::MAX));
        check("18446744073709551615ms1", Err(DurationError::Unit));
        check("18446744073709551616ms", Err(DurationError::TooLong));
        check("213503982335d", Err(DurationError::TooLong));
        check("18446744073709551s 616ms", Err(DurationError::TooLong));
        check("30m1h", Err(DurationError::Order));
        check("1m1m", Err(DurationError::Order));
        check("10", Err(DurationError::Unit));
        check("10 s", Err(DurationError::Unit));
        check("10y", Err(DurationError::Unit));
        check("1.5h", Err(DurationError::Unit));
        check("", Err(DurationError::Number));
        check("h", Err(DurationError::Number));
        check("-1s", Err(DurationError::Number));
        check("10é", Err(DurationError::Unit));
    }

    #[test]
    fn microseconds_are_the_smallest_unit() {
        let check = |text: &str, want: Result<Duration, DurationError>| {
            assert_eq!(parse_duration(text), want, "{text:?}");
        };
        check("500us", Ok(Duration::from_micros(500)));
        check("500µs", Ok(Duration::from_micros(500)));
        check("1ms 1us", Ok(Duration::from_micros(1001)));
        let longest = Duration::from_millis(u64::MAX) + Duration::from_micros(999);
        check("18446744073709551615ms 999us", Ok(longest));
        check("18446744073709551615ms 1000us", Err(DurationError::TooLong));
        check("340282366920938463463374607431768211456us", Err(DurationError::TooLong));
        check("1us1ms", Err(DurationError::Order));
        check("1ns", Err(DurationError::Unit));
    }
}
