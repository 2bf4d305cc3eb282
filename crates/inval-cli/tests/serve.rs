//! `inval serve` as a process: its API, its configuration, its signals, on memory and on a real server.

#![cfg(test)]

#[path = "serve/access.rs"]
mod access;
#[path = "serve/analysis.rs"]
mod analysis;
#[path = "serve/api.rs"]
mod api;
#[path = "serve/attack.rs"]
mod attack;
#[path = "serve/audit.rs"]
mod audit;
#[path = "serve/client.rs"]
mod client;
#[path = "serve/commands.rs"]
mod commands;
#[path = "serve/daemon.rs"]
mod daemon;
#[path = "serve/document.rs"]
mod document;
#[path = "serve/guarded.rs"]
mod guarded;
#[path = "serve/hostile.rs"]
mod hostile;
#[path = "serve/killed.rs"]
mod killed;
#[path = "serve/limits.rs"]
mod limits;
#[path = "serve/metrics.rs"]
mod metrics;
#[path = "serve/process.rs"]
mod process;
#[path = "serve/prometheus.rs"]
mod prometheus;
#[path = "serve/redis.rs"]
mod redis;
#[path = "serve/reload.rs"]
mod reload;

#[path = "serve/tls.rs"]
mod tls;

#[path = "../../inval-redis/tests/support/books.rs"]
mod books;
#[path = "../../inval-redis/tests/support/patience.rs"]
mod patience;
