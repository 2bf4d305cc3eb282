//! Hashes of small keys, short names for times, and how large a test may be.

#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::time::Duration;

use inval_core::Timestamp;

/// 64 well-mixed bits of `key`.
pub(crate) fn hash(key: u64) -> u64 {
    let mixed = (key ^ 0x5851_F42D_4C95_7F2D).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ mixed >> 32
}

pub(crate) fn at(ms: u64) -> Timestamp {
    Timestamp::from_millis(ms)
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// `n`, or a tenth of it under Miri.
pub(crate) const fn scaled(n: u64) -> u64 {
    if cfg!(miri) { n / 10 } else { n }
}
