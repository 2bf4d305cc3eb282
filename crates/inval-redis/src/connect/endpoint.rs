//! Opens byte streams: TCP, TLS over TCP, or a socket file.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::target::HostPort;
use super::tls::error_of_handshake;
use crate::error::{Error, TlsError};

/// One server's address.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) enum Endpoint {
    Tcp(HostPort),
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
        }
    }
}

/// Connects to the first address of the host that answers.
pub(super) async fn open_tcp(address: &HostPort) -> Result<TcpStream, Error> {
    let addresses = lookup_host((&*address.host, address.port));
    let mut last = Error::Unresolved;
    for address in addresses.await.map_err(|_| Error::Unresolved)? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Requests are written whole, so waiting for more only delays them.
                stream.set_nodelay(true).map_err(|error| unreachable_for(&error))?;
                return Ok(stream);
            }
            Err(error) => last = unreachable_for(&error),
        }
    }
    Err(last)
}

/// Connects, and checks that the certificate is for the address's host.
pub(super) async fn open_tls(
    address: &HostPort,
    config: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, Error> {
    let name = ServerName::try_from(String::from(&*address.host)).map_err(|_| TlsError::WrongName);
    let connector = TlsConnector::from(Arc::clone(config));
    let stream = open_tcp(address).await?;
    connector.connect(name?, stream).await.map_err(|error| error_of_handshake(&error))
}

/// Connects to a socket file.
pub(super) async fn open_unix(path: &PathBuf) -> Result<UnixStream, Error> {
    UnixStream::connect(path).await.map_err(|error| unreachable_for(&error))
}

fn unreachable_for(error: &io::Error) -> Error {
    Error::Unreachable(error.kind())
}
