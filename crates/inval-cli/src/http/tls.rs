//! TLS of the HTTP interface: what it shows of itself, and whose certificates it asks for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::config::TlsSettings;

/// How long a client may take to agree on keys.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Encrypts connections, by files that can be read again.
pub(crate) struct Tls {
    settings: TlsSettings,
    config: ArcSwap<ServerConfig>,
}

/// Why connections cannot be encrypted.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum TlsError {
    #[error("{field} cannot be read from {}: {error}", .path.display())]
    File { field: &'static str, path: PathBuf, error: io::ErrorKind },
    #[error("{field} must be {wanted} in PEM, which {} is not", .path.display())]
    Pem { field: &'static str, wanted: &'static str, path: PathBuf },
    #[error(
        "http.tls_key is not the key of http.tls_certificate, or of a kind that cannot be used"
    )]
    Pair,
    #[error("http.client_ca holds a certificate that cannot be trusted to sign others")]
    Authority,
}

impl Tls {
    /// Reads what `settings` name.
    pub(crate) fn load(settings: TlsSettings) -> Result<Self, TlsError> {
        let config = ArcSwap::from_pointee(read(&settings)?);
        Ok(Self { settings, config })
    }

    /// Reads the files again, for connections from now on. An error changes nothing.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.config.store(Arc::new(read(&self.settings)?));
        Ok(())
    }

    /// Agrees with a client on keys.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let accepted = TlsAcceptor::from(self.config.load_full()).accept(stream);
        timeout(HANDSHAKE_TIMEOUT, accepted).await.map_err(|_| io::ErrorKind::TimedOut)?
    }
}

fn read(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let certificates = certificates("http.tls_certificate", &settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| error_of_file(&error, "http.tls_key", "a private key", &settings.key))?;
    // The provider is named here, as a process-wide default would be somebody else's choice.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Pair)?;
    let builder = match &settings.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in self::certificates("http.client_ca", path)? {
                roots.add(authority).map_err(|_| TlsError::Authority)?;
            }
            let verifier =
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|_| TlsError::Authority)?)
        }
    };
    let mut config = builder.with_single_cert(certificates, key).map_err(|_| TlsError::Pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates in a file, which has at least one.
fn certificates(
    field: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wanted = "one or more certificates";
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error_of_file(&error, field, wanted, path))?;
    match certificates.is_empty() {
        true => Err(TlsError::Pem { field, wanted, path: path.to_owned() }),
        false => Ok(certificates),
    }
}

fn error_of_file(
    error: &pem::Error,
    field: &'static str,
    wanted: &'static str,
    path: &Path,
) -> TlsError {
    let path = path.to_owned();
    match error {
        pem::Error::Io(error) => TlsError::File { field, path, error: error.kind() },
        _ => TlsError::Pem { field, wanted, path },
    }
}
