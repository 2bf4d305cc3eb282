//! Users that may do what their role needs: it is enough for everything the store has to do, all of it is needed, and
//! everything else is denied.
#![cfg(test)]

mod support {
    pub(crate) mod patience;
    pub(crate) mod site;
}

mod suite {
    mod managed;
    pub(crate) mod harness;
}

mod privilege {
    mod users;
    mod enough;
    mod needed;
    mod denied;
    mod topologies;
    mod document;
}
