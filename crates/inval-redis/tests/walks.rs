//! Walks over the entries of a namespace on real servers: complete, bounded, and without a trace.
#![cfg(test)]

mod support {
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod values;
}

mod walk {
    mod walker;
    mod books;
    mod scans;
    mod partitions;
}
