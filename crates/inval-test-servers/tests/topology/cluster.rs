//! Clusters: the slots, a slot that moves, a replica that takes over, doors.

use inval_test_servers::{Cluster, Endpoint, Fault, Flavour, Options, Reply, Server, Who};

use crate::support::client::Client;
use crate::support::patience::{eventually, refuses_connections};

/// The slot of `{a}`, and keys that lie in it.
const SLOT: u16 = 15_495;
const KEYS: [&str; 3] = ["{a}1", "{a}2", "{a}3"];

fn is_redirection(reply: &Reply, kind: &str, port: u16) -> bool {
    *reply == Reply::Error(format!("{kind} {SLOT} 127.0.0.1:{port}"))
}

/// The ports a client is told in the table of slots.
fn shown_ports(node: &Server) -> Vec<u16> {
    let slots = node.command(&["CLUSTER", "SLOTS"]).expect("runs");
    let port = |range: &Reply| range.items()[2].items()[1].int().expect("a number");
    slots.items().iter().map(|range| u16::try_from(port(range)).expect("a port")).collect()
}

/// Three masters share the slots, and one moves with its keys.
fn check(options: &Options) {
    let cluster = Cluster::start_with(options, 3, 0).expect("formed");
    assert_eq!(cluster.urls().len(), 3);
    for (node, url) in cluster.nodes().iter().zip(cluster.urls()) {
        assert!(url.ends_with(&format!(":{}", node.port())), "{url}");
        assert!(node.door().is_none_or(|door| door.port() == node.port()));
        for other in cluster.nodes() {
            assert!(shown_ports(other).contains(&node.port()), "{url}");
        }
    }
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
fn masters_behind_doors_name_the_doors() {
    check(&Options::redis().behind_a_door());
    check(&Options::redis().endpoint(Endpoint::Tls).behind_a_door());
}

#[test]
fn valkey_masters_share_the_slots_where_it_is_installed() {
    if Flavour::Valkey.is_available() {
        check(&Options::valkey());
    }
}

fn check_failover(options: &Options) {
    let cluster = Cluster::start_with(options, 3, 1).expect("formed");
    let owner = cluster.owner(SLOT).expect("known");
    cluster.kill(owner).expect("ran");
    let replica = owner + 3;
    eventually("its replica owns its slots", || {
        cluster.owner(SLOT).is_ok_and(|owner| owner == replica)
    });
    let replica = cluster.node(replica);
    eventually("it takes writes", || {
        replica.command(&["SET", KEYS[0], "1"]).is_ok_and(|reply| reply.is_ok())
    });
    eventually("others name its port", || {
        shown_ports(cluster.node((owner + 1) % 3)).contains(&replica.port())
    });
}

#[test]
fn a_replica_takes_the_place_of_a_master_that_is_killed() {
    check_failover(&Options::redis());
}

#[test]
fn a_replica_behind_a_door_takes_the_place_of_its_master() {
    check_failover(&Options::redis().behind_a_door());
}

#[test]
fn a_killed_node_refuses_connections() {
    let cluster = Cluster::start(1, 0).expect("formed");
    cluster.kill(0).expect("ran");
    assert!(refuses_connections(cluster.node(0).port()));
}

#[test]
fn a_client_is_led_to_a_door_that_is_closed_for_it_alone() {
    let options = Options::redis().user("app on >pw ~* +@all").behind_a_door();
    let cluster = Cluster::start_with(&options, 3, 0).expect("formed");
    let owner = cluster.node(cluster.owner(SLOT).expect("known"));
    let door = owner.door().expect("asked for");
    let mut client = Client::of("app", owner.address());
    door.inflict(Who::user("app"), Fault::Reset);
    assert!(client.is_reset());
    assert_eq!(Client::new(owner.address()).ping().expect("left alone"), "+PONG\r\n");
    assert!(cluster.nodes().iter().all(|node| shown_ports(node).contains(&door.port())));
    door.lift_all();
    assert_eq!(Client::of("app", owner.address()).ping().expect("lifted"), "+PONG\r\n");
}
