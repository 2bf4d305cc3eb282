//! What we trust and show in TLS. There is no way to switch verification off.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::options::{ClientCertificate, ConnectOptions};
use crate::error::{Error, TlsError};

/// Trusts the public authorities and those of `ca_certificate`.
pub(super) fn client_config(options: &ConnectOptions) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = &options.ca_certificate {
        for certificate in read_certificates(path)? {
            roots.add(certificate).map_err(|_| TlsError::Pem)?;
        }
    }
    // The provider is named here, as a process-wide default would be somebody else's choice.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsError::Handshake)?
        .with_root_certificates(roots);
    Ok(Arc::new(match &options.client_certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key }) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| error_of_file(&error))?;
            builder
                .with_client_auth_cert(read_certificates(certificate)?, key)
                .map_err(|_| TlsError::Pem)?
        }
    }))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| error_of_file(&error))?;
    if certificates.is_empty() { Err(TlsError::Pem) } else { Ok(certificates) }
}

fn error_of_file(error: &pem::Error) -> TlsError {
    match error {
        pem::Error::Io(error) => TlsError::File(error.kind()),
        _ => TlsError::Pem,
    }
}

/// What went wrong while the connection was being encrypted.
pub(super) fn error_of_handshake(error: &io::Error) -> Error {
    match cause(error) {
        Some(rustls::Error::InvalidCertificate(reason)) => error_of_certificate(reason).into(),
        Some(error) if wants_our_certificate(error) => TlsError::ClientCertificate.into(),
        Some(_) => TlsError::Handshake.into(),
        // A server that speaks no TLS hangs up on what it cannot read.
        None if error.kind() == io::ErrorKind::UnexpectedEof => TlsError::Handshake.into(),
        None => Error::Unreachable(error.kind()),
    }
}

/// Under TLS 1.3 a server refuses our certificate after the handshake is done on our side, with the
/// first reply.
pub(super) fn refuses_our_certificate(error: &io::Error) -> bool {
    cause(error).is_some_and(wants_our_certificate)
}

fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

fn wants_our_certificate(error: &rustls::Error) -> bool {
    use AlertDescription::*;
    matches!(
        error,
        rustls::Error::AlertReceived(
            CertificateRequired | BadCertificate | UnknownCA | CertificateExpired | AccessDenied
        )
    )
}

fn error_of_certificate(reason: &CertificateError) -> TlsError {
    use CertificateError::*;
    match reason {
        UnknownIssuer => TlsError::Untrusted,
        NotValidForName | NotValidForNameContext { .. } => TlsError::WrongName,
        Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
            TlsError::OutOfDate
        }
        _ => TlsError::BadCertificate,
    }
}
