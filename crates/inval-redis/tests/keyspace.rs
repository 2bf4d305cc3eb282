//! `docs/redis-keyspace.md` against the server: what it shows happens, and what it says of the scripts holds.
#![cfg(test)]

mod support {
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod transcript;
    pub(crate) mod values;
}

mod document {
    mod session;
    mod commands;
    mod scripts;
}
