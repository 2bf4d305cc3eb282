//! The promises that the store makes, each a test of its own, on a real server.
#![cfg(test)]

mod support {
    pub(crate) mod books;
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod transcript;
    pub(crate) mod values;
}

mod promise {
    mod reads;
    mod limits;
    mod ceilings;
    mod eviction;
    mod bounds;
    mod managers;
    mod clocks;
    mod peers;
    mod inspection;
    mod statistics;
}
