//! A master that is killed, and the sentinels that put a replica in its place.

use inval_test_servers::{Endpoint, Fault, Flavour, Options, Sentinel, Server, Who};

use crate::support::patience::eventually;

/// Writes reach the replicas, and go on after the master's end.
fn check(options: &Options, sentinels: usize) {
    let set = Sentinel::start_with(options, 2, sentinels).expect("acquainted");
    assert_eq!(set.sentinel_urls().len(), sentinels);
    assert_eq!(set.master().expect("named").port(), set.nodes()[0].port());
    assert!(set.nodes()[0].command(&["SET", "key", "1"]).expect("runs").is_ok());
    assert_eq!(set.nodes()[0].command(&["WAIT", "2", "5000"]).expect("runs").int(), Some(2));

    assert_eq!(named_port(&set), set.nodes()[0].port());
    for node in set.nodes().iter().chain(set.sentinels()) {
        assert!(node.door().is_none_or(|door| door.port() == node.port()));
        assert!(node.url().ends_with(&format!(":{}", node.port())));
    }

    let killed = set.kill_master().expect("ran");
    let master = set.wait_for_failover(killed).expect("a replica took over");
    assert_ne!(master.port(), killed.port());
    assert_eq!(set.master().expect("named").port(), master.port());
    assert_eq!(master.command(&["GET", "key"]).expect("runs").text(), Some("1"));
    assert!(master.command(&["SET", "key", "2"]).expect("runs").is_ok());
    assert_eq!(named_port(&set), master.port());
    let is_other = |node: &&Server| ![killed.port(), master.port()].contains(&node.port());
    let other = set.nodes().iter().find(is_other).expect("two replicas");
    eventually("the other replica follows the new master", || {
        // It closes connections when it changes its master.
        let Ok(replication) = other.info("replication") else { return false };
        let tells = |field: &str, value: &str| replication.get(field).is_some_and(|is| is == value);
        tells("master_port", &master.port().to_string()) && tells("master_link_status", "up")
    });
}

/// Where a sentinel sends clients that want to write.
fn named_port(set: &Sentinel) -> u16 {
    let ask = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", set.master_name()];
    let reply = set.sentinels()[0].command(&ask).expect("runs");
    reply.items()[1].text().and_then(|port| port.parse().ok()).expect("a port")
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
fn sentinels_watch_and_name_doors() {
    check(&Options::redis().behind_a_door(), 3);
    check(&Options::redis().endpoint(Endpoint::Tls).behind_a_door(), 1);
}

#[test]
fn a_master_whose_door_stalls_for_all_is_replaced() {
    let options = Options::redis().behind_a_door();
    let set = Sentinel::start_with(&options, 1, 1).expect("acquainted");
    let cut_off = set.master().expect("named");
    let door = cut_off.door().expect("asked for");
    door.inflict(Who::All, Fault::Stall);
    set.wait_for_failover(cut_off).expect("the replica took over");
    assert_eq!(cut_off.command(&["PING"]).expect("runs").text(), Some("PONG"));
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
