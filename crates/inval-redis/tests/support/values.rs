//! Reads and writes in few words.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use inval_core::{Key, Put, PutCondition, PutOptions, Store};
use inval_redis::{Cache, Error};

use super::site::key;

pub(crate) async fn put(cache: &Cache, name: &str, value: &str) {
    assert_eq!(write(cache, name, value, PutOptions::default()).await, Put::Stored);
}

pub(crate) async fn put_for(cache: &Cache, name: &str, value: &str, ttl: Duration) {
    let options = PutOptions { ttl: Some(ttl), ..PutOptions::default() };
    assert_eq!(write(cache, name, value, options).await, Put::Stored);
}

pub(crate) async fn put_if(
    cache: &Cache,
    name: &str,
    value: &str,
    condition: PutCondition,
    ttl: Option<Duration>,
) -> Put {
    write(cache, name, value, PutOptions { ttl, condition }).await
}

async fn write(cache: &Cache, name: &str, value: &str, options: PutOptions) -> Put {
    cache.put(&key(name), Bytes::copy_from_slice(value.as_bytes()), options).await.unwrap()
}

pub(crate) async fn get(cache: &Cache, name: &str) -> Option<String> {
    let value = cache.get(&key(name)).await.unwrap()?;
    Some(String::from_utf8(value.to_vec()).unwrap())
}

/// Writes entries with these numbers, many at a time; each value is as long as `size`. What may or may not have been
/// written, for the connection broke, is written again.
pub(crate) async fn fill(cache: &Cache, letter: char, numbers: Range<u32>, size: usize) {
    fill_for(cache, letter, numbers, size, None).await;
}

pub(crate) async fn fill_for(
    cache: &Cache,
    letter: char,
    numbers: Range<u32>,
    size: usize,
    ttl: Option<Duration>,
) {
    let entries: Vec<(Key, Bytes)> =
        numbers.map(|n| (key(&name(letter, n)), Bytes::from(vec![b'v'; size]))).collect();
    for entries in entries.chunks(200) {
        let mut puts = cache.put_many(entries, ttl).await;
        if puts.as_ref().is_err_and(Error::is_outcome_unknown) {
            puts = cache.put_many(entries, ttl).await;
        }
        let puts = puts.unwrap();
        assert!(puts.iter().all(|put| *put == Put::Stored));
    }
}

/// Names of one length.
pub(crate) fn name(letter: char, number: u32) -> String {
    format!("{letter}{number:05}")
}

pub(crate) fn names(letter: char, numbers: Range<u32>) -> Vec<String> {
    numbers.map(|n| name(letter, n)).collect()
}

/// How many of these can be read.
pub(crate) async fn count(cache: &Cache, names: &[String]) -> usize {
    let keys: Vec<_> = names.iter().map(|name| key(name)).collect();
    cache.get_many(&keys).await.unwrap().into_iter().flatten().count()
}
