//! Checks on keys and values of any bytes and any length.

use bytes::Bytes;

use super::Harness;
use super::failure::{Outcome, expect, expect_all};
use super::trial::Trial;
use crate::store::Lifetime;
use crate::units::Key;

/// Keys that mean something to servers, protocols, patterns or scripts.
const SPECIAL: [&[u8]; 16] = [
    b"{",
    b"}",
    b"{}",
    b"a{b}c",
    b"}:k:{",
    b"*",
    b"[a-z]?",
    b"\\",
    b"\r\n",
    b"$3\r\nfoo\r\n",
    b"\0",
    b"a\0b",
    b"\xFF\xFE",
    b" 1p 5 - x",
    b"lease",
    "käse".as_bytes(),
];

pub(super) async fn keys_and_values_may_be_any_bytes<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let single = (0..=255).map(|byte| vec![byte]);
    let mut keys: Vec<Vec<u8>> = single.chain(SPECIAL.map(<[u8]>::to_vec)).collect();
    keys.sort();
    keys.dedup();
    for key in &keys {
        trial.put(key, value_of(key)).await?;
    }
    let want: Vec<_> = keys.iter().map(|key| Some(Bytes::from(value_of(key)))).collect();
    expect_all("get_many of keys of any bytes", &trial.get_many(&keys).await?, &want)?;
    for key in &keys {
        let name = key.escape_ascii();
        trial.expect_value(&format!("under {name}"), key, value_of(key)).await?;
        expect(format!("lifetime of {name}"), trial.lifetime(key).await?, Lifetime::Unlimited)?;
    }
    for (at, key) in keys.iter().enumerate() {
        let name = key.escape_ascii();
        expect(format!("invalidate of {name}"), trial.invalidate(&[key]).await?, 1)?;
        trial.expect_nothing(&format!("after invalidating {name}"), key).await?;
        if let Some(next) = keys.get(at + 1) {
            let when = format!("under the key after {name}, which was invalidated");
            trial.expect_value(&when, next, value_of(next)).await?;
        }
    }
    Ok(())
}

pub(super) async fn keys_that_begin_alike_are_different<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let keys: Vec<String> = (1..=64).map(|len| "a".repeat(len)).collect();
    for key in &keys {
        trial.put(key, key).await?;
    }
    let (removed, kept) = keys.split_at(32);
    expect("invalidate of half of them", trial.invalidate(removed).await?, 32)?;
    let want: Vec<_> = kept.iter().map(|key| Some(Bytes::from(key.clone()))).collect();
    expect_all("get_many of the others", &trial.get_many(kept).await?, &want)?;
    expect_all("get_many of that half", &trial.get_many(removed).await?, &[const { None }; 32])
}

pub(super) async fn the_longest_key_and_a_large_value_are_kept<H: Harness>(harness: &H) -> Outcome {
    let trial = Trial::roomy(harness).await?;
    let key: Vec<u8> = (0..Key::MAX_LEN).map(|n| n as u8).collect();
    let neighbour = [&key[..Key::MAX_LEN - 1], b"!"].concat();
    let large: Vec<u8> = (0..1 << 20).map(|n: u32| (n >> 8 ^ n) as u8).collect();
    trial.put(&key, "").await?;
    trial.put(&neighbour, &large).await?;
    trial.put("small", &large).await?;
    trial.expect_value("an empty value under the longest key", &key, "").await?;
    trial.expect_value("1 MiB under the longest key", &neighbour, &large).await?;
    trial.expect_value("1 MiB under a short key", "small", &large).await?;
    let bytes = 2 * Key::MAX_LEN + "small".len() + 2 * large.len();
    trial.settle("they weigh what they are long", |s| s.usage.bytes == bytes as u64).await?;
    expect("invalidate of both", trial.invalidate(&[&key, &neighbour]).await?, 2)
}

/// A value with bytes of every kind that tells which key it belongs to.
fn value_of(key: &[u8]) -> Vec<u8> {
    [b"\0\r\n\xFF", key, b"\r\n\0"].concat()
}
