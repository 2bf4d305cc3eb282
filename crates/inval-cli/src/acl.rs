//! The command `inval acl`: prints the rules for a user of a server. Asks no server, and for no password.

use std::io::{self, Write};

use inval_redis::acl::Rules;
use serde::Serialize;

use crate::args::{AclArgs, RulesForm};

/// How to get what is to be put in place of the digest.
const HINT: &str = "put the SHA-256 of the password in place of <sha256>: head -n 1 FILE | tr -d '\\n' | sha256sum";

/// Rules for programs.
#[derive(Serialize)]
struct Report<'a> {
    user: &'a str,
    role: &'a str,
    namespaces: Vec<String>,
    rules: Vec<String>,
}

/// Prints the rules to standard output, and to standard error where the password goes.
pub(crate) fn run(args: &AclArgs) -> anyhow::Result<()> {
    let layout = args.layout();
    let namespaces = layout.scopes.iter().map(ToString::to_string).collect();
    let (rules, user) = (Rules::new(args.role, layout), args.user());
    let mut out = io::stdout().lock();
    match args.output {
        RulesForm::Rules => writeln!(out, "{}", rules.line(user))?,
        RulesForm::Setuser => writeln!(out, "{}", rules.setuser(user))?,
        RulesForm::Json => {
            let report = Report { user, role: args.role.name(), namespaces, rules: rules.words() };
            serde_json::to_writer_pretty(&mut out, &report)?;
            writeln!(out)?;
        }
    }
    if args.output != RulesForm::Json {
        let _ = writeln!(io::stderr(), "inval: {HINT}");
    }
    Ok(out.flush()?)
}
