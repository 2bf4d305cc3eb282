//! Clusters: the slots, a slot that moves, a replica that takes over.

use inval_test_servers::{Cluster, Endpoint, Flavour, Options, Reply};

use crate::support::patience::{eventually, refuses_connections};

/// The slot of `{a}`, and keys that lie in it.
const SLOT: u16 = 15_495;
const KEYS: [&str; 3] = ["{a}1", "{a}2", "{a}3"];

fn is_redirection(reply: &Reply, kind: &str, port: u16) -> bool {
    *reply == Reply::Error(format!("{kind} {SLOT} 127.0.0.1:{port}"))
}

/// Three masters share the slots, and one moves with its keys.
fn check(options: &Options) {
    let cluster = Cluster::start_with(options, 3, 0).expect("formed");
    assert_eq!(cluster.urls().len(), 3);
    let owners = [0, 5_461, 10_922, 16_383].map(|slot| cluster.owner(slot).expect("known"));
    assert_eq!(owners, [0, 1, 2, 2]);

    let send = |node: usize, command: &[&str]| cluster.node(node).command(command).expect("runs");
    let (from, to) = (2, 0);
    assert_eq!(send(from, &["CLUSTER", "KEYSLOT", KEYS[0]]).int(), Some(i64::from(SLOT)));
    for key in KEYS {
        assert!(send(from, &["SET", key, "1"]).is_ok());
    }
    cluster.open_slot(SLOT, from, to).expect("both agree");
    assert!(is_redirection(&send(from, &["GET", "{a}"]), "ASK", cluster.node(to).port()));
    cluster.migrate_slot(SLOT, from, to).expect("moved");
    assert_eq!(cluster.owner(SLOT).expect("known"), to);
    for key in KEYS {
        assert_eq!(send(to, &["GET", key]).text(), Some("1"));
        for other in [1, 2] {
            let reply = send(other, &["GET", key]);
            assert!(is_redirection(&reply, "MOVED", cluster.node(to).port()), "{reply:?}");
        }
    }
}

#[test]
fn redis_masters_share_the_slots() {
    check(&Options::redis());
}

#[test]
fn nodes_trust_each_other_over_tls_and_past_a_password() {
    check(&Options::redis().endpoint(Endpoint::Tls).password("pw"));
}

#[test]
fn valkey_masters_share_the_slots_where_it_is_installed() {
    if Flavour::Valkey.is_available() {
        check(&Options::valkey());
    }
}

#[test]
fn a_replica_takes_the_place_of_a_master_that_is_killed() {
    let cluster = Cluster::start(3, 1).expect("formed");
    let owner = cluster.owner(SLOT).expect("known");
    cluster.kill(owner).expect("ran");
    assert!(refuses_connections(cluster.node(owner).port()));
    let replica = owner + 3;
    eventually("its replica owns its slots", || {
        cluster.owner(SLOT).is_ok_and(|owner| owner == replica)
    });
    eventually("it takes writes", || {
        cluster.node(replica).command(&["SET", KEYS[0], "1"]).is_ok_and(|reply| reply.is_ok())
    });
}
