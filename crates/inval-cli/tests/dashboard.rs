//! The dashboard in a real browser, before a real daemon and before one that is played.

#![cfg(test)]

#[path = "dashboard/numbers.rs"]
mod numbers;
#[path = "dashboard/states.rs"]
mod states;
#[path = "dashboard/connection.rs"]
mod connection;
#[path = "dashboard/controls.rs"]
mod controls;
#[path = "dashboard/looks.rs"]
mod looks;
#[path = "dashboard/hour.rs"]
mod hour;
#[path = "dashboard/pictures.rs"]
mod pictures;

#[path = "dashboard/browser.rs"]
mod browser;
#[path = "dashboard/driver.rs"]
mod driver;
#[path = "dashboard/stage.rs"]
mod stage;

#[path = "serve/client.rs"]
mod client;
#[path = "serve/daemon.rs"]
mod daemon;
#[path = "serve/document.rs"]
mod document;
#[path = "serve/guarded.rs"]
mod guarded;
