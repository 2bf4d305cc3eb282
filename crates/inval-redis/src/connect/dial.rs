//! Makes connections to one server, wherever it is now, for the pool that keeps them.

use std::io;
use std::sync::Arc;

use bb8::ManageConnection;
use rustls::ClientConfig;
use tokio::time::timeout;

use super::credentials::{Credentials, Login};
use super::endpoint::{Endpoint, open_tcp, open_tls, open_unix};
use super::link::Link;
use super::login::{Role, log_in};
use super::options::ConnectOptions;
use super::sentinel::Sentinels;
use super::target::Target;
use super::tls::client_config;
use crate::error::Error;

/// What all connections of a client have in common.
pub(super) struct Dialling {
    pub(super) options: ConnectOptions,
    tls: Option<Arc<ClientConfig>>,
    login: Option<Login>,
    db: u32,
}

impl Dialling {
    pub(super) fn new(target: &Target, options: ConnectOptions) -> Result<Self, Error> {
        let options = options.in_range();
        let tls = target.is_encrypted.then(|| client_config(&options)).transpose()?;
        Ok(Self { options, tls, login: target.login.clone(), db: target.db })
    }

    async fn connect(&self, endpoint: &Endpoint, role: Role) -> Result<Link, Error> {
        let login = match (role, &self.options.sentinel_credentials) {
            (Role::Sentinel, None) => None,
            (Role::Sentinel, Some(credentials)) => credentials.look_up(None).await?,
            _ => self.credentials().look_up(self.login.as_ref()).await?,
        };
        let mut link = self.open(endpoint).await?;
        let db = if role == Role::Sentinel { 0 } else { self.db };
        log_in(&mut link, login.as_ref(), db, role).await?;
        Ok(link)
    }

    fn credentials(&self) -> &Credentials {
        &self.options.credentials
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<Link, Error> {
        let wait = self.options.response_timeout;
        match (endpoint, &self.tls) {
            (Endpoint::Tcp(address), Some(tls)) => {
                Link::over(open_tls(address, tls).await?, wait).await
            }
            (Endpoint::Tcp(address), None) => Link::over(open_tcp(address).await?, wait).await,
            (Endpoint::Unix(path), _) => Link::over(open_unix(path).await?, wait).await,
        }
    }

    /// A connection to a sentinel.
    pub(super) async fn connect_sentinel(&self, endpoint: &Endpoint) -> Result<Link, Error> {
        self.connect(endpoint, Role::Sentinel).await
    }
}

/// Which server connections are made to.
pub(super) enum Whither {
    Endpoint(Endpoint),
    /// Whatever the sentinels name when the connection is made.
    Primary(Sentinels),
}

/// Makes connections to one server.
pub(super) struct Dialler {
    pub(super) dialling: Arc<Dialling>,
    pub(super) whither: Whither,
}

impl Dialler {
    async fn dial(&self) -> Result<Link, Error> {
        match &self.whither {
            Whither::Endpoint(endpoint) => self.dialling.connect(endpoint, Role::Any).await,
            Whither::Primary(sentinels) => {
                let endpoint = sentinels.primary(&self.dialling).await?;
                self.dialling.connect(&endpoint, Role::Primary).await
            }
        }
    }
}

impl ManageConnection for Dialler {
    type Connection = Link;
    type Error = Error;

    async fn connect(&self) -> Result<Link, Error> {
        timeout(self.dialling.options.connect_timeout, self.dial())
            .await
            .unwrap_or(Err(Error::Unreachable(io::ErrorKind::TimedOut)))
    }

    async fn is_valid(&self, link: &mut Link) -> Result<(), Error> {
        if link.is_broken() { Err(Error::ConnectionLost) } else { Ok(()) }
    }

    fn has_broken(&self, link: &mut Link) -> bool {
        link.is_broken()
    }
}
