//! A token: a secret that says who its bearer is. Only its hash is ever kept.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// What every token begins with, so that people and scanners for secrets know one when they see it.
const PREFIX: &str = "inval_";
const BYTES: usize = 32;
/// How many bytes of the hash name a token.
const ID_BYTES: usize = 6;

/// `inval_` and 256 random bits in base64url. Never shown but by [`Token::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(Box<str>);

/// The SHA-256 of a token's text, by which it is known. Nobody who has it can find the token, whose bits are
/// random; so neither salt nor a slow hash is needed, and it can be looked up in a map: whoever measures how far a
/// comparison got learns of a hash, which they cannot choose the token for.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

/// Why a text is not a [`Token`] or a [`Fingerprint`]. Shows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum TokenError {
    #[error("a token is inval_ and 43 letters, digits, - or _, as `inval token create` prints it")]
    Form,
    #[error("a SHA-256 is 64 hexadecimal digits")]
    Fingerprint,
}

impl Token {
    /// A new one, out of the system's random numbers.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// The text, for its bearer and for the daemon alone.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let bytes = text.strip_prefix(PREFIX).and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
        match bytes {
            Some(bytes) if bytes.len() == BYTES => Ok(Self(text.into())),
            _ => Err(TokenError::Form),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Fingerprint {
    /// What the token is called: the beginning of its hash.
    pub(crate) fn id(&self) -> String {
        self.0.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({}…)", self.id())
    }
}

impl FromStr for Fingerprint {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let digits = text.as_bytes();
        if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(TokenError::Fingerprint);
        }
        let digit = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]) << 4 | digit(pair[1]);
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_is_read_back_and_no_other_is_like_it() {
        let (one, other) = (Token::generate().unwrap(), Token::generate().unwrap());
        assert_eq!(one.reveal().len(), 49);
        assert_eq!(one.reveal().parse(), Ok(one.clone()));
        assert_ne!(one, other);
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(format!("{one:?}"), "Token(***)");
    }

    #[test]
    fn a_fingerprint_is_what_sha256sum_says() {
        let token: Token = format!("inval_{}", "A".repeat(43)).parse().unwrap();
        let fingerprint = token.fingerprint();
        let want = "96ca442f7bf756c66e9e7d9ff2e4b736a1310b16703b09d81dc3ed5aa8f4673a";
        assert_eq!(fingerprint.to_string(), want);
        assert_eq!(fingerprint.id(), want[..12]);
        assert_eq!(want.parse(), Ok(fingerprint));
        assert_eq!(want.to_uppercase().parse(), Ok(fingerprint));
    }

    #[test]
    fn anything_else_is_no_token() {
        let check = |text: &str| assert_eq!(text.parse::<Token>(), Err(TokenError::Form), "{text}");
        check("");
        check("inval_");
        check(&"A".repeat(43));
        check(&format!("inval_{}", "A".repeat(42)));
        check(&format!("inval_{}", "A".repeat(44)));
        check(&format!("inval_{}+", "A".repeat(42)));
        check(&format!("inval_{}=", "A".repeat(43)));
        // Two texts would stand for the same bits.
        check(&format!("inval_{}B", "A".repeat(42)));
        check(&format!(" inval_{}", "A".repeat(43)));
        for text in ["", "7c5e", &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(text.parse::<Fingerprint>(), Err(TokenError::Fingerprint), "{text}");
        }
    }
}
