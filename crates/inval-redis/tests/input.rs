//! Input at and beyond the edge of what is allowed: keys, values, lifetimes, targets, configurations.
#![cfg(test)]

mod support {
    pub(crate) mod books;
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
    pub(crate) mod values;
}

mod inputs {
    mod keys;
    mod values;
    mod lifetimes;
    mod opening;
}
