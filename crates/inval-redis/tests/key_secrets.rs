//! Namespaces where digests stand for keys: nothing of a key reaches the server, and secrets can be changed.
#![cfg(test)]

mod support {
    pub(crate) mod managers;
    pub(crate) mod patience;
    pub(crate) mod site;
}

mod secret {
    mod digests;
    mod rotation;
    mod clients;
}
