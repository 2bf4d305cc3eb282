//! What can go wrong around the store, each a test: it is told by a typed error or recovered from, and
//! nothing is lost that should be there.
#![cfg(test)]

mod support {
    pub(crate) mod books;
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod transcript;
    pub(crate) mod values;
}

mod failure {
    mod outages;
    mod memory;
    mod strangers;
    mod rivals;
    mod topologies;
    mod access;
    mod valkey;
}
