//! What the store promises its caller, under every strategy, with one shard and with several.
#![cfg(test)]

mod support {
    pub(crate) mod journal;
    pub(crate) mod panics;
    pub(crate) mod setup;
    pub(crate) mod tasks;
}

mod store {
    mod reads_and_writes;
    mod conditions;
    mod lifetimes;
    mod limits;
    mod reconfigure;
    mod removals;
    mod callbacks;
    mod iteration;
    mod keys;
    mod panics;
}
