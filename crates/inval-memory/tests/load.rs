//! Get or load: one caller loads, the others wait, and nobody waits in vain.
#![cfg(test)]

mod support {
    pub(crate) mod panics;
    pub(crate) mod setup;
    pub(crate) mod tasks;
}

mod loading {
    mod threads;
    mod futures;
    mod interference;
    mod panics;
}
