//! The certificate of the servers that speak TLS, and the authority that signs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::error::StartError;

/// All servers of one program share them, so that the nodes of a cluster trust each other.
static MATERIAL: LazyLock<Result<Material, rcgen::Error>> = LazyLock::new(Material::generate);

struct Material {
    ca: String,
    certificate: String,
    key: String,
}

/// Where a server's certificate lies.
pub(crate) struct Paths {
    pub(crate) ca: PathBuf,
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Paths {
    pub(crate) fn within(directory: &Path) -> Self {
        Self {
            ca: directory.join("ca.pem"),
            certificate: directory.join("server.pem"),
            key: directory.join("server.key"),
        }
    }

    /// Writes a certificate for 127.0.0.1 and localhost, its key, and the authority that signed it.
    pub(crate) fn fill(&self) -> Result<(), StartError> {
        let material = MATERIAL.as_ref().map_err(|error| StartError::Certificate(error.clone()))?;
        fs::write(&self.ca, &material.ca)
            .and_then(|()| fs::write(&self.certificate, &material.certificate))
            .and_then(|()| fs::write(&self.key, &material.key))
            .map_err(StartError::Files)
    }
}

impl Material {
    fn generate() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.distinguished_name.push(DnType::CommonName, "inval test authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate()?;
        let ca = authority.self_signed(&authority_key)?.pem();

        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let mut server = CertificateParams::new(names)?;
        server.distinguished_name.push(DnType::CommonName, "inval test server");
        server.use_authority_key_identifier_extension = true;
        server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // The nodes of a cluster are each other's clients and show the same certificate.
        server.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        let signed = server.signed_by(&key, &Issuer::new(authority, authority_key))?;
        Ok(Self { ca, certificate: signed.pem(), key: key.serialize_pem() })
    }
}
