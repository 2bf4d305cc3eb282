//! Percent-encoding (RFC 3986): the bytes that a part of a path or query stands for.

use std::borrow::Cow;

/// The bytes that `text` stands for; `None` if a `%` is not followed by two hexadecimal digits.
pub(super) fn decode(text: &str) -> Option<Cow<'_, [u8]>> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(|byte| *byte == b'%') else {
        return Some(Cow::Borrowed(bytes));
    };
    let (plain, mut rest) = bytes.split_at(first);
    let mut decoded = Vec::with_capacity(bytes.len());
    decoded.extend_from_slice(plain);
    loop {
        rest = match rest {
            [] => return Some(Cow::Owned(decoded)),
            [b'%', high, low, rest @ ..] => {
                decoded.push(digit(*high)? << 4 | digit(*low)?);
                rest
            }
            [b'%', ..] => return None,
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
}

fn digit(letter: u8) -> Option<u8> {
    char::from(letter).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encoded_stands_for_itself() {
        let check = |text: &str, want: Option<&[u8]>| {
            assert_eq!(decode(text).as_deref(), want, "{text:?}");
        };
        check("", Some(b""));
        check("user:1+2", Some(b"user:1+2"));
        check("a%2Fb%2f%00", Some(b"a/b/\0"));
        check("%FF%fe", Some(&[0xff, 0xfe]));
        check("100%25", Some(b"100%"));
        check("%", None);
        check("a%2", None);
        check("%zz", None);
        check("%+1", None);
    }
}
