//! The HTTP interface behind TLS, and clients that must show a certificate.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tempfile::TempDir;

use super::daemon::{Daemon, until};

/// An authority that signs certificates into a directory.
struct Authority(Issuer<'static, KeyPair>);

impl Authority {
    fn new(file: &Path) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        fs::write(file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self(Issuer::new(params, key))
    }

    /// Writes `NAME.pem` and `NAME.key`, good for a server here and for a client.
    fn sign(&self, directory: &Path, name: &str) {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(directory.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A directory with an authority, a server's certificate and a client's, and settings that use them.
struct Files(TempDir);

impl Files {
    fn new() -> (Self, Authority) {
        let directory = TempDir::new().unwrap();
        let authority = Authority::new(&directory.path().join("ca.pem"));
        authority.sign(directory.path(), "server");
        authority.sign(directory.path(), "client");
        (Self(directory), authority)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn settings(&self) -> String {
        let [certificate, key] = ["server.pem", "server.key"].map(|name| self.path(name));
        format!("http.tls_certificate = \"{certificate}\"\nhttp.tls_key = \"{key}\"\n")
    }
}

/// The exit code of `inval stats` against the daemon, and what it says.
fn stats(daemon: &Daemon, scheme: &str, args: &[&str]) -> (i32, String) {
    let url = format!("{scheme}://{}", daemon.address);
    let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
    let output = command.args(["stats", "--daemon", &url]).args(args).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

#[test]
fn who_trusts_the_authority_is_served_and_nobody_else() {
    let (files, _) = Files::new();
    let mut daemon = Daemon::with_config(&files.settings(), &[]);
    let ca = files.path("ca.pem");
    let (code, said) = stats(&daemon, "https", &["--daemon-ca", &ca]);
    assert_eq!(code, 0, "{said}");
    let (code, said) = stats(&daemon, "https", &[]);
    assert!(code == 4 && said.contains("--daemon-ca names its authority"), "{code}: {said}");
    assert_ne!(stats(&daemon, "http", &[]).0, 0);
    let (code, said) = stats(&daemon, "https", &["--daemon-ca", &files.path("server.key")]);
    assert!(code == 2 && said.contains("holds no certificate"), "{code}: {said}");
    // One that never begins to agree does not hold up the end.
    let silent = daemon.connect();
    daemon.signal("TERM");
    assert_eq!(daemon.wait().code(), Some(0));
    drop(silent);
}

#[test]
fn a_client_must_show_a_certificate_where_one_is_asked_for() {
    let (files, _) = Files::new();
    let stranger = TempDir::new().unwrap();
    Authority::new(&stranger.path().join("ca.pem")).sign(stranger.path(), "client");
    let settings = format!("{}http.client_ca = \"{}\"\n", files.settings(), files.path("ca.pem"));
    let daemon = Daemon::with_config(&settings, &[]);
    let ca = files.path("ca.pem");
    let with = |directory: &Path| {
        let [certificate, key] =
            ["client.pem", "client.key"].map(|name| directory.join(name).display().to_string());
        let args = ["--daemon-ca", &ca, "--daemon-certificate", &certificate, "--daemon-key", &key];
        stats(&daemon, "https", &args)
    };
    let (code, said) = with(files.0.path());
    assert_eq!(code, 0, "{said}");
    assert_eq!(with(stranger.path()).0, 4);
    assert_eq!(stats(&daemon, "https", &["--daemon-ca", &ca]).0, 4);
}

#[test]
fn a_reload_takes_new_certificates_and_leaves_the_old_where_they_are_bad() {
    let (files, _) = Files::new();
    let daemon = Daemon::with_config(&files.settings(), &[]);
    let old = files.path("old.pem");
    fs::copy(files.path("ca.pem"), &old).unwrap();
    let serves = |ca: &str| stats(&daemon, "https", &["--daemon-ca", ca]).0 == 0;
    assert!(serves(&old));

    fs::write(files.path("server.pem"), "no certificate").unwrap();
    daemon.signal("HUP");
    daemon.wait_for_log("nothing reloaded: http.tls_certificate must be one or more certificates");
    assert!(serves(&old));

    let authority = Authority::new(Path::new(&files.path("ca.pem")));
    authority.sign(files.0.path(), "server");
    daemon.signal("HUP");
    until("the new certificate is shown", || serves(&files.path("ca.pem")).then_some(()));
    assert!(!serves(&old));
}

#[test]
fn what_is_wrong_with_the_files_is_said_at_the_start() {
    let (files, _) = Files::new();
    let check = |key: &str, want: &str| {
        let config = files.path("inval.toml");
        let [certificate, key] = ["server.pem", key].map(|name| files.path(name));
        let text = format!("http.tls_certificate = \"{certificate}\"\nhttp.tls_key = \"{key}\"\n");
        fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_inval"));
        let args = ["serve", "--listen", "127.0.0.1:0", "--config", &config];
        let output = command.args(args).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.contains(want), "{said}");
        assert!(!said.contains("BEGIN"), "{said}");
    };
    check("client.key", "http.tls_key is not the key of http.tls_certificate");
    check("absent.key", "http.tls_key cannot be read from");
    check("server.pem", "http.tls_key must be a private key in PEM");
}
