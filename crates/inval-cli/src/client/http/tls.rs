//! Whom we trust, and what we show, where a daemon is reached by https.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::args::DaemonTls;
use crate::client::ClientError;

/// Trusts the public authorities, or only those in the file that is named.
pub(super) fn config(files: &DaemonTls) -> Result<TlsConfig, ClientError> {
    let mut config = TlsConfig::builder();
    if let Some(path) = &files.daemon_ca {
        config = config.root_certs(RootCerts::Specific(Arc::new(certificates(path)?)));
    }
    if let Some((certificate, key)) =
        files.daemon_certificate.as_ref().zip(files.daemon_key.as_ref())
    {
        let chain = certificates(certificate)?;
        let key = PrivateKey::from_pem(&read(key)?).map_err(|_| not_pem(key))?;
        config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
    }
    Ok(config.build())
}

/// The certificates in a file, which has at least one.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let text = read(path)?;
    let certificate = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
        Ok(_) => None,
        Err(_) => Some(Err(not_pem(path))),
    };
    let certificates: Vec<_> =
        parse_pem(&text).filter_map(certificate).collect::<Result<_, _>>()?;
    if certificates.is_empty() { Err(not_pem(path)) } else { Ok(certificates) }
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    fs::read(path).map_err(|error| ClientError::File { path: path.to_owned(), error })
}

fn not_pem(path: &Path) -> ClientError {
    ClientError::Pem(PathBuf::from(path))
}
