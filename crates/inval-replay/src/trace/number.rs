//! Numbers and keys as bytes of text: checked, without floats and without allocation.

/// The decimal number that `text` is; `None` if it is empty, holds anything but digits, or is 2^64 or
/// more.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    // Nineteen digits cannot overflow, so the usual number is read without a check per digit.
    let (head, tail) = text.split_at(text.len().min(19));
    let mut value = 0_u64;
    for byte in head {
        value = value * 10 + digit(*byte)?;
    }
    for byte in tail {
        value = value.checked_mul(10)?.checked_add(digit(*byte)?)?;
    }
    (!text.is_empty()).then_some(value)
}

/// The decimal number that `text` begins with, and how many digits it has; 0 and 0 if it begins with
/// none. Only up to 19 digits, which cannot overflow, are looked at.
#[inline]
pub(crate) fn leading_digits(text: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (at, byte) in text.iter().enumerate().take(19) {
        match digit(*byte) {
            Some(digit) => value = value * 10 + digit,
            None => return (value, at),
        }
    }
    (value, text.len().min(19))
}

/// Seconds, perhaps with a fraction, as milliseconds; digits beyond the millisecond are checked and
/// dropped. `None` if `text` is no such number or the milliseconds reach 2^64.
pub(crate) fn seconds_as_ms(text: &[u8]) -> Option<u64> {
    let Some(point) = text.iter().position(|b| *b == b'.') else {
        return whole(text)?.checked_mul(1000);
    };
    let (seconds, fraction) = (&text[..point], &text[point + 1..]);
    let mut millis = 0;
    let mut unit = 100;
    for byte in fraction {
        millis += digit(*byte)? * unit;
        unit /= 10;
    }
    if fraction.is_empty() {
        return None;
    }
    whole(seconds)?.checked_mul(1000)?.checked_add(millis)
}

/// The number that stands for a key, as [`Request::key`](crate::Request::key) promises.
pub(crate) fn key_of(text: &[u8]) -> u64 {
    let canonical = text.len() <= 1 || text[0] != b'0';
    match whole(text) {
        Some(number) if canonical => number,
        _ => fnv1a(text),
    }
}

#[inline]
fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(u64::from(digit))
}

fn fnv1a(text: &[u8]) -> u64 {
    text.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_below_two_to_the_64() {
        let check = |text: &str, want| assert_eq!(whole(text.as_bytes()), want, "{text:?}");
        check("0", Some(0));
        check("18446744073709551615", Some(u64::MAX));
        check("18446744073709551616", None);
        check("99999999999999999999", None);
        check("00000000000000000000000012", Some(12));
        check("", None);
        check("-1", None);
        check("+1", None);
        check("1.5", None);
        check("1 ", None);
        check("١", None);
    }

    #[test]
    fn seconds_become_milliseconds() {
        let check = |text: &str, want| assert_eq!(seconds_as_ms(text.as_bytes()), want, "{text:?}");
        check("0", Some(0));
        check("12", Some(12_000));
        check("12.3", Some(12_300));
        check("12.0456789", Some(12_045));
        check("18446744073709551", Some(18_446_744_073_709_551_000));
        check("18446744073709551.615", Some(u64::MAX));
        check("18446744073709551.616", None);
        check("18446744073709552", None);
        check("", None);
        check(".", None);
        check("1.", None);
        check(".5", None);
        check("1.2.3", None);
        check("-1", None);
        check("1e3", None);
    }

    #[test]
    fn only_canonical_numbers_stand_for_themselves() {
        let check = |text: &[u8], want| assert_eq!(key_of(text), want, "{text:?}");
        check(b"0", 0);
        check(b"42", 42);
        // Published test vectors of FNV-1a.
        check(b"", 0xcbf2_9ce4_8422_2325);
        check(b"a", 0xaf63_dc4c_8601_ec8c);
        check(b"foobar", 0x8594_4171_f739_67e8);
        assert_ne!(key_of(b"007"), 7);
        assert_ne!(key_of(b"00"), 0);
    }
}
