//! What each fault does to a client of a real server, and does not do to others.

use std::thread;
use std::time::{Duration, Instant};

use inval_test_servers::{Door, Fault, Options, Server, Who};

use crate::support::client::{Client, login};
use crate::support::patience::eventually;

const SET: &str = "SET key 1\r\n";
const TOLD: &str = "+OK\r\n";

/// A server with the users `app` and `other`, and a door.
fn house() -> (Server, Door) {
    let rights = "on >pw ~* +@all";
    let options = Options::redis().user(&format!("app {rights}")).user(&format!("other {rights}"));
    let server = Server::start(options).expect("started");
    let door = Door::before(server.address()).expect("open");
    (server, door)
}

fn has_key(server: &Server) -> bool {
    server.command(&["EXISTS", "key"]).expect("runs").int() == Some(1)
}

fn length(text: &str) -> u64 {
    text.len() as u64
}

/// What a fault does to a client that had logged in before, to one that has not, to none of another user.
fn check(fault: Fault, outcome: impl Fn(&Server, &Door, Client)) {
    for who in [Who::All, Who::user("app")] {
        let (server, door) = house();
        let client = Client::of("app", door.address());
        let mut other = Client::of("other", door.address());
        door.inflict(who.clone(), fault);
        if who != Who::All {
            assert_eq!(other.ping().expect("left alone"), "+PONG\r\n", "{fault:?}");
            assert_eq!(Client::new(door.address()).ping().expect("left alone"), "+PONG\r\n");
        }
        outcome(&server, &door, client);
        assert!(door.inflicted() > 0, "{fault:?}");
        door.lift(&who);
        let mut after = Client::of("app", door.address());
        assert_eq!(after.ping().expect("lifted"), "+PONG\r\n", "{fault:?}");
    }
}

#[test]
fn a_delay_takes_its_time_both_ways() {
    let delay = Duration::from_millis(40);
    check(Fault::Delay(delay), |_, _, mut client| {
        let before = Instant::now();
        assert_eq!(client.ping().expect("answered"), "+PONG\r\n");
        assert!(before.elapsed() >= 2 * delay);
    });
}

#[test]
fn what_is_stalled_arrives_in_order_when_that_is_lifted() {
    check(Fault::Stall, |server, door, mut client| {
        client.send(SET);
        assert!(client.hears_nothing() && !has_key(server));
        client.send("INCR key\r\nINCR key\r\n");
        assert!(client.hears_nothing() && !has_key(server));
        door.lift_all();
        assert_eq!(client.hear(13).expect("answered"), "+OK\r\n:2\r\n:3\r\n");
    });
}

#[test]
fn connections_that_come_while_all_is_stalled_hang() {
    let (server, door) = house();
    door.inflict(Who::All, Fault::Stall);
    let mut late = Client::new(door.address());
    late.send(SET);
    assert!(late.hears_nothing() && !has_key(&server));
    assert_eq!((door.connections(), door.inflicted()), (1, 1));
    door.lift(&Who::All);
    assert_eq!(late.hear(5).expect("answered"), TOLD);
}

#[test]
fn answers_are_held_back_while_requests_pass() {
    check(Fault::StallAnswers, |server, door, mut client| {
        client.send(SET);
        eventually("it is carried out", || has_key(server));
        assert!(client.hears_nothing());
        door.lift_all();
        assert_eq!(client.hear(5).expect("answered"), TOLD);
    });
}

#[test]
fn a_command_that_is_cut_is_not_carried_out() {
    check(Fault::CutAfter(length(SET) - 1), |server, _, mut client| {
        client.send(SET);
        assert!(client.is_cut() && !has_key(server));
    });
}

#[test]
fn bytes_up_to_the_cut_are_passed_on() {
    let all_of_it = length(SET);
    check(Fault::CutAfter(all_of_it), |server, _, mut client| {
        client.send(&SET[..4]);
        client.send(&SET[4..]);
        eventually("it is carried out", || has_key(server));
        // Its answer may have been faster than the end.
        let heard = client.hear(all_of_it).unwrap_or_default();
        assert!(heard.is_empty() || heard == TOLD);
    });
}

#[test]
fn an_answer_that_is_cut_is_of_a_request_that_was_carried_out() {
    check(Fault::CutAnswersAfter(2), |server, _, mut client| {
        client.send(SET);
        assert_eq!(client.hear(5).expect("closed"), TOLD[..2]);
        assert!(has_key(server));
    });
    check(Fault::CutAnswersAfter(0), |server, _, mut client| {
        client.send(SET);
        assert!(client.is_cut() && has_key(server));
    });
}

#[test]
fn each_connection_is_cut_by_its_own_count() {
    let (_server, door) = house();
    let mut first = Client::of("app", door.address());
    door.inflict(Who::All, Fault::CutAfter(8));
    assert_eq!(first.ping().expect("answered"), "+PONG\r\n");
    let mut second = Client::new(door.address());
    assert_eq!(second.ping().expect("answered"), "+PONG\r\n");
    for client in [&mut first, &mut second] {
        client.send("PING\r\n");
        assert!(client.is_cut());
    }
    assert_eq!(door.inflicted(), 2);
    let mut third = Client::new(door.address());
    assert_eq!(third.ping().expect("answered"), "+PONG\r\n");
    door.inflict(Who::All, Fault::CutAfter(8));
    assert_eq!(third.ping().expect("counted anew"), "+PONG\r\n");
}

#[test]
fn a_reset_ends_connections_at_once() {
    check(Fault::Reset, |_, door, mut client| {
        assert!(client.is_reset());
        let mut late = Client::new(door.address());
        assert!(late.try_send(&login("app")).is_err() || late.is_reset());
    });
}

#[test]
fn what_is_throttled_arrives_a_little_at_a_time() {
    check(Fault::Throttle(1000), |server, _, mut client| {
        let value = "x".repeat(200);
        let before = Instant::now();
        client.send(&format!("SET key {value}\r\n"));
        assert_eq!(client.hear(5).expect("answered"), TOLD);
        // The first slice passes at once.
        assert!(before.elapsed() >= Duration::from_millis(180));
        assert_eq!(server.command(&["GET", "key"]).expect("runs").text(), Some(value.as_str()));
    });
}

#[test]
fn a_door_is_dropped_while_it_does_harm() {
    for fault in [Fault::Stall, Fault::StallAnswers, Fault::Delay(Duration::MAX / 4)] {
        let (_server, door) = house();
        let mut clients: Vec<Client> = (0..4).map(|_| Client::of("app", door.address())).collect();
        door.inflict(Who::All, fault);
        clients.push(Client::new(door.address()));
        clients.iter_mut().for_each(|client| client.send(SET));
        eventually("all is held back", || door.inflicted() >= 4);
        drop(door);
        assert!(clients.iter_mut().all(Client::is_cut), "{fault:?}");
    }
}

#[test]
fn a_reset_reaches_those_to_whom_nobody_listens() {
    let (server, door) = house();
    server.pause().expect("runs");
    let mut client = Client::new(door.address());
    let flood = thread::spawn(move || {
        // More than all buffers on the way hold: the door's own writing has come to a stand.
        while client.try_send(&"SET key 1\r\n".repeat(10_000)).is_ok() {}
    });
    eventually("it is on its way", || door.connections() == 1);
    door.inflict(Who::All, Fault::Reset);
    flood.join().expect("the client hears of it");
    eventually("none is left", || door.connections() == 0);
}
