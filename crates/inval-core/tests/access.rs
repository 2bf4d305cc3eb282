//! Who may do what: the rules as a table, against a naive model, and around a store.

#![cfg(test)]

#[path = "support/cases.rs"]
mod cases;

#[path = "access/guard.rs"]
mod guard;
#[path = "access/model.rs"]
mod model;
#[path = "access/rules.rs"]
mod rules;
#[path = "access/texts.rs"]
mod texts;
