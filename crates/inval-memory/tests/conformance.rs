//! The embedded store passes the suite that every store has to pass, and stores that break the contract do not.
#![cfg(test)]

mod support {
    pub(crate) mod setup;
    pub(crate) mod tasks;
}

mod contract {
    mod harness;
    mod passes;
    mod guarded;
    mod late;
    mod faults;
    mod broken;
    mod fails;
    mod upkeep;
}
