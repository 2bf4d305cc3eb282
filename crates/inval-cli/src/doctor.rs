//! The command `inval doctor`: looks at servers and a configuration and says what to change. Changes nothing.

mod finding;
mod patient;
mod server;
mod memory;
mod users;
mod topology;
mod namespaces;

use std::io::{self, Write};

use inval_redis::{ConnectOptions, Credentials, Target};
use serde_json::json;
use thiserror::Error;
use tokio::runtime::Builder;

use crate::args::{DoctorArgs, Form, Place};
use crate::config::{self, NamespaceSettings, Settings};
use crate::failure::{Exit, UsageError};
use finding::{Finding, Severity};
use patient::Patient;

/// What the findings come to, if not all is well.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub(crate) enum Verdict {
    #[error("{0} to look at, see above")]
    Warnings(usize),
    #[error("{0} wrong, see above")]
    Errors(usize),
    #[error("a server cannot be reached, see above")]
    Unreachable,
}

impl Verdict {
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::Warnings(_) => Exit::Warnings,
            Self::Errors(_) => Exit::Errors,
            Self::Unreachable => Exit::Unreachable,
        }
    }
}

/// What is to be looked at.
pub(crate) struct Order<'a> {
    args: &'a DoctorArgs,
    options: ConnectOptions,
    settings: Option<Settings>,
}

impl Order<'_> {
    /// What the file says of the namespaces, in the order of their names.
    fn namespaces(&self) -> impl Iterator<Item = (&inval_core::Namespace, &NamespaceSettings)> {
        self.settings.iter().flat_map(|settings| &settings.namespaces)
    }
}

/// Looks at everything, prints the findings, and fails if there is something to warn of.
pub(crate) fn run(args: &DoctorArgs) -> anyhow::Result<()> {
    let settings = args.config.as_deref().map(config::load).transpose()?;
    let (options, targets) = match &settings {
        Some(settings) => (settings.connect_options(), targets([Ok(settings.store.clone())])?),
        None => {
            let credentials = args.store_credentials.clone().unwrap_or_default();
            let ca_certificate = args.ca_certificate.clone();
            let options =
                ConnectOptions { credentials, ca_certificate, ..ConnectOptions::default() };
            (options, targets(args.store.clone())?)
        }
    };
    let mut findings = credentials(&options.credentials, &targets);
    let order = Order { args, options, settings };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for target in &targets {
            examine(&order, target, &mut findings).await;
        }
    });
    print(args.output, &findings)?;
    verdict(&findings).map_or(Ok(()), |verdict| Err(verdict.into()))
}

fn targets(
    places: impl IntoIterator<Item = Result<Place, inval_redis::TargetError>>,
) -> Result<Vec<Target>, UsageError> {
    let server = |place| match place {
        Ok(Place::Server(target)) => Some(Ok(target)),
        Ok(Place::Memory) => None,
        Err(error) => Some(Err(UsageError::from(error))),
    };
    places.into_iter().filter_map(server).collect()
}

/// One server, or all that a Cluster has, and the namespaces there.
async fn examine(order: &Order<'_>, target: &Target, findings: &mut Vec<Finding>) {
    findings.push(topology::encryption(target));
    let patient = match Patient::connect(target.clone(), &order.options).await {
        Ok(patient) => patient,
        Err(error) => return findings.push(Finding::unreachable(target, &error)),
    };
    if target.is_cluster() {
        findings.extend(topology::cluster(&patient).await);
        for node in topology::nodes(&patient).await {
            match Patient::connect(node.clone(), &order.options).await {
                Ok(patient) => findings.extend(server::examine(order, &patient, target).await),
                Err(error) => findings.push(Finding::unreachable(&node, &error)),
            }
        }
    } else {
        findings.extend(server::examine(order, &patient, target).await);
    }
    findings.extend(users::default_user(order, &patient).await);
    findings.extend(namespaces::examine(order, &patient).await);
}

/// Where the password comes from, and who else can read it there.
fn credentials(credentials: &Credentials, targets: &[Target]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if targets.iter().any(Target::has_login) {
        let is = "a URL holds user or password, and arguments and files are seen by others";
        let todo =
            "give them by a file that only the user of inval can read, or by the environment";
        findings.push(Finding::new("password", Severity::Warning, is).todo(todo));
    }
    if let Credentials::File(path) = credentials
        && is_open_to_others(path)
    {
        let is = "others can read the file of credentials";
        findings.push(Finding::new("password", Severity::Error, is).todo("chmod 600 the file"));
    }
    findings
}

#[cfg(unix)]
fn is_open_to_others(path: &std::path::Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o007 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_path: &std::path::Path) -> bool {
    false
}

fn print(form: Form, findings: &[Finding]) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match form {
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, &json!({ "findings": findings }))?;
            writeln!(out)?;
        }
        Form::Table => finding::table(&mut out, findings)?,
    }
    Ok(out.flush()?)
}

fn verdict(findings: &[Finding]) -> Option<Verdict> {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    match (count(Severity::Error), count(Severity::Warning)) {
        _ if findings.iter().any(|finding| finding.is_unreachable) => Some(Verdict::Unreachable),
        (0, 0) => None,
        (0, warnings) => Some(Verdict::Warnings(warnings)),
        (errors, _) => Some(Verdict::Errors(errors)),
    }
}
