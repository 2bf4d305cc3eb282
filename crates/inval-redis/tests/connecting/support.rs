//! Clients with short times, commands out of words, and waiting for what must come.

use std::time::Duration;

use inval_redis::{Client, ConnectOptions, Error, Repeat};
use inval_test_servers::{Endpoint, Flavour, Options, Server};
use redis::{Cmd, Value};
use tokio::time::{Instant, sleep};

/// How long a thing that must come may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Times short enough for tests that wait for them to run out.
pub(crate) fn hasty() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: Duration::from_millis(1000),
        response_timeout: Duration::from_millis(300),
        overall_timeout: Duration::from_millis(1500),
        ..ConnectOptions::default()
    }
}

/// Times that outlast a slow machine, for calls that must succeed in the end.
pub(crate) fn patient() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: PATIENCE,
        response_timeout: PATIENCE,
        overall_timeout: PATIENCE,
        ..ConnectOptions::default()
    }
}

pub(crate) async fn try_connect(url: &str, options: ConnectOptions) -> Result<Client, Error> {
    Client::connect(&url.parse().unwrap(), options).await
}

pub(crate) async fn connect(url: &str, options: ConnectOptions) -> Client {
    try_connect(url, options).await.unwrap()
}

/// A command out of words.
pub(crate) fn words(words: &str) -> Cmd {
    let mut words = words.split_whitespace();
    let mut command = redis::cmd(words.next().unwrap());
    words.for_each(|word| {
        command.arg(word);
    });
    command
}

pub(crate) fn bulk(text: &str) -> Value {
    Value::BulkString(text.into())
}

pub(crate) async fn safe(client: &Client, text: impl AsRef<str>) -> Result<Value, Error> {
    client.command(&words(text.as_ref()), Repeat::Safe).await
}

pub(crate) async fn never(client: &Client, text: impl AsRef<str>) -> Result<Value, Error> {
    client.command(&words(text.as_ref()), Repeat::Never).await
}

/// What a command says to an administrator, as text.
pub(crate) fn admin(server: &Server, text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    let reply = server.command(&words).unwrap();
    reply.text().map_or_else(|| format!("{reply:?}"), str::to_owned)
}

/// Waits until `probe` is true.
pub(crate) async fn eventually(what: &str, mut probe: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !probe() {
        assert!(Instant::now() < deadline, "{what} did not come");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Sends a command until it succeeds. Whatever it says until then must be worth repeating.
pub(crate) async fn until_it_succeeds(client: &Client, text: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match safe(client, text).await {
            Ok(value) => return value,
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
        assert!(Instant::now() < deadline, "{text} did not succeed");
    }
}

/// One server of each kind that is here, with what it takes to connect to it.
pub(crate) fn each_kind() -> Vec<(Server, ConnectOptions)> {
    let mut options = vec![
        Options::redis(),
        Options::redis().endpoint(Endpoint::Unix),
        Options::redis().endpoint(Endpoint::Tls),
    ];
    if Flavour::Valkey.is_available() {
        options.push(Options::valkey());
    }
    let started = options.into_iter().map(|options| {
        let server = Server::start(options).unwrap();
        let connect = ConnectOptions { ca_certificate: server.ca_certificate(), ..patient() };
        (server, connect)
    });
    started.collect()
}
