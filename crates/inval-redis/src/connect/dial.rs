//! Makes connections to one server, wherever it is now, for the pool that keeps them.

use std::io;
use std::sync::Arc;

use bb8::ManageConnection;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::activity::Tally;
use super::credentials::Login;
use super::endpoint::{Endpoint, open_tcp, open_tls, open_unix};
use super::link::Link;
use super::login::{Entry, Role, log_in};
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
    pub(super) tally: Arc<Tally>,
}

impl Dialling {
    pub(super) fn new(target: &Target, options: ConnectOptions) -> Result<Self, Error> {
        let options = options.in_range();
        let tls = target.is_encrypted.then(|| client_config(&options)).transpose()?;
        let (login, tally) = (target.login.clone(), Arc::new(Tally::new()));
        Ok(Self { options, tls, login, db: target.db, tally })
    }

    async fn connect(&self, endpoint: &Endpoint, role: Role) -> Result<Link, Error> {
        let login = match (role, &self.options.sentinel_credentials) {
            (Role::Sentinel, None) => None,
            (Role::Sentinel, Some(credentials)) => credentials.look_up(None).await?,
            _ => self.options.credentials.look_up(self.login.as_ref()).await?,
        };
        let entry = Entry { login, db: if role == Role::Sentinel { 0 } else { self.db }, role };
        match (endpoint, &self.tls) {
            (Endpoint::Tcp(address), Some(tls)) => {
                self.enter(open_tls(address, tls).await?, entry).await
            }
            (Endpoint::Tcp(address), None) => self.enter(open_tcp(address).await?, entry).await,
            (Endpoint::Unix(path), _) => self.enter(open_unix(path).await?, entry).await,
        }
    }

    async fn enter<S>(&self, mut stream: S, entry: Entry) -> Result<Link, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let instance = log_in(&mut stream, &entry).await?;
        let tally = (entry.role != Role::Sentinel).then(|| Arc::clone(&self.tally));
        Link::over(stream, self.options.response_timeout, instance, tally).await
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
                let mut endpoint = sentinels.primary(&self.dialling).await?;
                loop {
                    let link = self.dialling.connect(&endpoint, Role::Primary).await?;
                    // A server that stood still lets us in when it goes on. By then another may have its place, and
                    // for ten seconds only the sentinels know.
                    let now = sentinels.primary(&self.dialling).await?;
                    if now == endpoint {
                        return Ok(link);
                    }
                    endpoint = now;
                }
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
