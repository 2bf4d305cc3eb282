//! Digests that stand for keys where others can look: without the secret nobody can tell whose they are.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::units::{Key, Namespace};

/// What HMAC pads a secret to.
const BLOCK: usize = 64;
/// Bytes of a digest that are kept, and of a fingerprint.
const KEPT: usize = 16;
const FINGERPRINT: usize = 8;
/// What the message of a fingerprint begins with. That of a key begins with a namespace, which has no such byte.
const NO_KEY: &[u8] = b"\0fingerprint\0";

/// 32 bytes that only the clients of a namespace know, as 64 hexadecimal digits. They are overwritten when they
/// are dropped, and `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct KeySecret(Zeroizing<[u8; Self::LEN]>);

/// A text is no secret. Repeats nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("a key secret has 64 hexadecimal digits, such as openssl rand -hex 32 makes")]
pub struct KeySecretError;

impl KeySecret {
    /// Bytes of a secret.
    pub const LEN: usize = 32;

    /// The secret of these bytes, which should come from a source of randomness.
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl FromStr for KeySecret {
    type Err = KeySecretError;

    fn from_str(text: &str) -> Result<Self, KeySecretError> {
        let mut secret = Self::new([0; Self::LEN]);
        read_digits(text, &mut secret.0[..]).map(|()| secret).ok_or(KeySecretError)
    }
}

impl fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySecret(***)")
    }
}

/// Which secret it is, without giving it away: 64 bits that other secrets do not share, but for one in 2⁶⁴.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fingerprint([u8; FINGERPRINT]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = KeySecretError;

    fn from_str(text: &str) -> Result<Self, KeySecretError> {
        let mut bytes = [0; FINGERPRINT];
        read_digits(text, &mut bytes).map(|()| Self(bytes)).ok_or(KeySecretError)
    }
}

/// Makes the digests of a namespace's keys.
///
/// A digest is the first half of HMAC-SHA-256 (RFC 2104) of namespace, zero byte and key, as 32 hexadecimal
/// digits. Of a thousand million keys two have the same digest with a probability of about 10⁻²¹.
#[derive(Clone)]
pub struct KeyDigester {
    /// Has taken in all that comes before the key.
    begun: Hmac<Sha256>,
    fingerprint: Fingerprint,
}

impl KeyDigester {
    /// Digests the keys of `namespace` with `secret`.
    pub fn new(secret: &KeySecret, namespace: &Namespace) -> Self {
        let mut padded = [0; BLOCK];
        padded[..KeySecret::LEN].copy_from_slice(&secret.0[..]);
        let keyed = Hmac::<Sha256>::new(&padded.into());
        padded.zeroize();
        let mut of_fingerprint = keyed.clone();
        of_fingerprint.update(NO_KEY);
        of_fingerprint.update(namespace.as_str().as_bytes());
        let fingerprint = Fingerprint(first(of_fingerprint));
        let mut begun = keyed;
        begun.update(namespace.as_str().as_bytes());
        begun.update(&[0]);
        Self { begun, fingerprint }
    }

    /// What stands for `key`.
    pub fn digest(&self, key: &Key) -> Key {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut mac = self.begun.clone();
        mac.update(key.as_bytes());
        let digest: [u8; KEPT] = first(mac);
        let mut digits = [0; 2 * KEPT];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(digest) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        Key::of_digits(digits)
    }

    /// Tells the secret from others.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }
}

impl fmt::Debug for KeyDigester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyDigester").field(&self.fingerprint).finish()
    }
}

/// The first bytes of a code.
fn first<const N: usize>(mac: Hmac<Sha256>) -> [u8; N] {
    let mut code = mac.finalize().into_bytes();
    let mut first = [0; N];
    first.iter_mut().zip(&code).for_each(|(to, from)| *to = *from);
    code.zeroize();
    first
}

/// Reads two hexadecimal digits for each of the bytes; `None` unless that is all there is.
fn read_digits(text: &str, bytes: &mut [u8]) -> Option<()> {
    if text.len() != 2 * bytes.len() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn digester(secret: &str, namespace: &str) -> KeyDigester {
        KeyDigester::new(&secret.parse().unwrap(), &namespace.parse().unwrap())
    }

    fn digest(digester: &KeyDigester, key: &[u8]) -> String {
        String::from_utf8(digester.digest(&Key::new(key).unwrap()).as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn digests_are_those_that_other_programs_make() {
        // printf 'users\0alice' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f
        let users = digester(SECRET, "users");
        assert_eq!(digest(&users, b"alice"), "7055220df4f9a912c3551408a2accf23");
        assert_eq!(users.fingerprint().to_string(), "51ea9c3226913d05");
    }

    #[test]
    fn secret_namespace_and_key_all_count() {
        let users = digester(SECRET, "users");
        let alice = digest(&users, b"alice");
        assert_eq!(digest(&users, b"alice"), alice);
        assert_ne!(digest(&users, b"alicf"), alice);
        assert_ne!(digest(&digester(SECRET, "user"), b"salice"), alice);
        assert_ne!(digest(&digester(&SECRET.replace("1f", "1e"), "users"), b"alice"), alice);
        assert_ne!(digester(SECRET, "user").fingerprint(), users.fingerprint());
    }

    #[test]
    fn a_secret_has_64_digits_and_is_never_shown() {
        let check = |text: &str, is_secret| {
            let parsed = text.parse::<KeySecret>();
            assert_eq!(parsed.is_ok(), is_secret, "{text}");
            assert!(!format!("{parsed:?}").contains("0001"), "{parsed:?}");
        };
        check(SECRET, true);
        check(&SECRET.to_uppercase(), true);
        check(&SECRET[1..], false);
        check(&format!("{SECRET}0"), false);
        check(&SECRET.replace('a', "g"), false);
        check(&SECRET.replace("0a", "é"), false);
        check("", false);
        let shown = format!("{:?} {:?}", SECRET.parse::<KeySecret>(), digester(SECRET, "users"));
        assert!(!shown.contains("0001"), "{shown}");
    }

    #[test]
    fn a_fingerprint_is_read_back() {
        let fingerprint = digester(SECRET, "users").fingerprint();
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert!("12".parse::<Fingerprint>().is_err());
    }
}
