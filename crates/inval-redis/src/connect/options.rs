//! How to connect: times, number of connections, credentials, certificates.

use std::path::PathBuf;
use std::time::Duration;

use super::credentials::Credentials;

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(3600);
const MOST_CONNECTIONS: u32 = 64;

/// How to connect and how long to wait. A duration below 1 ms or above an hour, and a number of
/// connections outside 1 to 64, counts as the nearest that is allowed.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// How long making a connection may take, with everything until the server lets us in.
    pub connect_timeout: Duration,
    /// How long a reply may take; at most `overall_timeout`.
    pub response_timeout: Duration,
    /// How long one call may take with all its retries and pauses.
    pub overall_timeout: Duration,
    /// Connections to each server. Calls share them, so there is no need for one a call.
    pub connections: u32,
    /// User and password for the servers.
    pub credentials: Credentials,
    /// User and password for the sentinels, if they ask for any.
    pub sentinel_credentials: Option<Credentials>,
    /// A PEM file of certificates to trust besides the public authorities.
    pub ca_certificate: Option<PathBuf>,
    /// What we show to a server that asks for a certificate.
    pub client_certificate: Option<ClientCertificate>,
}

/// PEM files that prove who we are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientCertificate {
    /// The certificate, followed by those that lead to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(1),
            overall_timeout: Duration::from_secs(5),
            connections: 2,
            credentials: Credentials::FromTarget,
            sentinel_credentials: None,
            ca_certificate: None,
            client_certificate: None,
        }
    }
}

impl ConnectOptions {
    /// The same with everything in its range.
    pub(super) fn in_range(mut self) -> Self {
        for time in
            [&mut self.connect_timeout, &mut self.response_timeout, &mut self.overall_timeout]
        {
            *time = (*time).clamp(SHORTEST, LONGEST);
        }
        self.response_timeout = self.response_timeout.min(self.overall_timeout);
        self.connections = self.connections.clamp(1, MOST_CONNECTIONS);
        self
    }
}
