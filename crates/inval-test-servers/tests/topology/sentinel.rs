//! A master that is killed, and the sentinels that put a replica in its place.

use inval_test_servers::{Endpoint, Flavour, Options, Sentinel};

/// Writes reach the replicas, and go on after the master's end.
fn check(options: &Options, sentinels: usize) {
    let set = Sentinel::start_with(options, 2, sentinels).expect("acquainted");
    assert_eq!(set.sentinel_urls().len(), sentinels);
    assert_eq!(set.master().expect("named").port(), set.nodes()[0].port());
    assert!(set.nodes()[0].command(&["SET", "key", "1"]).expect("runs").is_ok());
    assert_eq!(set.nodes()[0].command(&["WAIT", "2", "5000"]).expect("runs").int(), Some(2));

    let killed = set.kill_master().expect("ran");
    let master = set.wait_for_failover(killed).expect("a replica took over");
    assert_ne!(master.port(), killed.port());
    assert_eq!(set.master().expect("named").port(), master.port());
    assert_eq!(master.command(&["GET", "key"]).expect("runs").text(), Some("1"));
    assert!(master.command(&["SET", "key", "2"]).expect("runs").is_ok());
}

#[test]
fn one_sentinel_replaces_a_master() {
    check(&Options::redis(), 1);
}

#[test]
fn three_sentinels_agree_on_a_new_master() {
    check(&Options::redis(), 3);
}

#[test]
fn sentinels_reach_the_servers_over_tls_and_past_a_password() {
    check(&Options::redis().endpoint(Endpoint::Tls).password("pw"), 1);
}

#[test]
fn valkey_has_sentinels_too_where_it_is_installed() {
    if Flavour::Valkey.is_available() {
        check(&Options::valkey(), 1);
    }
}
