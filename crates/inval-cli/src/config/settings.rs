//! All settings, each in its type, and the defaults of those outside the namespaces.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use inval_core::engine::EngineSettings;
use inval_core::pacing::PacingSettings;
use inval_core::{Config, Namespace};
use inval_redis::{
    CacheOptions, ClientCertificate, ConnectOptions, Credentials, KeySecrets, SecretError,
    SecretSource,
};
use inval_replay::ByteSize;

use crate::access::Roles;
use crate::args::Place;

/// What the daemon is to do. Made by [`Settings::parse`], which lets no contradiction through.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Settings {
    /// Where the namespaces are kept.
    pub(crate) store: Place,
    /// User and password for the store's servers.
    pub(crate) store_credentials: Credentials,
    pub(crate) http: HttpSettings,
    pub(crate) access: AccessSettings,
    /// How upkeep is paced, for all namespaces together and by default for each.
    pub(crate) pacing: PacingSettings,
    /// How old statistics may be.
    pub(crate) stats_age: Duration,
    /// How many removals of each namespace are remembered.
    pub(crate) removal_memory: u32,
    /// How long one slice of upkeep may take.
    pub(crate) slice_time: Duration,
    pub(crate) redis: RedisSettings,
    pub(crate) namespaces: BTreeMap<Namespace, NamespaceSettings>,
    /// Where the key secrets of some of them come from.
    pub(crate) key_secrets: BTreeMap<Namespace, KeySecretSources>,
    /// What is allowed but should not be; to be shown to the operator.
    pub(crate) warnings: Vec<Warning>,
}

/// Where requests come in, and what they may ask.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct HttpSettings {
    pub(crate) listen: SocketAddr,
    /// The most bytes a request's body may have.
    pub(crate) max_body: ByteSize,
    pub(crate) request_timeout: Duration,
    /// How long a shutdown waits for requests under way.
    pub(crate) drain_timeout: Duration,
    /// There if and only if `tls_key` is.
    pub(crate) tls_certificate: Option<PathBuf>,
    pub(crate) tls_key: Option<PathBuf>,
    /// Only besides the other two.
    pub(crate) client_ca: Option<PathBuf>,
    /// Whether others than this machine may be served without access control.
    pub(crate) allow_open: bool,
    /// Whether others than this machine may be served in clear text where there are tokens.
    pub(crate) allow_plaintext: bool,
}

/// The files that encryption of the HTTP interface needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TlsSettings {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    /// Those who sign the certificates that clients must show; `None`: they need none.
    pub(crate) client_ca: Option<PathBuf>,
}

impl HttpSettings {
    /// What encryption needs, if the interface is encrypted.
    pub(crate) fn tls(&self) -> Option<TlsSettings> {
        let Self { tls_certificate, tls_key, client_ca, .. } = self.clone();
        let (certificate, key) = tls_certificate.zip(tls_key)?;
        Some(TlsSettings { certificate, key, client_ca })
    }
}

/// Who may do what. Without tokens, everybody everything.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct AccessSettings {
    /// The file of tokens.
    pub(crate) tokens: Option<PathBuf>,
    /// What holders of tokens may be. Empty without tokens.
    pub(crate) roles: Roles,
}

/// How a store on Redis is reached, and how its manager works.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct RedisSettings {
    pub(crate) engine: EngineSettings,
    pub(crate) journal_cap: u64,
    pub(crate) connect_timeout: Duration,
    pub(crate) response_timeout: Duration,
    pub(crate) overall_timeout: Duration,
    pub(crate) connections: u32,
    pub(crate) sentinel_credentials: Option<Credentials>,
    pub(crate) ca_certificate: Option<PathBuf>,
    /// There if and only if `client_key` is.
    pub(crate) client_certificate: Option<PathBuf>,
    pub(crate) client_key: Option<PathBuf>,
}

/// What one namespace is to keep to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct NamespaceSettings {
    pub(crate) config: Config,
    /// Partitions on a server, shards in memory, no more than the limits have room for. `None`: one on a
    /// server, as many as suit in memory.
    pub(crate) partitions: Option<u32>,
    /// Those of [`Settings`] with what is said for this namespace.
    pub(crate) pacing: PacingSettings,
}

/// Where the key secret of a namespace comes from, and the one that it takes the place of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeySecretSources {
    pub(super) current: SecretSource,
    pub(super) old: Option<SecretSource>,
}

impl KeySecretSources {
    /// Reads them. Waits for files.
    pub(crate) fn read(&self) -> Result<KeySecrets, SecretError> {
        let secrets = KeySecrets::new(self.current.read()?);
        Ok(match &self.old {
            Some(old) => secrets.with_old(old.read()?),
            None => secrets,
        })
    }
}

/// What is allowed but should not be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Warning {
    /// The file holds a password.
    PasswordInFile {
        /// The line of `store`.
        line: usize,
    },
}

impl Settings {
    /// How to connect to the store's servers.
    pub(crate) fn connect_options(&self) -> ConnectOptions {
        let redis = self.redis.clone();
        let pair = redis.client_certificate.zip(redis.client_key);
        ConnectOptions {
            connect_timeout: redis.connect_timeout,
            response_timeout: redis.response_timeout,
            overall_timeout: redis.overall_timeout,
            connections: redis.connections,
            credentials: self.store_credentials.clone(),
            sentinel_credentials: redis.sentinel_credentials,
            ca_certificate: redis.ca_certificate,
            client_certificate: pair
                .map(|(certificate, key)| ClientCertificate { certificate, key }),
        }
    }

    /// How to work with a namespace on the store's servers.
    pub(crate) fn cache_options(&self, namespace: &NamespaceSettings) -> CacheOptions {
        CacheOptions {
            partitions: namespace.partitions.unwrap_or(1),
            journal_cap: self.redis.journal_cap,
            engine: self.redis.engine,
        }
    }
}

impl Default for Settings {
    /// What an empty file says.
    fn default() -> Self {
        Self {
            store: Place::Memory,
            store_credentials: Credentials::FromTarget,
            http: HttpSettings::default(),
            access: AccessSettings::default(),
            pacing: PacingSettings::default(),
            stats_age: Duration::from_secs(1),
            removal_memory: 1024,
            slice_time: Duration::from_millis(10),
            redis: RedisSettings::default(),
            namespaces: BTreeMap::new(),
            key_secrets: BTreeMap::new(),
            warnings: Vec::new(),
        }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 7171).into(),
            max_body: ByteSize(8 << 20),
            request_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
            tls_certificate: None,
            tls_key: None,
            client_ca: None,
            allow_open: false,
            allow_plaintext: false,
        }
    }
}

impl Default for RedisSettings {
    /// The defaults of `inval-redis`.
    fn default() -> Self {
        let connect = ConnectOptions::default();
        let cache = CacheOptions::default();
        Self {
            engine: cache.engine,
            journal_cap: cache.journal_cap,
            connect_timeout: connect.connect_timeout,
            response_timeout: connect.response_timeout,
            overall_timeout: connect.overall_timeout,
            connections: connect.connections,
            sentinel_credentials: connect.sentinel_credentials,
            ca_certificate: connect.ca_certificate,
            client_certificate: None,
            client_key: None,
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PasswordInFile { line } => write!(
                f,
                "line {line}: the URL holds user or password; better keep them in a file or the \
                 environment, and name that in store_credentials"
            ),
        }
    }
}
