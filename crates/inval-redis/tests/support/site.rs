//! Namespaces to test with: each its own, most of them on one server that all tests of a program share.
#![allow(dead_code, reason = "each test crate that takes this module in uses a part of it")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use inval_core::engine::EngineSettings;
use inval_core::keyspace::{Keyspace, partition_of};
use inval_core::{Config, ConfigBuilder, Key, Namespace};
use inval_redis::{Cache, CacheOptions, Client, ConnectOptions, OpenError};
use inval_test_servers::{Connection, Flavour, Options, Reply, Server};

/// Gone with the last test that uses it, and started again for the next.
static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static SHARED_VALKEY: Mutex<Weak<Server>> = Mutex::new(Weak::new());

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A server for tests that disturb nobody.
pub(crate) fn world() -> Arc<Server> {
    shared(&SHARED, Options::redis())
}

/// The same of Valkey; `None` if it is not installed.
pub(crate) fn valkey_world() -> Option<Arc<Server>> {
    Flavour::Valkey.is_available().then(|| shared(&SHARED_VALKEY, Options::valkey()))
}

fn shared(place: &Mutex<Weak<Server>>, options: Options) -> Arc<Server> {
    let mut place = place.lock().unwrap();
    place.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Server::start(options).unwrap());
        *place = Arc::downgrade(&server);
        server
    })
}

/// A server of a test's own, with settings as its command line takes them.
pub(crate) fn own_server(args: &[&str]) -> Arc<Server> {
    Arc::new(Server::with_args(args).unwrap())
}

/// A namespace on a server, and what its clients agree on.
#[derive(Clone)]
pub(crate) struct Site {
    server: Option<Arc<Server>>,
    pub(crate) namespace: Namespace,
    pub(crate) config: Config,
    pub(crate) options: CacheOptions,
    pub(crate) connect: ConnectOptions,
    pub(crate) url: String,
}

impl Site {
    pub(crate) fn new(server: Arc<Server>, config: ConfigBuilder) -> Self {
        Self { server: Some(Arc::clone(&server)), ..Self::at(server.url(), config) }
    }

    /// A namespace on several servers.
    pub(crate) fn at(url: String, config: ConfigBuilder) -> Self {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        Self {
            server: None,
            url,
            namespace: format!("n{number}").parse().unwrap(),
            config: config.build().unwrap(),
            options: CacheOptions { engine: hasty(), ..CacheOptions::default() },
            connect: patient(),
        }
    }

    pub(crate) fn shared(config: ConfigBuilder) -> Self {
        Self::new(world(), config)
    }

    /// The one server.
    pub(crate) fn server(&self) -> &Arc<Server> {
        self.server.as_ref().unwrap()
    }

    /// The same with other options.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut CacheOptions)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.url.parse().unwrap(), self.connect.clone()).await.unwrap()
    }

    /// One more process, as far as the server can tell.
    pub(crate) async fn open(&self) -> Cache {
        self.try_open().await.unwrap()
    }

    pub(crate) async fn try_open(&self) -> Result<Cache, OpenError> {
        Cache::open(self.client().await, self.namespace.clone(), self.config, self.options).await
    }

    /// One more process that takes the namespace as it is.
    pub(crate) async fn try_attach(&self) -> Result<Cache, OpenError> {
        let (client, namespace) = (self.client().await, self.namespace.clone());
        Cache::attach(client, namespace, self.options.engine).await
    }

    /// What is on the server as the namespace's configuration.
    pub(crate) fn config_text(&self) -> Option<String> {
        self.foreign(&["GET", &Keyspace::config(&self.namespace)]).text().map(str::to_owned)
    }

    /// Writes it as somebody would who does not use this library.
    pub(crate) fn set_config_text(&self, text: &str) {
        self.foreign(&["SET", &Keyspace::config(&self.namespace), text]);
    }

    /// The names of the partition that `key` belongs to.
    pub(crate) fn names_of(&self, key: &str) -> Keyspace {
        let key = Key::new(key.as_bytes()).unwrap();
        Keyspace::new(&self.namespace, partition_of(&key, self.options.partitions))
    }

    /// The names of the first partition.
    pub(crate) fn names(&self) -> Keyspace {
        Keyspace::new(&self.namespace, 0)
    }

    /// Where the value of `key` is kept.
    pub(crate) fn entry(&self, key: &str) -> Vec<u8> {
        self.names_of(key).entry(key.as_bytes())
    }

    /// What the server answers to somebody who does not use this library.
    pub(crate) fn foreign<A: AsRef<[u8]>>(&self, args: &[A]) -> Reply {
        self.server().command(args).unwrap()
    }

    /// The same about the value of `key`, whose name follows the first word.
    pub(crate) fn foreign_of(&self, command: &str, key: &str, args: &[&str]) -> Reply {
        let mut words = vec![command.as_bytes().to_vec(), self.entry(key)];
        words.extend(args.iter().map(|arg| arg.as_bytes().to_vec()));
        self.foreign(&words)
    }

    /// Whether the value of `key` is there, by a look that leaves no trace.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.foreign_of("EXISTS", key, &[]) == Reply::Int(1)
    }

    pub(crate) fn connection(&self) -> Connection {
        self.server().connect().unwrap()
    }

    pub(crate) fn has_lease(&self) -> bool {
        self.foreign(&["EXISTS", self.names().lease()]) == Reply::Int(1)
    }

    pub(crate) fn journal_len(&self) -> i64 {
        self.foreign(&["LLEN", self.names().journal()]).int().unwrap()
    }
}

/// A manager that loses no time, so that tests do not either.
pub(crate) fn hasty() -> EngineSettings {
    EngineSettings {
        lease: Duration::from_secs(2),
        drain_interval: Duration::from_millis(2),
        idle_interval: Duration::from_millis(20),
        retry_interval: Duration::from_millis(10),
        scrub_interval: Duration::from_millis(20),
        ..EngineSettings::default()
    }
}

/// Replies may take long on a machine that is busy with other tests.
pub(crate) fn patient() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: Duration::from_secs(10),
        response_timeout: Duration::from_secs(10),
        overall_timeout: Duration::from_secs(15),
        ..ConnectOptions::default()
    }
}

/// So much room that nothing is evicted.
pub(crate) fn roomy() -> ConfigBuilder {
    limited(1_000_000)
}

pub(crate) fn limited(entries: u64) -> ConfigBuilder {
    Config::builder().max_entries(entries)
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(name.as_bytes()).unwrap()
}
