//! A client that speaks TLS, to see what a server shows to those who trust its authority.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// What a server called `name` answers to a PING, if its certificate holds.
pub(crate) fn ping(address: std::net::SocketAddr, name: &str, authority: &Path) -> String {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).expect("PEM")).expect("a certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a session");
    let mut stream = StreamOwned::new(client, TcpStream::connect(address).expect("listens"));
    stream.write_all(b"PING\r\n").expect("trusted");
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).expect("answered");
    String::from_utf8_lossy(&answer).into_owned()
}
