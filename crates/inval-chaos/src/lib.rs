//! Checks what clients of inval were told, while it was broken on purpose, against what it promises.

pub mod history;
pub mod check;

/// Compiles and runs the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
