//! Doors that do no harm.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use inval_test_servers::{Door, Fault, Options, Server, Who};

use crate::support::client::Client;
use crate::support::patience::{eventually, refuses_connections};

#[test]
fn bytes_pass_unchanged_and_connections_are_counted() {
    let server = Server::redis().expect("started");
    let door = Door::before(server.address()).expect("open");
    assert_ne!(door.port(), server.port());
    let mut clients: Vec<Client> = (0..8).map(|_| Client::new(door.address())).collect();
    for client in &mut clients {
        assert_eq!(client.ping().expect("answered"), "+PONG\r\n");
    }
    assert_eq!((door.connections(), door.inflicted()), (8, 0));
    drop(clients);
    eventually("all are closed", || door.connections() == 0);
}

#[test]
fn much_passes_both_ways_at_once() {
    const BYTES: usize = 20_000_000;
    let listener = TcpListener::bind("127.0.0.1:0").expect("free");
    let door = Door::before(listener.local_addr().expect("bound")).expect("open");
    let echo = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut back = stream.try_clone().expect("open");
        std::io::copy(&mut stream, &mut back).expect("open")
    });
    let mut client = TcpStream::connect(door.address()).expect("listens");
    let mut sender = client.try_clone().expect("open");
    let sent: Vec<u8> = (0..BYTES).map(|number| (number % 251) as u8).collect();
    let mut heard = vec![0; BYTES];
    thread::scope(|scope| {
        scope.spawn(|| {
            sender.write_all(&sent).expect("open");
            sender.shutdown(std::net::Shutdown::Write).expect("open");
        });
        client.read_exact(&mut heard).expect("open");
    });
    assert!(heard == sent);
    assert_eq!(echo.join().expect("no panic"), BYTES as u64);
}

#[test]
fn where_the_server_refuses_connections_are_closed() {
    let server = Server::redis().expect("started");
    let door = Door::before(server.address()).expect("open");
    let mut early = Client::new(door.address());
    assert_eq!(early.ping().expect("answered"), "+PONG\r\n");
    server.kill().expect("ran");
    assert!(early.is_cut());
    assert!(Client::new(door.address()).is_cut());
    server.restart().expect("started again");
    assert_eq!(Client::new(door.address()).ping().expect("answered"), "+PONG\r\n");
}

#[test]
fn a_door_that_is_dropped_closes_its_port_and_connections() {
    let server = Server::redis().expect("started");
    let door = Door::before(server.address()).expect("open");
    let mut client = Client::new(door.address());
    client.ping().expect("answered");
    let port = door.port();
    drop(door);
    // A process that another test is just starting may have the port open until its program begins.
    eventually("the port refuses connections", || refuses_connections(port));
    assert!(client.is_cut());
    eventually("the server has none either", || {
        let clients = server.info("clients").expect("runs");
        clients["connected_clients"] == "1"
    });
}

#[test]
fn a_server_behind_a_door_shows_the_door_alone() {
    let server = Server::start(Options::redis().behind_a_door()).expect("started");
    let door = server.door().expect("asked for");
    assert_eq!((server.port(), server.address()), (door.port(), door.address()));
    assert_eq!(server.url(), format!("redis://{}", door.address()));
    let mut client = Client::new(server.address());
    assert_eq!(client.ping().expect("answered"), "+PONG\r\n");

    door.inflict(Who::All, Fault::Stall);
    client.send("PING\r\n");
    assert!(client.hears_nothing());
    // Neither an administrator nor a start goes through the door.
    server.restart().expect("started again");
    assert_eq!(server.command(&["PING"]).expect("runs").text(), Some("PONG"));
    assert_eq!(server.port(), door.port());
    assert!(Server::redis().expect("started").door().is_none());
}
