//! Getting in: addresses, credentials, certificates, databases, and who is turned away.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use inval_redis::{
    AuthenticationError, ClientCertificate, ConnectOptions, Credentials, CredentialsError, Error,
    Repeat, Target, TlsError,
};
use inval_test_servers::{Endpoint, Options, Server};
use redis::Value;

use super::support::{admin, bulk, connect, hasty, patient, safe, try_connect, words};

const APP: &str = "app on >hunter2 ~app:* +@all";

fn with_user(server: &Server, user: &str) -> String {
    server.url().replacen("://", &format!("://{user}@"), 1)
}

#[tokio::test]
async fn users_are_let_in_with_the_right_password_alone() {
    let server = Server::start(Options::redis().password("s3cr%t").user(APP)).unwrap();
    let check = async |user: &str, want: Option<AuthenticationError>| {
        let url = with_user(&server, user).replace("://@", "://");
        let got = try_connect(&url, hasty()).await.map(|_| ());
        assert_eq!(got, want.map_or(Ok(()), |error| Err(error.into())));
    };
    check(":s3cr%25t", None).await;
    check("default:s3cr%25t", None).await;
    check("app:hunter2", None).await;
    check("app:s3cr%25t", Some(AuthenticationError::Rejected)).await;
    check("nobody:hunter2", Some(AuthenticationError::Rejected)).await;
    check(":hunter2", Some(AuthenticationError::Rejected)).await;
    check("", Some(AuthenticationError::Missing)).await;
}

#[tokio::test]
async fn a_password_that_nobody_asked_for_is_an_error() {
    let server = Server::redis().unwrap();
    let got = try_connect(&with_user(&server, ":hunter2"), hasty()).await;
    assert_eq!(got.map(|_| ()), Err(AuthenticationError::Rejected.into()));
}

#[tokio::test]
async fn what_a_user_may_not_do_is_told() {
    let server = Server::start(Options::redis().user("app on >hunter2 ~app:* +get")).unwrap();
    let client = connect(&with_user(&server, "app:hunter2"), patient()).await;
    assert_eq!(safe(&client, "GET app:a").await, Ok(Value::Nil));
    assert_eq!(safe(&client, "GET other").await, Err(Error::Permission));
    assert_eq!(safe(&client, "SET app:a x").await, Err(Error::Permission));
    let mut commands = redis::pipe();
    commands.atomic().add_command(words("GET app:a"));
    assert_eq!(client.pipeline(&commands, Repeat::Safe).await, Err(Error::Permission));
}

#[tokio::test]
async fn credentials_come_from_where_the_options_say() {
    let server = Server::start(Options::redis().password("closed").user(APP)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("login");
    let check = async |credentials: Credentials, want: Option<Error>| {
        let options = ConnectOptions { credentials, ..hasty() };
        let got = try_connect(&server.url(), options).await.map(|_| ());
        assert_eq!(got, want.map_or(Ok(()), Err));
    };
    let given = |user: &str, password: &str| Credentials::Given {
        user: Some(user.to_owned()),
        password: password.to_owned(),
    };
    check(given("app", "hunter2"), None).await;
    check(given("app", "wrong"), Some(AuthenticationError::Rejected.into())).await;
    check(Credentials::Environment, Some(CredentialsError::Environment.into())).await;
    let missing = CredentialsError::File(std::io::ErrorKind::NotFound);
    check(Credentials::File(file.clone()), Some(missing.into())).await;
    fs::write(&file, "app\nhunter2\n").unwrap();
    check(Credentials::File(file.clone()), None).await;
    fs::write(&file, "closed").unwrap();
    check(Credentials::File(file.clone()), None).await;
    fs::write(&file, "\n\n\n").unwrap();
    check(Credentials::File(file), Some(CredentialsError::Form.into())).await;
}

#[tokio::test]
async fn a_rotated_password_is_taken_up_with_the_next_connection() {
    let server = Server::start(Options::redis().password("closed").user(APP)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("login");
    fs::write(&file, "app\nhunter2").unwrap();
    let credentials = Credentials::File(file.clone());
    let client = connect(&server.url(), ConnectOptions { credentials, ..patient() }).await;
    assert_eq!(safe(&client, "SET app:a x").await, Ok(Value::Okay));

    admin(&server, "ACL SETUSER app resetpass >hunter3");
    fs::write(&file, "app\nhunter3").unwrap();
    admin(&server, "CLIENT KILL USER app");
    assert_eq!(safe(&client, "GET app:a").await, Ok(bulk("x")));
}

#[tokio::test]
async fn no_error_and_no_debug_text_shows_a_user_or_a_password() {
    let server = Server::start(Options::redis().user(APP)).unwrap();
    let url = with_user(&server, "app:hunter2");
    let target: Target = url.parse().unwrap();
    let credentials =
        Credentials::Given { user: Some("app".to_owned()), password: "hunter2".to_owned() };
    let options = ConnectOptions { credentials, ..hasty() };
    let mut shown = format!("{target} {target:?} {options:?}");
    let client = connect(&url, options).await;
    shown += &format!("{client:?}");
    for command in ["AUTH app hunter2x", "GET hunter2", "hunter2", "SET app:hunter2"] {
        let error = safe(&client, command).await.unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    let wrong = try_connect(&with_user(&server, "app:hunter2x"), hasty()).await.unwrap_err();
    shown += &format!("{wrong} {wrong:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("app"), "{shown}");
}

#[tokio::test]
async fn the_target_names_the_database() {
    let server = Server::redis().unwrap();
    let client = connect(&format!("{}/3", server.url()), patient()).await;
    assert_eq!(safe(&client, "SET a x").await, Ok(Value::Okay));
    let mut administrator = server.connect().unwrap();
    administrator.command(&["SELECT", "3"]).unwrap();
    assert_eq!(administrator.command(&["GET", "a"]).unwrap().text(), Some("x"));

    let missing = try_connect(&format!("{}/99", server.url()), hasty()).await;
    assert_eq!(missing.map(|_| ()), Err(Error::Database));
}

#[tokio::test]
async fn a_server_that_takes_no_more_clients_says_so() {
    let server = Server::redis().unwrap();
    let mut administrator = server.connect().unwrap();
    administrator.command(&["CONFIG", "SET", "maxclients", "1"]).unwrap();
    let refused = try_connect(&server.url(), hasty()).await;
    assert_eq!(refused.map(|_| ()), Err(Error::TooManyClients));
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_waited_for() {
    use std::io::ErrorKind::{ConnectionRefused, NotFound};
    let server = Server::redis().unwrap();
    server.kill().unwrap();
    let check = async |url: &str, want: Error| {
        assert_eq!(try_connect(url, patient()).await.map(|_| ()), Err(want), "{url}");
    };
    check(&server.url(), Error::Unreachable(ConnectionRefused)).await;
    check("unix:///nowhere/redis.sock", Error::Unreachable(NotFound)).await;
    check("redis://a..b", Error::Unresolved).await;
}

/// Listens, takes one client, and sends it `greeting` without a look at what it says.
fn stranger(greeting: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            client.write_all(greeting).unwrap();
            let mut rest = Vec::new();
            let _ = client.read_to_end(&mut rest);
        }
    });
    address.to_string()
}

#[tokio::test]
async fn a_stranger_in_the_servers_place_is_told_apart() {
    let silent = stranger(b"");
    let timed_out = Err(Error::Unreachable(std::io::ErrorKind::TimedOut));
    for scheme in ["redis", "rediss", "redis+cluster"] {
        let got = try_connect(&format!("{scheme}://{silent}"), hasty()).await;
        assert_eq!(got.map(|_| ()), timed_out, "{scheme}");
    }
    let web = stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let got = try_connect(&format!("redis://{web}"), hasty()).await;
    assert_eq!(got.map(|_| ()), Err(Error::Protocol));
    let got = try_connect(&format!("rediss://{web}"), hasty()).await;
    assert_eq!(got.map(|_| ()), Err(TlsError::Handshake.into()));
}

#[tokio::test]
async fn a_server_is_trusted_for_its_certificate_alone() {
    let server = Server::with_tls().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let ca = server.ca_certificate();
    let check = async |url: &str, ca: Option<_>, want: Option<TlsError>| {
        let options = ConnectOptions { ca_certificate: ca, ..hasty() };
        let got = try_connect(url, options).await.map(|_| ());
        assert_eq!(got, want.map_or(Ok(()), |error| Err(error.into())), "{url}");
    };
    let url = server.url();
    check(&url, ca.clone(), None).await;
    check(&url.replace("127.0.0.1", "localhost"), ca.clone(), None).await;
    check(&url, None, Some(TlsError::Untrusted)).await;
    // Another way to write 127.0.0.1, which stands in no certificate.
    check(&url.replace("127.0.0.1", "127.1"), ca, Some(TlsError::WrongName)).await;
    let missing = directory.path().join("missing.pem");
    check(&url, Some(missing), Some(TlsError::File(std::io::ErrorKind::NotFound))).await;
    check(&url, Some(empty), Some(TlsError::Pem)).await;
    let plain = try_connect(&url.replace("rediss:", "redis:"), hasty()).await;
    assert!(matches!(plain, Err(Error::Unreachable(_))), "{plain:?}");
}

#[tokio::test]
async fn a_server_that_asks_for_our_certificate_gets_it() {
    let options = Options::redis().endpoint(Endpoint::Tls).args(["--tls-auth-clients", "yes"]);
    let server = Server::start(options).unwrap();
    let without = ConnectOptions { ca_certificate: server.ca_certificate(), ..hasty() };
    let refused = try_connect(&server.url(), without.clone()).await;
    assert_eq!(refused.map(|_| ()), Err(TlsError::ClientCertificate.into()));

    // Its own is signed by the authority that it trusts, and good for clients too.
    let own = ClientCertificate {
        certificate: server.directory().join("server.pem"),
        key: server.directory().join("server.key"),
    };
    let with = ConnectOptions { client_certificate: Some(own), ..without };
    let client = connect(&server.url(), with).await;
    assert_eq!(safe(&client, "SET a x").await, Ok(Value::Okay));
}
