//! What a namespace keeps to changes while clients work: all follow, nothing is lost, and what cannot be
//! followed deletes nothing.
#![cfg(test)]

mod support {
    pub(crate) mod books;
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod values;
}

mod change {
    mod limits;
    mod operators;
    mod estrangement;
    mod namespaces;
    mod pressure;
    mod slices;
}
