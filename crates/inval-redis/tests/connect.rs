//! Connections to real servers: getting in, staying in, and what a call says when something breaks.
#![cfg(test)]

mod connecting {
    mod support;

    mod activity;
    mod calls;
    mod doors;
    mod refusals;
    mod interruptions;
    mod cluster;
    mod sentinel;
}
