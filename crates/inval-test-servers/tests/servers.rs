//! What the servers promise to the tests that use them.
#![cfg(test)]

mod support {
    pub(crate) mod client;
    pub(crate) mod patience;
    pub(crate) mod tls;
}

mod server {
    mod endpoints;
    mod access;
    mod life;
    mod process;
    #[cfg(target_os = "linux")]
    mod programs;
    #[cfg(target_os = "linux")]
    mod time;
}

mod doors {
    mod faults;
    mod passing;
}

mod topology {
    mod cluster;
    mod sentinel;
}
