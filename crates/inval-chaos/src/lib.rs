//! Breaks inval on purpose, on real servers with real processes, and checks what its clients were told.

pub mod history;
pub mod check;
