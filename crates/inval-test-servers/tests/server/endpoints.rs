//! Where clients reach a server, and what they find there.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use inval_test_servers::{Endpoint, Flavour, Options, Server};

use crate::support::tls;

/// What a client without TLS gets for a PING.
fn plain_ping(mut stream: impl Read + Write) -> String {
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").expect("connected");
    match stream.read_exact(&mut answer) {
        Ok(()) => String::from_utf8_lossy(&answer).into_owned(),
        Err(_) => "nothing".to_owned(),
    }
}

fn tcp(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).expect("listens");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("not zero");
    stream
}

fn check(options: Options, version: &str) {
    let server = Server::start(options).expect("started");
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}", server.port()));
    assert_eq!(plain_ping(tcp(&server)), "+PONG\r\n");
    assert_eq!(server.ca_certificate(), None);
    assert!(server.info("server").expect("answers").contains_key(version));
}

#[test]
fn a_redis_listens_on_a_plain_port() {
    check(Options::redis(), "redis_version");
}

#[test]
fn a_valkey_listens_on_a_plain_port_where_it_is_installed() {
    match Server::valkey() {
        Some(server) => drop(server.expect("started")),
        None => return,
    }
    assert!(Flavour::Valkey.is_available());
    check(Options::valkey(), "valkey_version");
}

#[test]
fn a_unix_socket_is_where_the_url_says() {
    let server = Server::start(Options::redis().endpoint(Endpoint::Unix)).expect("started");
    let url = server.url();
    let path = url.strip_prefix("redis+unix://").expect("a socket");
    assert_eq!(plain_ping(UnixStream::connect(path).expect("listens")), "+PONG\r\n");
}

#[test]
fn over_tls_the_certificate_holds_for_both_names_and_plain_clients_get_nothing() {
    let server = Server::with_tls().expect("started");
    assert_eq!(server.url(), format!("rediss://127.0.0.1:{}", server.port()));
    let authority = server.ca_certificate().expect("TLS");
    for name in ["127.0.0.1", "localhost"] {
        assert_eq!(tls::ping(server.address(), name, &authority), "+PONG\r\n");
    }
    assert_eq!(plain_ping(tcp(&server)), "nothing");
}

#[test]
fn settings_reach_the_server() {
    let server = Server::with_args(&["--maxmemory-policy", "allkeys-lfu"]).expect("started");
    let reply = server.command(&["CONFIG", "GET", "maxmemory-policy"]).expect("answers");
    assert_eq!(reply.items()[1].text(), Some("allkeys-lfu"));
}
