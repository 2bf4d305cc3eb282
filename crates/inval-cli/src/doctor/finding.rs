//! A finding: how bad it is, what is, and what to do.

use std::fmt;
use std::io::{self, Write};

use inval_redis::Target;
use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    Ok,
    /// Worth knowing; also what could not be looked at.
    Info,
    /// It will hurt one day.
    Warning,
    /// It hurts already, or is open to anybody.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// What one check has found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) severity: Severity,
    /// The server or namespace, if it is about one.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// What is, in a sentence.
    pub(super) is: String,
    /// What to do, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) todo: Option<&'static str>,
    #[serde(skip)]
    pub(super) is_unreachable: bool,
}

impl Finding {
    pub(super) fn new(check: &'static str, severity: Severity, is: impl Into<String>) -> Self {
        let (place, todo) = (None, None);
        Self { check, severity, place, is: is.into(), todo, is_unreachable: false }
    }

    pub(super) fn ok(check: &'static str, is: impl Into<String>) -> Self {
        Self::new(check, Severity::Ok, is)
    }

    /// What the user may not look at.
    pub(super) fn hidden(check: &'static str, command: &str) -> Self {
        let is = format!("not looked at: the user may not use {command}");
        Self::new(check, Severity::Info, is).todo("run doctor with an administrator's credentials")
    }

    pub(super) fn unreachable(target: &Target, error: &inval_redis::Error) -> Self {
        let finding = Self::new("connection", Severity::Error, error.to_string()).at(target);
        let todo = "check that the server runs and lets this host and user in";
        Self { is_unreachable: is_unreachable(error), ..finding }.todo(todo)
    }

    /// What to do, unless all is well.
    pub(super) fn todo(self, todo: &'static str) -> Self {
        Self { todo: Some(todo).filter(|_| self.severity > Severity::Ok), ..self }
    }

    pub(super) fn at(self, place: &impl ToString) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }
}

fn is_unreachable(error: &inval_redis::Error) -> bool {
    crate::failure::Exit::of_store(error) == crate::failure::Exit::Unreachable
}

/// Writes a line for each finding, and one below it for what to do.
pub(super) fn table(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    let width = |cell: fn(&Finding) -> usize| findings.iter().map(cell).max().unwrap_or(0);
    let place = |finding: &Finding| finding.place.clone().unwrap_or_else(|| "-".to_owned());
    let checks = width(|finding| finding.check.len());
    let places = width(|finding| finding.place.as_ref().map_or(1, String::len));
    for finding in findings {
        let Finding { check, severity, is, .. } = finding;
        writeln!(out, "{severity:<7}  {check:<checks$}  {:<places$}  {is}", place(finding))?;
        if let Some(todo) = finding.todo {
            writeln!(out, "{:<7}  {:<checks$}  {:<places$}  -> {todo}", "", "", "")?;
        }
    }
    Ok(())
}
