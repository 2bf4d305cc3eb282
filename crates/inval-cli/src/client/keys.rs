//! Keys as they are written on the command line, and bytes as they stand in JSON.

use std::ffi::OsStr;

use base64::prelude::{BASE64_STANDARD, Engine};
use inval_core::Key;
use serde_json::{Value, json};
use thiserror::Error;

use super::ClientError;
use crate::args::KeyEncoding;

/// Why a text is not a key in its encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum KeyTextError {
    #[error("the key is not hexadecimal: two digits 0 to 9 and a to f a byte")]
    Hex,
    #[error("the key is not base64 with padding (RFC 4648)")]
    Base64,
}

/// The key that `text` writes in `encoding`.
pub(super) fn read_key(text: &OsStr, encoding: KeyEncoding) -> Result<Key, ClientError> {
    let text = text.as_encoded_bytes();
    Ok(match encoding {
        KeyEncoding::Raw => Key::new(text)?,
        KeyEncoding::Hex => Key::new(&read_hex(text).ok_or(KeyTextError::Hex)?)?,
        KeyEncoding::Base64 => {
            Key::new(&BASE64_STANDARD.decode(text).map_err(|_| KeyTextError::Base64)?)?
        }
    })
}

fn read_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let (pairs, []) = text.as_chunks() else { return None };
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// Bytes in JSON: a string if they are UTF-8, else an object that holds them in base64.
pub(crate) fn json_bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": BASE64_STANDARD.encode(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn keys_are_read_in_each_encoding_and_shown_in_no_error() {
        let check = |text: &[u8], encoding, want: Result<&[u8], &str>| {
            let key = read_key(OsStr::from_bytes(text), encoding);
            let key = key.as_ref().map(Key::as_bytes).map_err(ToString::to_string);
            assert_eq!(key, want.map_err(str::to_owned), "{text:?}");
        };
        check(b"a/b \xff", KeyEncoding::Raw, Ok(b"a/b \xff"));
        check(b"", KeyEncoding::Raw, Err("a key needs at least one byte"));
        check(b"00fFa1", KeyEncoding::Hex, Ok(&[0, 255, 161]));
        let hex = "the key is not hexadecimal: two digits 0 to 9 and a to f a byte";
        check(b"00f", KeyEncoding::Hex, Err(hex));
        check(b"0g", KeyEncoding::Hex, Err(hex));
        check(b"+1", KeyEncoding::Hex, Err(hex));
        check(b"/wA=", KeyEncoding::Base64, Ok(&[255, 0]));
        let base64 = "the key is not base64 with padding (RFC 4648)";
        check(b"/wA", KeyEncoding::Base64, Err(base64));
        check(b"_wA=", KeyEncoding::Base64, Err(base64));
    }

    #[test]
    fn bytes_are_strings_where_they_can() {
        let check = |bytes: &[u8], want: &str| assert_eq!(json_bytes(bytes).to_string(), want);
        check("é\"".as_bytes(), r#""é\"""#);
        check(b"", r#""""#);
        check(&[255, 0], r#"{"base64":"/wA="}"#);
    }
}
